//! Rate limits on unauthenticated requests, kept in the store: by source, by host, and in all.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use store::{KeyValue, Store};
use web::RequestSource;

/// A counter's key has a MAC of what it counts: a leaked store names no address.
const TAG: Purpose = Purpose("counter of a source");

/// The counters of a request from `source`.
pub(crate) struct Limits<'a, K> {
    pub(crate) store: &'a Store<K>,
    pub(crate) keys: &'a KeyRing,
    pub(crate) source: RequestSource,
}

impl<K: KeyValue> Limits<'_, K> {
    /// Returns the kind of the counter for one `id` of a `kind`.
    pub(crate) fn tagged(&self, kind: &str, id: &[u8]) -> String {
        let message = [kind.as_bytes(), b" ", id].concat();
        let code = self.keys.mac(TAG, &message);
        format!("{kind}:{}", URL_SAFE_NO_PAD.encode(&code[..16]))
    }

    /// Returns the kind of the counter for the request's source; `None` if its clients cannot be told
    /// apart.
    pub(crate) fn of_source(&self, kind: &str) -> Option<String> {
        match self.source {
            RequestSource::Network(address) => {
                Some(self.tagged(kind, address.to_string().as_bytes()))
            }
            RequestSource::Unnamed => Some(self.tagged(kind, b"")),
            RequestSource::Local => None,
        }
    }

    /// Counts one event in each of `counters`, kinds with their limits, if all of them hold.
    ///
    /// All are looked at before any is counted, so that a refused event writes nothing. The first
    /// bounds how many of the others there can be, so it is counted first.
    pub(crate) async fn count(
        &self,
        counters: &[(String, u64)],
        window: u64,
        now: u64,
    ) -> Result<bool, store::Error> {
        for (kind, limit) in counters {
            if self.store.is_exhausted(kind, *limit, window, now).await? {
                return Ok(false);
            }
        }
        for (kind, limit) in counters {
            if !self
                .store
                .check_rate_limit(kind, *limit, window, now)
                .await?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

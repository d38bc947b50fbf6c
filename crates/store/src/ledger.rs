//! The ledgers: what expires in each hour, so that the sweep need not list keys.

use crate::key_value::Expiry;
use crate::{Error, KeyValue, Store};

/// Seconds of one ledger.
pub(crate) const HOUR: u64 = 3600;

/// The separator of the keys of one ledger line, which no key contains.
pub(crate) const COMPANION: char = '\n';

impl<K: KeyValue> Store<K> {
    /// Writes a ledger line for `entry`, a key with its number of slots or further keys, that expires at
    /// `expires_at` (seconds since the Unix epoch). Writes nothing where the store has no ledger
    /// ([`Expiry`]).
    pub(crate) async fn schedule_expiry(&self, entry: &str, expires_at: u64) -> Result<(), Error> {
        if self.backend.capabilities().expiry != Expiry::Ledger {
            return Ok(());
        }
        let hour = expires_at / HOUR;
        let line = self.backend.increment(&self.ledger(hour), 1, None).await?;
        self.backend
            .set(&self.line(hour, line), entry.as_bytes(), None)
            .await
    }

    pub(crate) fn ledger(&self, hour: u64) -> String {
        self.key("ledger", &hour.to_string())
    }

    pub(crate) fn line(&self, hour: u64, line: i64) -> String {
        self.key("ledger", &format!("{hour}:{line}"))
    }
}

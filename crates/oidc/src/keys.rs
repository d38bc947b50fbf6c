//! The keys that verify a provider's tokens (RFC 7517).

use crate::SharedDocuments;
use crate::claims;
use bytes::Bytes;
use identity::Error;
use jwt::{Algorithm, KeyCache, KeySet, Lookup, PublicKey, Unverified};
use serde_json::{Map, Value};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::KeyValue;

/// The provider's public keys, remembered in this instance and asked for at a bounded rate.
#[derive(Default)]
pub struct ProviderKeys(Mutex<KeyCache>);

/// Where the keys come from.
pub struct KeySource<'a, K, F> {
    /// The URL of the provider's JWK Set.
    pub url: &'a str,
    /// The provider's name in messages.
    pub provider_name: &'a str,
    /// The copies that instances share.
    pub shared: &'a SharedDocuments<K>,
    /// Fetches the body of a successful response of that URL.
    pub fetch: F,
}

impl ProviderKeys {
    /// Returns the claims of `token`, if one of the provider's keys signed it. The keys come from `source` where
    /// they are not known or too old.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if no key did, [`Error::Unavailable`] while the keys do not come, and
    /// the errors of asking.
    pub async fn verify<K, F>(
        &self,
        token: Unverified<'_>,
        now: u64,
        source: KeySource<'_, K, impl FnOnce() -> F>,
    ) -> Result<Map<String, Value>, Error>
    where
        K: KeyValue,
        F: Future<Output = Result<Bytes, Error>>,
    {
        let wanted = Wanted {
            key_id: token.header().key_id.clone(),
            algorithm: token.header().algorithm,
        };
        let key = match self.look_up(&wanted, now) {
            Some(found) => found?,
            None => match self.look_up_shared(&wanted, now, &source).await {
                Some(found) => found?,
                None => self.fetch(&wanted, now, source).await?,
            },
        };
        token
            .verify(&key)
            .map_err(|error| Error::Refused(format!("the token is not good: {error}")))
    }

    /// Returns the key, or why there is none; `None` if the keys are to be asked for.
    fn look_up(&self, wanted: &Wanted, now: u64) -> Option<Result<PublicKey, Error>> {
        let key_id = wanted.key_id.as_deref();
        match self.cache().look_up(key_id, wanted.algorithm, now) {
            Lookup::Found(key) => Some(Ok(key)),
            Lookup::Unknown => Some(Err(no_key())),
            Lookup::Unanswered => Some(Err(no_answer())),
            Lookup::Ask => None,
        }
    }

    /// The same by the keys that another instance fetched, if those are newer.
    async fn look_up_shared<K: KeyValue, A>(
        &self,
        wanted: &Wanted,
        now: u64,
        source: &KeySource<'_, K, A>,
    ) -> Option<Result<PublicKey, Error>> {
        let copy = source.shared.find(source.url, now).await?;
        let keys = read(copy.text.as_bytes(), source.provider_name).ok()?;
        if self.cache().adopt(keys, copy.fetched_at) {
            self.look_up(wanted, now)
        } else {
            None
        }
    }

    async fn fetch<K, F>(
        &self,
        wanted: &Wanted,
        now: u64,
        source: KeySource<'_, K, impl FnOnce() -> F>,
    ) -> Result<PublicKey, Error>
    where
        K: KeyValue,
        F: Future<Output = Result<Bytes, Error>>,
    {
        let has_older = self.cache().has_keys(now);
        let KeySource {
            url,
            provider_name,
            shared,
            fetch,
        } = source;
        let read = |body: &[u8]| read(body, provider_name);
        match shared.fetch(url, has_older, now, fetch, read).await {
            Ok(Some(keys)) => {
                self.cache().store(keys, now);
                self.known(wanted, now).ok_or_else(no_key)
            }
            Ok(None) => {
                self.cache().leave_to_others(now);
                self.known(wanted, now).ok_or_else(no_answer)
            }
            Err(error) => self.known(wanted, now).ok_or(error),
        }
    }

    fn known(&self, wanted: &Wanted, now: u64) -> Option<PublicKey> {
        let key_id = wanted.key_id.as_deref();
        self.cache().get(key_id, wanted.algorithm, now)
    }

    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        // Nothing in the cache can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key that a token names.
struct Wanted {
    key_id: Option<String>,
    algorithm: Algorithm,
}

fn no_key() -> Error {
    Error::Refused(
        "the token is not good: its issuer has no key of the id and algorithm that it names"
            .to_owned(),
    )
}

fn no_answer() -> Error {
    Error::Unavailable("the identity provider has not answered with its keys yet".to_owned())
}

/// Returns what an answer with keys has. `who` is the provider's name in words.
///
/// # Errors
///
/// [`Error::Unavailable`] if there is no usable key in it.
pub fn read(body: &[u8], who: &str) -> Result<KeySet, Error> {
    KeySet::from_json(body)
        .ok()
        .filter(|keys| !keys.is_empty())
        .ok_or_else(|| {
            Error::Unavailable(format!(
                "{who} answered without any key for EdDSA, ES256 or RS256"
            ))
        })
}

/// Why a token is refused, in words.
pub(crate) fn not_good(what: &str, rule: claims::BrokenRule) -> Error {
    Error::Refused(format!("{what} is not good: {rule}"))
}

//! The keys that verify a provider's tokens (RFC 7517).

use crate::claims;
use identity::Error;
use jwt::{KeyCache, KeySet, Lookup, Unverified};
use serde_json::{Map, Value};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The provider's public keys, remembered in this instance and asked for at a bounded rate.
#[derive(Default)]
pub struct ProviderKeys(Mutex<KeyCache>);

impl ProviderKeys {
    /// Returns the claims of `token`, if one of the provider's keys signed it. `ask` brings the keys where
    /// they are not known or too old.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if no key did, [`Error::Unavailable`] while the keys do not come, and
    /// the errors of `ask`.
    pub async fn verify<F>(
        &self,
        token: Unverified<'_>,
        now: u64,
        ask: impl FnOnce() -> F,
    ) -> Result<Map<String, Value>, Error>
    where
        F: Future<Output = Result<KeySet, Error>>,
    {
        const NO_KEY: &str =
            "the token is not good: its issuer has no key of the id and algorithm that it names";
        let (key_id, algorithm) = (token.header().key_id.clone(), token.header().algorithm);
        let key_id = key_id.as_deref();
        let found = self.cache().look_up(key_id, algorithm, now);
        let key = match found {
            Lookup::Found(key) => key,
            Lookup::Unknown => return Err(Error::Refused(NO_KEY.to_owned())),
            Lookup::Unanswered => {
                return Err(Error::Unavailable(
                    "the identity provider has not answered with its keys yet".to_owned(),
                ));
            }
            Lookup::Ask => {
                let asked = ask().await.map(|keys| self.cache().store(keys, now));
                match (self.cache().get(key_id, algorithm, now), asked) {
                    (Some(key), _) => key,
                    (None, Ok(())) => return Err(Error::Refused(NO_KEY.to_owned())),
                    (None, Err(error)) => return Err(error),
                }
            }
        };
        token
            .verify(&key)
            .map_err(|error| Error::Refused(format!("the token is not good: {error}")))
    }

    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        // Nothing in the cache can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

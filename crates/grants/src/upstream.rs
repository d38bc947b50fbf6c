//! Upstream tokens: the identity provider's tokens for a grant.

use crate::grant_record::GrantRecords;
use crate::record_kinds;
use identity::{Profile, UpstreamTokens};
use keys::{KeyRing, Purpose};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use store::{Batch, KeyValue, Record, Store};

const SEALED_UPSTREAM: Purpose = Purpose("upstream tokens");

/// Seconds for which a refresh keeps others from refreshing, at least, if it never comes to an end:
/// longer than a provider may take with all that is asked of it.
const MIN_ATTEMPT_TTL: u64 = 60;

const ATTEMPTS: &str = "upstream-refresh";

/// Upstream tokens, how often they were refreshed, and what that brought of the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// The tokens.
    pub tokens: UpstreamTokens,
    /// Counts the refreshes.
    pub generation: u32,
    /// The person, as the last refresh had them that said so; `None`: as in the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What the last refresh came to.
    #[serde(default)]
    pub outcome: RefreshOutcome,
}

/// What a refresh of upstream tokens came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshOutcome {
    /// Everything that was asked for; so it is where there was none yet.
    #[default]
    Complete,
    /// Tokens, and who the person is now could not be found out.
    WithoutProfile,
    /// The provider refused the refresh token, or gave tokens of another person.
    Refused,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SealedUpstream(String);

impl Record for SealedUpstream {
    const KIND: &'static str = record_kinds::UPSTREAM;
}

/// The upstream tokens in a store.
pub struct UpstreamRecords<'a, K> {
    pub(crate) store: &'a Store<K>,
    pub(crate) keys: &'a KeyRing,
}

impl<K: KeyValue> UpstreamRecords<'_, K> {
    /// Returns the upstream tokens of a grant, at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn find(&self, id: &str, now: u64) -> Result<Option<Upstream>, store::Error> {
        let Some(SealedUpstream(sealed)) = self.store.get(id, now).await? else {
            return Ok(None);
        };
        let Ok(plain) = self.keys.open(SEALED_UPSTREAM, id.as_bytes(), &sealed) else {
            return Ok(None);
        };
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|_| store::Error::Unreadable(self.store.key(SealedUpstream::KIND, id)))
    }

    /// Whether the caller is the one to refresh upstream tokens of this `generation`: providers
    /// that rotate refresh tokens take each just once.
    ///
    /// Everyone else waits for [`find`](Self::find) to show a higher generation. If the
    /// one who was chosen never comes back, another is chosen one to two minutes later.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn claim_refresh(
        &self,
        id: &str,
        generation: u32,
        now: u64,
    ) -> Result<bool, store::Error> {
        let attempt = now / MIN_ATTEMPT_TTL;
        // One that began at the end of the time before this may still go on.
        if let Some(previous) = attempt.checked_sub(1) {
            let previous = attempt_id(id, generation, previous);
            if self.store.is_claimed(ATTEMPTS, &previous).await? {
                return Ok(false);
            }
        }
        let attempt = attempt_id(id, generation, attempt);
        let forget_at = now + 3 * MIN_ATTEMPT_TTL;
        self.store.claim_once(ATTEMPTS, &attempt, forget_at).await
    }

    /// Lets others try at once, after a refresh that was claimed at `now` came to nothing.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) async fn release_refresh(
        &self,
        id: &str,
        generation: u32,
        now: u64,
    ) -> Result<(), store::Error> {
        let attempt = attempt_id(id, generation, now / MIN_ATTEMPT_TTL);
        let key = self.store.key(ATTEMPTS, &attempt);
        self.store.delete_key(&key).await.map(drop)
    }

    /// Replaces the upstream tokens of a grant that ends at `expires_at` (seconds since the Unix
    /// epoch). `false` if the grant has ended in the meantime: then nothing is kept, and the tokens are
    /// the caller's to revoke.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn replace(
        &self,
        id: &str,
        upstream: &Upstream,
        expires_at: u64,
        random: &mut impl CryptoRng,
    ) -> Result<bool, store::Error> {
        let sealed = self.seal(id, upstream, random)?;
        self.store.put(id, &sealed, Some(expires_at)).await?;
        // Looked at after the write: an end that came before it has removed what was there then.
        let grants = GrantRecords {
            store: self.store,
            keys: self.keys,
        };
        if grants.is_there(id).await? {
            return Ok(true);
        }
        self.store.delete::<SealedUpstream>(id).await?;
        Ok(false)
    }

    /// Adds the first upstream tokens of a grant to what is written. Its own entry for the sweep covers them.
    pub(crate) fn add(
        &self,
        batch: &mut Batch<'_, K>,
        id: &str,
        tokens: &UpstreamTokens,
        expires_at: u64,
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        let upstream = Upstream {
            tokens: tokens.clone(),
            generation: 0,
            profile: None,
            outcome: RefreshOutcome::Complete,
        };
        let sealed = self.seal(id, &upstream, random)?;
        batch.put(id, &sealed, Some(expires_at))
    }

    fn seal(
        &self,
        id: &str,
        upstream: &Upstream,
        random: &mut impl CryptoRng,
    ) -> Result<SealedUpstream, store::Error> {
        let plain = serde_json::to_vec(upstream)
            .map_err(|_| store::Error::Unreadable(self.store.key(SealedUpstream::KIND, id)))?;
        Ok(SealedUpstream(self.keys.seal(
            SEALED_UPSTREAM,
            id.as_bytes(),
            &plain,
            random,
        )))
    }
}

fn attempt_id(id: &str, generation: u32, attempt: u64) -> String {
    format!("{id}.{generation}.{attempt}")
}

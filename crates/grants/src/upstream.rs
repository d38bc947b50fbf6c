//! The identity provider's tokens for a grant.

use crate::Grants;
use keys::Purpose;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use store::{KeyValue, Record};

const SEALED_UPSTREAM: Purpose = Purpose("upstream tokens");

/// Seconds after which somebody else may try a refresh that never came to an end.
const ATTEMPT: u64 = 30;

/// What the identity provider gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpstreamTokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token, if there is one.
    pub refresh_token: Option<String>,
    /// When the access token ends, in seconds since the Unix epoch, if that is known.
    pub expires_at: Option<u64>,
}

/// Upstream tokens, and how often they were refreshed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// The tokens.
    pub tokens: UpstreamTokens,
    /// Counts the refreshes.
    pub generation: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SealedUpstream(String);

impl Record for SealedUpstream {
    const KIND: &'static str = "upstream";
}

impl<K: KeyValue> Grants<'_, K> {
    /// The upstream tokens of a grant, at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn upstream(&self, id: &str, now: u64) -> Result<Option<Upstream>, store::Error> {
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
    /// Everybody else waits for [`upstream`](Self::upstream) to show a higher generation. If the
    /// one who was chosen never comes back, another is chosen half a minute later.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn claim_upstream_refresh(
        &self,
        id: &str,
        generation: u32,
        now: u64,
    ) -> Result<bool, store::Error> {
        let attempt = now / ATTEMPT;
        self.store
            .claim_once(
                "upstream-refresh",
                &format!("{id}.{generation}.{attempt}"),
                now + 2 * ATTEMPT,
            )
            .await
    }

    /// Replaces the upstream tokens of a grant that ends at `expires_at` (seconds since the Unix
    /// epoch). `false` if the grant has ended meanwhile: then nothing is kept, and the tokens are
    /// the caller's to revoke.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn replace_upstream(
        &self,
        id: &str,
        upstream: &Upstream,
        expires_at: u64,
        random: &mut impl CryptoRng,
    ) -> Result<bool, store::Error> {
        let sealed = self.seal_upstream(id, upstream, random)?;
        self.store.put(id, &sealed, Some(expires_at)).await?;
        // Looked at after the write: an end that came before it has removed what was there then.
        if self.is_there(id).await? {
            return Ok(true);
        }
        self.store.delete::<SealedUpstream>(id).await?;
        Ok(false)
    }

    /// Writes the first upstream tokens of a grant. Its own entry for the sweep covers them.
    pub(crate) async fn write_upstream(
        &self,
        id: &str,
        tokens: &UpstreamTokens,
        expires_at: u64,
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        let upstream = Upstream {
            tokens: tokens.clone(),
            generation: 0,
        };
        let sealed = self.seal_upstream(id, &upstream, random)?;
        self.store.put(id, &sealed, Some(expires_at)).await
    }

    pub(crate) fn upstream_key(&self, id: &str) -> String {
        self.store.key(SealedUpstream::KIND, id)
    }

    fn seal_upstream(
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

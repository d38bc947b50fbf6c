//! Authorization codes (RFC 6749 section 4.1.3): each is redeemed once, also if requests race.

use crate::record_kinds::CODE as CLAIM;
use crate::token_format::{CODE, FIRST_GENERATION, REFRESH_TOKEN, TokenParts};
use crate::{CodeBinding, Error, Grant, Grants};
use store::{Claim, KeyValue};

/// A code that was issued here, whose grant is alive. Nothing of it is used up yet.
#[derive(Debug)]
pub struct PresentedCode {
    /// The grant.
    pub grant: Grant,
    /// What the request must show.
    pub binding: CodeBinding,
    grant_id: String,
}

/// What a redeemed code gives.
#[derive(Debug)]
pub struct Redeemed {
    /// The grant's id.
    pub grant_id: String,
    /// The grant.
    pub grant: Grant,
    /// The grant's first refresh token.
    pub refresh_token: String,
}

/// Seconds after its redemption for which a code that comes back is taken for a client that sent its
/// request twice: an effect that runs twice, a callback that listens on IPv4 and IPv6.
const REPEAT_GRACE: u64 = 10;

impl<K: KeyValue> Grants<'_, K> {
    /// Finds what `code` stands for at `now` (seconds since the Unix epoch). One read of the store.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what was not issued here, and for an ended grant.
    pub async fn code(&self, code: &str, now: u64) -> Result<PresentedCode, Error> {
        let TokenParts { grant_id, .. } =
            TokenParts::read(&CODE, self.keys, code).ok_or(Error::Invalid)?;
        let grant = self.find(&grant_id, now).await?.ok_or(Error::Invalid)?;
        Ok(PresentedCode {
            binding: grant.code.clone().ok_or(Error::Invalid)?,
            grant,
            grant_id,
        })
    }

    /// Returns whether `code` is authentic, its grant cannot be seen at `now` (seconds since the Unix epoch),
    /// and no redemption can be seen either. On a store of several regions the grant may not be here yet.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn is_grant_missing(&self, code: &str, now: u64) -> Result<bool, store::Error> {
        let Some(id) = self.grant_of_code(code) else {
            return Ok(false);
        };
        Ok(self.find(&id, now).await?.is_none() && !self.is_redeemed(&id).await?)
    }

    /// Redeems a code at `now` (seconds since the Unix epoch), when everything else about the
    /// request was found good. The refresh token is worth nothing without a proof of the key with
    /// the thumbprint `key` (RFC 9449 section 5), if one is given.
    ///
    /// # Errors
    ///
    /// [`Error`]. A second redemption ends the grant, late or not (RFC 6749 section 10.5), but for
    /// one within ten seconds, which is refused alone.
    pub async fn redeem(
        &self,
        code: PresentedCode,
        key: Option<String>,
        now: u64,
    ) -> Result<Redeemed, Error> {
        let PresentedCode {
            grant,
            binding,
            grant_id,
        } = code;
        let begun = grant.created_at;
        // The schedule of the grant's own expiry covers the claim.
        let claim = if now < binding.expires_at {
            self.store
                .claim_at(CLAIM, &grant_id, begun, now, grant.expires_at)
                .await?
        } else {
            let claimed = self.store.claimed_at(CLAIM, &grant_id, begun).await?;
            Claim::Before(claimed.ok_or(Error::Invalid)?)
        };
        if let Claim::Before(redeemed_at) = claim {
            if now < redeemed_at.saturating_add(REPEAT_GRACE) {
                return Err(Error::Repeated);
            }
            self.end(&grant_id, now).await?;
            return Err(Error::Reused);
        }
        let first = TokenParts {
            grant_id,
            generation: FIRST_GENERATION,
            key,
        };
        Ok(Redeemed {
            refresh_token: first.write(&REFRESH_TOKEN, self.keys),
            grant_id: first.grant_id,
            grant,
        })
    }

    /// Returns the id of the grant that `code` belongs to, whether it was redeemed or not; `None` if it was
    /// not issued here.
    pub fn grant_of_code(&self, code: &str) -> Option<String> {
        TokenParts::read(&CODE, self.keys, code).map(|parts| parts.grant_id)
    }

    /// Whether the code of a grant was redeemed.
    pub(crate) async fn is_redeemed(&self, id: &str) -> Result<bool, store::Error> {
        self.store.is_claimed(CLAIM, id).await
    }
}

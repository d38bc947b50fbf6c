//! Redeeming an authorization code (RFC 6749 section 4.1.3): once, under any race.

use crate::handle::{CODE, Handle, REFRESH_TOKEN};
use crate::refresh::FIRST_GENERATION;
use crate::{Error, Grant, Grants};
use store::KeyValue;

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

const CLAIM: &str = "code";

impl<K: KeyValue> Grants<'_, K> {
    /// Redeems `code` at `now` (seconds since the Unix epoch) if `check` finds that the request
    /// fits the grant.
    ///
    /// # Errors
    ///
    /// [`Error`]. A refused request leaves the code as it was. A second redemption that fits ends
    /// the grant, late or not (RFC 6749 section 10.5).
    pub async fn redeem<E>(
        &self,
        code: &str,
        now: u64,
        check: impl FnOnce(&Grant) -> Result<(), E>,
    ) -> Result<Redeemed, Error<E>> {
        let Handle { grant_id, .. } = Handle::read(&CODE, self.keys, code).ok_or(Error::Invalid)?;
        let grant = self.find(&grant_id, now).await?.ok_or(Error::Invalid)?;
        check(&grant).map_err(Error::Refused)?;
        if now >= grant.code.expires_at {
            if self.store.is_claimed(CLAIM, &grant_id).await? {
                self.end(&grant_id).await?;
                return Err(Error::Reused);
            }
            return Err(Error::Invalid);
        }
        if !self
            .store
            .claim_once(CLAIM, &grant_id, grant.expires_at)
            .await?
        {
            self.end(&grant_id).await?;
            return Err(Error::Reused);
        }
        let first = Handle {
            grant_id,
            generation: FIRST_GENERATION,
        };
        Ok(Redeemed {
            refresh_token: first.write(&REFRESH_TOKEN, self.keys),
            grant_id: first.grant_id,
            grant,
        })
    }

    /// Whether the code of a grant was redeemed.
    pub(crate) async fn is_redeemed(&self, id: &str) -> Result<bool, store::Error> {
        self.store.is_claimed(CLAIM, id).await
    }
}

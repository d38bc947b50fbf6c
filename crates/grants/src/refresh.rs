//! Refresh token rotation (RFC 9700 section 4.14.2).
//!
//! The refresh tokens of a grant are counted. The store keeps one number: the generation of the
//! newest token that was issued, and when that was. A client may repeat a refresh whose answer it
//! lost: the token before the newest is answered with the newest again, always the same, until the
//! newest is used, and no longer than a grace period after it was issued. A token that was replaced
//! longer ago is theft or a client gone wrong, and ends the grant; one of a client that proves who it
//! is by more than the token is refused, and the grant stays: no other client could have used it.
//!
//! Requests that race with the same token all write the same number, and one that is repeated later
//! writes nothing, so the grace is not prolonged. A write that comes late may put an older number
//! back; an authentic token with a higher one sets it right, so no race loses a grant. A write that
//! comes after the grant's end is taken back.

use crate::record_kinds;
use crate::token_format::{FIRST_GENERATION, REFRESH_TOKEN, TokenParts};
use crate::{Error, Grant, Grants};
use serde::{Deserialize, Serialize};
use store::{KeyValue, Record};

/// A refresh token that was issued here, whose grant is alive. Nothing of it is used up yet.
#[derive(Debug)]
pub struct PresentedRefreshToken {
    /// The grant.
    pub grant: Grant,
    parts: TokenParts,
}

impl PresentedRefreshToken {
    /// Returns the grant's id.
    pub fn grant_id(&self) -> &str {
        &self.parts.grant_id
    }

    /// Returns the thumbprint of the key that its holder has to prove, if it is bound to one (RFC 9449
    /// section 5).
    pub fn key(&self) -> Option<&str> {
        self.parts.key.as_deref()
    }
}

/// How long a refresh token is answered after it was replaced, and what its reuse means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReuseTerms {
    /// Seconds for which the token before the newest is answered again after its successor was
    /// issued.
    pub grace: u64,
    /// Whether the client proves who it is by more than the token: by a secret or a key. Reuse is
    /// then refused and ends nothing.
    pub is_proven: bool,
}

/// What a refresh token gives.
#[derive(Debug)]
pub struct Refreshed {
    /// The grant's id.
    pub grant_id: String,
    /// The grant.
    pub grant: Grant,
    /// The refresh token to use next, bound to the same key.
    pub refresh_token: String,
}

#[derive(Serialize, Deserialize)]
struct Newest {
    generation: u32,
    /// When it was issued, in seconds since the Unix epoch.
    #[serde(default)]
    at: Option<u64>,
}

impl Record for Newest {
    const KIND: &'static str = record_kinds::REFRESH;
}

impl<K: KeyValue> Grants<'_, K> {
    /// Finds what `refresh_token` stands for at `now` (seconds since the Unix epoch), whatever its
    /// generation. One read of the store.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for what was not issued here, and for an ended grant.
    pub async fn refresh_token(
        &self,
        refresh_token: &str,
        now: u64,
    ) -> Result<PresentedRefreshToken, Error> {
        let parts =
            TokenParts::read(&REFRESH_TOKEN, self.keys, refresh_token).ok_or(Error::Invalid)?;
        let grant = self.find(&parts.grant_id, now).await?;
        Ok(PresentedRefreshToken {
            grant: grant.ok_or(Error::Invalid)?,
            parts,
        })
    }

    /// Whether [`refresh`](Self::refresh) would take the token at `now` (seconds since the Unix
    /// epoch): it is the newest, or the one before and was replaced within the last `grace` seconds.
    /// One read of the store.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn is_current(
        &self,
        token: &PresentedRefreshToken,
        grace: u64,
        now: u64,
    ) -> Result<bool, store::Error> {
        let newest = self.store.get(&token.parts.grant_id, now).await?;
        Ok(is_current(
            token.parts.generation,
            newest.as_ref(),
            grace,
            now,
        ))
    }

    /// Uses a refresh token at `now` (seconds since the Unix epoch), when everything else about the
    /// request was found good. Does not check that the client proves what `terms` say it does.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn refresh(
        &self,
        token: PresentedRefreshToken,
        terms: ReuseTerms,
        now: u64,
    ) -> Result<Refreshed, Error> {
        let PresentedRefreshToken { grant, parts } = token;
        let TokenParts { grant_id, key, .. } = parts;
        let stored = self.store.get::<Newest>(&grant_id, now).await?;
        let next = parts.generation.checked_add(1).ok_or(Error::Invalid)?;
        if !is_current(parts.generation, stored.as_ref(), terms.grace, now) {
            if terms.is_proven {
                return Err(Error::Replaced);
            }
            self.end(&grant_id, now).await?;
            return Err(Error::Reused);
        }
        if next > generation(stored.as_ref()) {
            let record = Newest {
                generation: next,
                at: Some(now),
            };
            // The schedule of the grant's own expiry covers it.
            self.store
                .put(&grant_id, &record, Some(grant.expires_at))
                .await?;
            // Looked at after the write: an end that came before it has removed what was there then.
            if !self.records().is_there(&grant_id).await? {
                self.store.delete::<Newest>(&grant_id).await?;
                return Err(Error::Invalid);
            }
        }
        let successor = TokenParts {
            grant_id,
            generation: next,
            key,
        };
        Ok(Refreshed {
            refresh_token: successor.write(&REFRESH_TOKEN, self.keys),
            grant_id: successor.grant_id,
            grant,
        })
    }

    /// Returns the id of the grant that `refresh_token` belongs to, whatever its generation; `None` if it
    /// was not issued here. For revocation (RFC 7009).
    pub fn grant_of_refresh_token(&self, refresh_token: &str) -> Option<String> {
        TokenParts::read(&REFRESH_TOKEN, self.keys, refresh_token).map(|parts| parts.grant_id)
    }

    /// Returns when a grant was last refreshed, in seconds since the Unix epoch; `None` if it never was.
    pub(crate) async fn refreshed_at(
        &self,
        id: &str,
        now: u64,
    ) -> Result<Option<u64>, store::Error> {
        let newest = self.store.get::<Newest>(id, now).await?;
        Ok(newest.and_then(|newest| newest.at))
    }
}

/// Whether the token of this generation is the newest, or the one before within its grace.
fn is_current(token: u32, newest: Option<&Newest>, grace: u64, now: u64) -> bool {
    let successor = token.saturating_add(1);
    match newest {
        Some(newest) if successor == newest.generation => {
            let issued_at = newest.at.unwrap_or(0);
            now < issued_at.saturating_add(grace)
        }
        newest => successor > generation(newest),
    }
}

/// Returns the generation of a grant's newest refresh token, of which the store may not know yet.
fn generation(newest: Option<&Newest>) -> u32 {
    newest.map_or(FIRST_GENERATION, |newest| newest.generation)
}

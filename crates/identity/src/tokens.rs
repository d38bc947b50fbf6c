//! Upstream tokens: those that the identity provider issued for a person.

use crate::error::Error;
use crate::profile::Profile;
use serde::{Deserialize, Serialize};

/// The provider's tokens for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamTokens {
    /// The access token for the provider's own API.
    pub access_token: String,
    /// The refresh token, if the provider issued one.
    pub refresh_token: Option<String>,
    /// When the access token expires, in seconds since the Unix epoch, if that is known.
    pub expires_at: Option<u64>,
}

impl UpstreamTokens {
    /// Whether the access token is valid at `time` (seconds since the Unix epoch), as far as is known.
    pub fn live_at(&self, time: u64) -> bool {
        self.expires_at.is_none_or(|ends_at| ends_at > time)
    }

    /// Returns what is to be revoked at `now` (seconds since the Unix epoch), each token with its hint (RFC
    /// 7009 section 2.1): the refresh token first, then the access token unless it has expired.
    pub fn to_revoke(&self, now: u64) -> impl Iterator<Item = (&str, &'static str)> {
        let access_token = Some(self.access_token.as_str())
            .filter(|token| !token.is_empty())
            .filter(|_| self.live_at(now));
        let refresh_token = self.refresh_token.as_deref();
        refresh_token
            .map(|token| (token, "refresh_token"))
            .into_iter()
            .chain(access_token.map(|token| (token, "access_token")))
    }
}

/// What a refresh token was exchanged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The new tokens; without a refresh token the old one stays valid.
    pub tokens: UpstreamTokens,
    /// The profile.
    pub profile: RefreshedProfile,
}

/// What a refresh brought of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshedProfile {
    /// The profile as it is now.
    Current(Profile),
    /// Nothing: it was not asked for, or the provider says nothing of the person at a refresh.
    Unchanged,
    /// The profile is not available now, for this reason. The text holds no secret.
    Unavailable(String),
}

impl RefreshedProfile {
    /// Returns what is known of the person after new tokens came; `found` is `None` if the provider says nothing
    /// at a refresh.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], which refuses the new tokens as well. Any other error is [`Self::Unavailable`]: the provider
    /// may have replaced the old refresh token, so the new tokens must not be lost.
    pub fn of(found: Result<Option<Profile>, Error>) -> Result<Self, Error> {
        match found {
            Ok(Some(profile)) => Ok(Self::Current(profile)),
            Ok(None) => Ok(Self::Unchanged),
            Err(Error::Refused(reason)) => Err(Error::Refused(reason)),
            Err(error) => Ok(Self::Unavailable(error.reason().to_owned())),
        }
    }
}

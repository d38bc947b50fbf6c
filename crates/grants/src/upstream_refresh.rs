//! The refresh of the identity provider's tokens for a grant, by one request at a time.

use crate::upstream::RefreshOutcome;
use crate::{Grants, Upstream};
use identity::{Error, Refreshed, RefreshedProfile, TokenRefresher, UpstreamTokens};
use rand::CryptoRng;
use std::time::Duration;
use store::{KeyValue, poll_intervals};

/// Seconds before its end at which an access token is refreshed that is needed itself.
const REFRESH_MARGIN: u64 = 60;

/// How long a caller waits for a refresh that another one makes.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The clock and timers of the platform.
pub trait Environment: Sync {
    /// Seconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// What upstream tokens are refreshed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Their access token: one that is about to end is refreshed, and is good enough while another
    /// caller does that, or when the provider does not answer.
    AccessToken,
    /// What the provider says of the person, which is as new as the access token: one that has
    /// ended, or does not say when it ends, is refreshed.
    Profile,
}

/// Why upstream tokens were not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamRefreshError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The identity provider did not refresh them. Everything is as it was before.
    #[error("the identity provider did not refresh a token: {0}")]
    Provider(String),
    /// Another caller did not refresh them in time.
    #[error("the identity provider's tokens were not refreshed in time")]
    Timeout,
    /// They were refreshed, and who the person is now could not be found out.
    #[error("the identity provider did not say who a person is now")]
    ProfileUnavailable,
}

/// The grant whose tokens are refreshed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'a> {
    pub(crate) id: &'a str,
    pub(crate) subject: &'a str,
    /// When the grant ends, in seconds since the Unix epoch.
    pub(crate) expires_at: u64,
}

impl<K: KeyValue> Grants<'_, K> {
    /// Returns the upstream tokens of a grant, as fresh as they are needed; `None` if there are none, or no
    /// longer. Of the callers that find them ended one refreshes, whatever instance they meet; the
    /// others wait.
    pub(crate) async fn refresh_upstream(
        &self,
        held: Held<'_>,
        need: Need,
        wants_profile: bool,
        refresher: &impl TokenRefresher,
        environment: &impl Environment,
        random: &mut (impl CryptoRng + Send),
    ) -> Result<Option<Upstream>, UpstreamRefreshError> {
        let mut intervals = poll_intervals(MAX_WAIT);
        let mut first_generation = None;
        loop {
            let now = environment.now();
            let Some(upstream) = self.upstream_records().find(held.id, now).await? else {
                return Ok(None);
            };
            let was_refreshed =
                *first_generation.get_or_insert(upstream.generation) != upstream.generation;
            let tokens = &upstream.tokens;
            let lacks_profile = wants_profile && upstream.outcome == RefreshOutcome::WithoutProfile;
            let is_due = lacks_profile
                || match need {
                    Need::AccessToken => !tokens.live_at(now + REFRESH_MARGIN),
                    Need::Profile => tokens.expires_at.is_none_or(|ends_at| ends_at <= now),
                };
            // What another caller has just refreshed is as new as it gets.
            let is_newest = was_refreshed && (need == Need::Profile || lacks_profile);
            let Some(refresh_token) = tokens
                .refresh_token
                .clone()
                .filter(|_| is_due && !is_newest)
            else {
                return Ok(Some(upstream));
            };
            let is_good_enough = need == Need::AccessToken && !lacks_profile && tokens.live_at(now);
            let generation = upstream.generation;
            if self
                .upstream_records()
                .claim_refresh(held.id, generation, now)
                .await?
            {
                let refreshed = refresher.refresh(&refresh_token, wants_profile).await;
                if let Err(Error::Unavailable(reason) | Error::Misconfigured(reason)) = refreshed {
                    self.upstream_records()
                        .release_refresh(held.id, generation, now)
                        .await?;
                    return match is_good_enough {
                        true => Ok(Some(upstream)),
                        false => Err(UpstreamRefreshError::Provider(reason)),
                    };
                }
                let replacement = self.replacement(
                    held,
                    upstream,
                    refreshed,
                    refresh_token,
                    (wants_profile, now),
                );
                let expires_at = held.expires_at;
                let is_kept = self
                    .upstream_records()
                    .replace(held.id, &replacement, expires_at, random)
                    .await?;
                if !is_kept {
                    // The grant has ended in the meantime, and its end revoked the old tokens alone.
                    self.revoke_upstream(replacement.tokens);
                    return Ok(None);
                }
                return Ok(Some(replacement));
            }
            if is_good_enough {
                return Ok(Some(upstream));
            }
            let Some(interval) = intervals.next() else {
                return Err(UpstreamRefreshError::Timeout);
            };
            environment.sleep(interval).await;
        }
    }

    /// Returns what takes the place of `upstream` after a refresh that the provider has answered.
    fn replacement(
        &self,
        held: Held<'_>,
        upstream: Upstream,
        refreshed: Result<Refreshed, Error>,
        refresh_token: String,
        (wants_profile, now): (bool, u64),
    ) -> Upstream {
        let refused = |reason: &str| {
            log_line::write(format_args!(
                "the identity provider refused a refresh token: {reason}"
            ));
            // No other request tries again, or waits.
            let access_token = match upstream.tokens.live_at(now) {
                true => upstream.tokens.access_token.clone(),
                false => String::new(),
            };
            Upstream {
                tokens: UpstreamTokens {
                    access_token,
                    refresh_token: None,
                    expires_at: upstream.tokens.expires_at,
                },
                generation: upstream.generation.saturating_add(1),
                profile: upstream.profile.clone(),
                outcome: RefreshOutcome::Refused,
            }
        };
        let Refreshed { tokens, profile } = match refreshed {
            Ok(refreshed) => refreshed,
            Err(error) => return refused(error.reason()),
        };
        let (profile, outcome) = match profile {
            RefreshedProfile::Current(profile) if profile.subject != held.subject => {
                self.revoke_upstream(tokens);
                return refused("the new tokens are another person's");
            }
            RefreshedProfile::Current(profile) => (Some(profile), RefreshOutcome::Complete),
            RefreshedProfile::Unchanged if wants_profile => {
                (upstream.profile, RefreshOutcome::Complete)
            }
            RefreshedProfile::Unchanged => (upstream.profile, upstream.outcome),
            RefreshedProfile::Unavailable(reason) => {
                log_line::write(format_args!(
                    "the identity provider did not say who a person is now: {reason}"
                ));
                (upstream.profile, RefreshOutcome::WithoutProfile)
            }
        };
        Upstream {
            tokens: UpstreamTokens {
                refresh_token: tokens.refresh_token.or(Some(refresh_token)),
                ..tokens
            },
            generation: upstream.generation.saturating_add(1),
            profile,
            outcome,
        }
    }
}

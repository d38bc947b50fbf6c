//! Reevaluation of the policy for the person of a grant, who may have lost access since.
//!
//! The authorization server calls it at each refresh, the MCP server where a tool needs the provider's
//! token. A grant that has to end is ended here.

use crate::upstream::RefreshOutcome;
use crate::upstream_refresh::{Environment, Held, Need, UpstreamRefreshError};
use crate::{Grant, Grants};
use events::EndedBy;
use identity::{TokenRefresher, UpstreamTokens};
use policy::Policy;
use rand::CryptoRng;
use store::KeyValue;

/// The result of [`Grants::reevaluate`].
#[derive(Debug, PartialEq)]
pub enum Reevaluation {
    /// The person may come in.
    Allowed {
        /// The grant's scopes that the person has now.
        scopes: Vec<String>,
        /// The upstream tokens, if there are any.
        tokens: Option<UpstreamTokens>,
    },
    /// The grant was ended, for this reason.
    Ended(GrantEnd),
}

/// Why a grant was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantEnd {
    /// The identity provider no longer refreshes its tokens.
    #[error("the identity provider no longer vouches for the person")]
    Provider,
    /// The policy refuses the person.
    #[error(transparent)]
    Policy(policy::Refusal),
}

impl From<GrantEnd> for EndedBy {
    fn from(end: GrantEnd) -> Self {
        match end {
            GrantEnd::Provider => Self::Provider,
            GrantEnd::Policy(_) => Self::Policy,
        }
    }
}

impl<K: KeyValue> Grants<'_, K> {
    /// Refreshes the upstream tokens of the grant `id` where they are due, and asks the policy with
    /// what is known of the person then. A grant whose person may no longer come in, or for whom the
    /// provider no longer vouches, is ended. Without a policy, no person is looked up and no grant ends.
    ///
    /// # Errors
    ///
    /// [`UpstreamRefreshError`]: nothing was decided, and the grant is as it was.
    pub async fn reevaluate(
        &self,
        (id, grant): (&str, &Grant),
        policy: &Policy,
        need: Need,
        refresher: &impl TokenRefresher,
        environment: &impl Environment,
        random: &mut (impl CryptoRng + Send),
    ) -> Result<Reevaluation, UpstreamRefreshError> {
        let held = Held {
            id,
            subject: &grant.profile.subject,
            expires_at: grant.expires_at,
        };
        let upstream = self
            .refresh_upstream(held, need, policy.is_set(), refresher, environment, random)
            .await?;
        if !policy.is_set() {
            return Ok(Reevaluation::Allowed {
                scopes: grant.scopes.clone(),
                tokens: upstream.map(|upstream| upstream.tokens),
            });
        }
        let end = match upstream.as_ref().map(|upstream| upstream.outcome) {
            Some(RefreshOutcome::Refused) => GrantEnd::Provider,
            Some(RefreshOutcome::WithoutProfile) => {
                return Err(UpstreamRefreshError::ProfileUnavailable);
            }
            Some(RefreshOutcome::Complete) | None => {
                let newest = upstream
                    .as_ref()
                    .and_then(|upstream| upstream.profile.as_ref());
                let person = newest.unwrap_or(&grant.profile);
                match policy.decide(person, &grant.scopes) {
                    Ok(scopes) => {
                        let tokens = upstream.map(|upstream| upstream.tokens);
                        return Ok(Reevaluation::Allowed { scopes, tokens });
                    }
                    Err(refusal) => GrantEnd::Policy(refusal),
                }
            }
        };
        self.end(id, environment.now()).await?;
        Ok(Reevaluation::Ended(end))
    }
}

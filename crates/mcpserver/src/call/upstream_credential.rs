//! The person's access token of the identity provider, refreshed if need be (RFC 6749 section 6).

use crate::context::Context;
use crate::http::authenticated::{Authenticated, Source};
use crate::{Credential, Environment, Parts};
use grants::{Grant, GrantEnd, Grants, Need, Reevaluation, RevocationQueue, UpstreamRefreshError};
use identity::TokenRevoker;
use keys::KeyRing;
use policy::Policy;
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    /// The token could not be refreshed.
    #[error(transparent)]
    UpstreamRefresh(#[from] UpstreamRefreshError),
    /// The grant has ended just now.
    #[error("the grant has ended, because {0}")]
    Ended(GrantEnd),
}

/// The credentials of persons at the identity provider.
pub(crate) struct UpstreamCredentials<P: Parts> {
    context: Arc<Context<P>>,
    identity: Arc<P::Identity>,
}

impl<P: Parts> UpstreamCredentials<P> {
    pub(crate) fn new(context: Arc<Context<P>>, identity: Arc<P::Identity>) -> Self {
        Self { context, identity }
    }

    /// Returns the person's credential at the identity provider; `None` if the person has to sign in again.
    ///
    /// # Errors
    ///
    /// [`CredentialError`], which is logged.
    pub(crate) async fn credential(
        &self,
        authenticated: &Authenticated,
    ) -> Result<Option<Credential>, CredentialError> {
        let (id, opened) = match &authenticated.source {
            Source::Presented(value) => return Ok(Some(Credential::Presented(value.clone()))),
            Source::Grant { id, opened } => (id, opened),
        };
        let token = upstream_token::<P>(
            (&self.context.store, &self.context.config.keys),
            &self.context.config.policy,
            &*self.identity,
            &self.context.environment,
            (id, &opened.grant),
        )
        .await;
        token
            .map(|token| token.map(Credential::Upstream))
            .inspect_err(|error| match error {
                CredentialError::Ended(end) => self.context.record_grant_end(authenticated, *end),
                CredentialError::UpstreamRefresh(error) => {
                    log_line::write(format_args!("mcp: {error}"))
                }
            })
    }
}

/// Returns the upstream access token of the grant `id`, refreshed if it has expired or is about to; `None`
/// if the person has to sign in again. If the policy no longer allows the person, the grant ends.
///
/// Of the calls that find the token expired, on all instances, one refreshes it and the others wait.
async fn upstream_token<P: Parts>(
    (store, keys): (&Store<P::KeyValue>, &KeyRing),
    policy: &Policy,
    identity: &P::Identity,
    environment: &P::Environment,
    (id, grant): (&str, &Grant),
) -> Result<Option<String>, CredentialError> {
    let revocations = RevocationQueue::default();
    let grants = Grants::new(store, keys).with_revocations(&revocations);
    let here = GrantsEnvironment(environment);
    let reevaluation = grants
        .reevaluate(
            (id, grant),
            policy,
            Need::AccessToken,
            identity,
            &here,
            &mut environment.random(),
        )
        .await;
    for tokens in revocations.take() {
        if let Err(error) = identity.revoke(tokens).await {
            log_line::write(format_args!(
                "mcp: the tokens of an ended grant were not revoked at the identity provider: {error}"
            ));
        }
    }
    match reevaluation? {
        Reevaluation::Allowed { tokens, .. } => Ok(tokens
            .filter(|tokens| tokens.live_at(environment.now()))
            .map(|tokens| tokens.access_token)),
        Reevaluation::Ended(end) => Err(CredentialError::Ended(end)),
    }
}

/// The clock and timers for `grants`.
struct GrantsEnvironment<'a, E>(&'a E);

impl<E: Environment> grants::Environment for GrantsEnvironment<'_, E> {
    fn now(&self) -> u64 {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.0.sleep(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestParts, World};
    use futures::executor::block_on;

    async fn token(world: &World, grant: &str) -> Result<Option<String>, CredentialError> {
        token_under(&Policy::default(), world, grant).await
    }

    /// The same where there is a policy.
    async fn token_under(
        policy: &Policy,
        world: &World,
        id: &str,
    ) -> Result<Option<String>, CredentialError> {
        let grants = Grants::new(&world.store, &world.keys);
        let grant = grants.find(id, world.environment.now()).await.unwrap();
        upstream_token::<TestParts>(
            (&world.store, &world.keys),
            policy,
            &world.identity,
            &world.environment,
            (id, &grant.unwrap()),
        )
        .await
    }

    fn policy(allowed: &str) -> Policy {
        Policy::parse(allowed, "", &["tools".to_owned()]).unwrap()
    }

    #[test]
    fn a_token_that_lives_is_given_as_it_is() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(10_000)).await;
            assert_eq!(
                token(&world, &grant).await.unwrap().as_deref(),
                Some("up-0")
            );
            assert_eq!(world.identity.refreshes(), 0);
        });
    }

    #[test]
    fn a_token_that_ended_is_refreshed_once_and_the_old_refresh_token_kept() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(1_030)).await;
            for _ in 0..3 {
                assert_eq!(
                    token(&world, &grant).await.unwrap().as_deref(),
                    Some("up-1")
                );
            }
            assert_eq!(world.identity.refreshes(), 1);
            world.environment.advance(5_000);
            assert_eq!(
                token(&world, &grant).await.unwrap().as_deref(),
                Some("up-2")
            );
        });
    }

    #[test]
    fn of_many_calls_one_refreshes_and_the_others_wait_for_it() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            let calls = (0..8).map(|_| token(&world, &grant));
            for result in futures::future::join_all(calls).await {
                assert_eq!(result.unwrap().as_deref(), Some("up-1"));
            }
            assert_eq!(world.identity.refreshes(), 1);
        });
    }

    #[test]
    fn after_a_refusal_the_person_has_to_sign_in_again_and_no_call_asks_again() {
        block_on(async {
            let world = World::new();
            world.identity.refuse();
            let grant = world.grant(&["tools"], Some(900)).await;
            for _ in 0..3 {
                assert_eq!(token(&world, &grant).await.unwrap(), None);
                world.environment.advance(100);
            }
            assert_eq!(world.identity.refreshes(), 1);
        });
    }

    #[test]
    fn a_provider_that_is_down_costs_a_call_its_credential_and_nothing_for_later() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            world.identity.go_down();
            assert!(token(&world, &grant).await.is_err());
            world.identity.come_up();
            world.environment.advance(60);
            assert_eq!(
                token(&world, &grant).await.unwrap().as_deref(),
                Some("up-2")
            );
        });
    }

    #[test]
    fn tokens_refreshed_while_their_grant_ended_are_revoked_and_not_kept() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            let grants = Grants::new(&world.store, &world.keys);
            // Between the look at the grant and the write of what it was refreshed to.
            let end = async { grants.end(&grant, 1_000).await.unwrap() };
            let (given, ()) = futures::join!(token(&world, &grant), end);
            assert_eq!(given.unwrap(), None);
            let keys = world.store.backend().keys();
            assert!(
                !keys.iter().any(|key| key.starts_with("upstream:")),
                "{keys:?}"
            );
            let revoked = world.identity.revoked();
            assert_eq!(revoked.len(), 1);
            assert_eq!(revoked[0].access_token, "up-1");
        });
    }

    #[test]
    fn a_token_about_to_end_is_given_while_another_call_refreshes() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(1_030)).await;
            let grants = Grants::new(&world.store, &world.keys);
            assert!(
                grants
                    .upstream_records()
                    .claim_refresh(&grant, 0, 1_000)
                    .await
                    .unwrap()
            );
            assert_eq!(
                token(&world, &grant).await.unwrap().as_deref(),
                Some("up-0")
            );
        });
    }

    #[test]
    fn a_person_who_may_no_longer_come_in_loses_the_grant_at_a_refresh() {
        block_on(async {
            let policy = policy("claim:/roles=staff");
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            world.identity.now_says(r#"{"roles":["staff"]}"#);
            let given = token_under(&policy, &world, &grant).await.unwrap();
            assert_eq!(given.as_deref(), Some("up-1"));
            world.identity.now_says(r#"{"roles":[]}"#);
            let given = token_under(&policy, &world, &grant).await.unwrap();
            assert_eq!(given.as_deref(), Some("up-1"), "as long as it lives");
            world.environment.advance(5_000);
            let ended = token_under(&policy, &world, &grant).await;
            assert!(matches!(
                ended,
                Err(CredentialError::Ended(GrantEnd::Policy(_)))
            ));
            let keys = world.store.backend().keys();
            assert!(!keys.iter().any(|key| key.starts_with("grant:")));
            assert_eq!(world.identity.revoked()[0].access_token, "up-2");
        });
    }

    #[test]
    fn with_a_policy_a_refusal_of_the_provider_or_another_person_ends_the_grant() {
        block_on(async {
            for other_person in [false, true] {
                let world = World::new();
                let grant = world.grant(&["tools"], Some(900)).await;
                if other_person {
                    world.identity.now_is("bob");
                } else {
                    world.identity.refuse();
                }
                let ended = token_under(&policy("subject:ann"), &world, &grant).await;
                let provider = GrantEnd::Provider;
                assert!(matches!(ended, Err(CredentialError::Ended(end)) if end == provider));
                let keys = world.store.backend().keys();
                assert!(!keys.iter().any(|key| key.starts_with("grant:")));
            }
        });
    }

    #[test]
    fn without_a_policy_a_refresh_asks_nothing_about_the_person() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            assert!(token(&world, &grant).await.unwrap().is_some());
            assert_eq!(world.identity.profiles_asked(), 0);
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            let policy = policy("subject:ann");
            assert!(
                token_under(&policy, &world, &grant)
                    .await
                    .unwrap()
                    .is_some()
            );
            assert_eq!(world.identity.profiles_asked(), 1);
        });
    }

    #[test]
    fn who_a_person_is_now_has_to_be_known_before_a_token_is_given() {
        block_on(async {
            let policy = policy("subject:ann");
            let world = World::new();
            let grant = world.grant(&["tools"], Some(900)).await;
            world.identity.says_nothing(true);
            for refreshes in 1..3 {
                let given = token_under(&policy, &world, &grant).await;
                let unknown = UpstreamRefreshError::ProfileUnavailable;
                assert!(
                    matches!(given, Err(CredentialError::UpstreamRefresh(error)) if error.to_string() == unknown.to_string())
                );
                assert_eq!(world.identity.refreshes(), refreshes);
            }
            world.identity.says_nothing(false);
            let given = token_under(&policy, &world, &grant).await.unwrap();
            assert_eq!(given.as_deref(), Some("up-3"));
        });
    }
}

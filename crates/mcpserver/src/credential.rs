//! The person's token of the identity provider, fresh.

use crate::identity::{IdentityError, IdentityProvider};
use crate::{Environment, Parts};
use grants::{Grants, Upstream, UpstreamTokens};
use std::time::Duration;

/// Seconds before its end at which a token is refreshed.
const EARLY: u64 = 60;

/// How long a call waits for a refresh that another call makes.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Why there is no telling whether there is a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the identity provider did not refresh a token: {0}")]
    Identity(IdentityError),
    #[error("the identity provider's tokens were not refreshed in time")]
    Timeout,
}

/// The upstream access token of a grant that ends at `grant_ends_at` (seconds since the Unix
/// epoch), refreshed if it has ended or is about to. `None` when the person has to sign in again.
///
/// Of the calls that find it ended one refreshes, whatever instance they meet; the others wait.
pub(crate) async fn upstream_token<P: Parts>(
    grants: &Grants<'_, P::KeyValue>,
    identity: &P::Identity,
    environment: &P::Environment,
    grant_id: &str,
    grant_ends_at: u64,
) -> Result<Option<String>, CredentialError> {
    let mut waited = Duration::ZERO;
    let mut wait = FIRST_WAIT;
    loop {
        let now = environment.now();
        let Some(upstream) = grants.upstream(grant_id, now).await? else {
            return Ok(None);
        };
        let tokens = upstream.tokens;
        if lives_at(&tokens, now + EARLY) {
            return Ok(Some(tokens.access_token));
        }
        let still_good = lives_at(&tokens, now).then_some(tokens.access_token);
        let Some(refresh_token) = tokens.refresh_token else {
            return Ok(still_good);
        };
        if grants
            .claim_upstream_refresh(grant_id, upstream.generation, now)
            .await?
        {
            let replacement = match identity.refresh(&refresh_token).await {
                Ok(fresh) => UpstreamTokens {
                    refresh_token: fresh.refresh_token.or(Some(refresh_token)),
                    ..fresh
                },
                Err(IdentityError::Refused(reason)) => {
                    environment.log(&format!(
                        "mcp: the identity provider refused a refresh token: {reason}"
                    ));
                    // So that nobody tries again, and nobody waits.
                    UpstreamTokens {
                        access_token: still_good.clone().unwrap_or_default(),
                        refresh_token: None,
                        expires_at: tokens.expires_at,
                    }
                }
                Err(error) => {
                    return still_good.map(Some).ok_or(CredentialError::Identity(error));
                }
            };
            let is_alive = lives_at(&replacement, now);
            let replacement = Upstream {
                tokens: replacement,
                generation: upstream.generation.saturating_add(1),
            };
            let is_kept = grants
                .replace_upstream(
                    grant_id,
                    &replacement,
                    grant_ends_at,
                    &mut environment.random(),
                )
                .await?;
            if !is_kept {
                // The grant has ended meanwhile, and its end knew of the old tokens alone.
                if let Err(error) = identity.revoke(replacement.tokens).await {
                    environment.log(&format!(
                        "mcp: the tokens of an ended grant were not revoked at the identity provider: {error}"
                    ));
                }
                return Ok(None);
            }
            return Ok(is_alive.then_some(replacement.tokens.access_token));
        }
        if still_good.is_some() {
            return Ok(still_good);
        }
        if waited >= LONGEST_WAIT {
            return Err(CredentialError::Timeout);
        }
        environment.sleep(wait).await;
        waited += wait;
        wait = (wait * 2).min(Duration::from_millis(500));
    }
}

fn lives_at(tokens: &UpstreamTokens, time: u64) -> bool {
    tokens.expires_at.is_none_or(|ends_at| ends_at > time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestParts, World};
    use futures::executor::block_on;

    async fn token(world: &World, grant: &str) -> Result<Option<String>, CredentialError> {
        let grants = Grants::new(&world.store, &world.keys);
        upstream_token::<TestParts>(
            &grants,
            &world.identity,
            &world.environment,
            grant,
            1_000_000,
        )
        .await
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
    fn after_a_refusal_the_person_has_to_sign_in_again_and_nobody_asks_again() {
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
    fn a_token_about_to_end_is_given_while_somebody_else_refreshes() {
        block_on(async {
            let world = World::new();
            let grant = world.grant(&["tools"], Some(1_030)).await;
            let grants = Grants::new(&world.store, &world.keys);
            assert!(
                grants
                    .claim_upstream_refresh(&grant, 0, 1_000)
                    .await
                    .unwrap()
            );
            assert_eq!(
                token(&world, &grant).await.unwrap().as_deref(),
                Some("up-0")
            );
        });
    }
}

//! Who calls.
//!
//! A token comes in the Authorization header and nowhere else (RFC 6750 section 2.1; OAuth 2.1
//! forbids the query). Where we are the authorization server, it is one of ours, for which its
//! grant must be alive, or one of the identity provider's that the person pasted into their client.
//! Where the identity provider is, it is one of the provider's and no other.

use crate::place::Place;
use crate::refusal::Refusal;
use crate::{Caller, Environment, IdentityError, IdentityProvider, Parts, Presented, Server};
use config::AuthorizationServer;
use grants::Grants;
use http::HeaderMap;
use keys::VerifyError;
use oauth::access_token::{self, AccessTokenError, Claims};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Longer than any token.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Seconds for which the provider's word about a pasted token is taken without asking again.
const REMEMBERED: u64 = 60;

/// Somebody whose token is good.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated {
    /// As tools see them, without a credential.
    pub(crate) caller: Caller,
    /// Where a credential would come from.
    pub(crate) source: Source,
}

/// Where the person's credential comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The grant of this id, which ends at this time (seconds since the Unix epoch).
    Grant { id: String, expires_at: u64 },
    /// The Authorization header, which has this value.
    Presented(String),
}

impl Authenticated {
    pub(crate) fn subject(&self) -> &str {
        &self.caller.profile.subject
    }
}

/// What the provider said of a pasted token, and until when that is taken for true.
pub(crate) struct Remembered {
    presented: Presented,
    until: u64,
}

impl<P: Parts> Server<P> {
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        place: &Place,
    ) -> Result<Authenticated, Refusal> {
        let authorization = authorization(headers)?.ok_or(Refusal::NoToken)?;
        let token = authorization.token;
        let hash: [u8; 32] = Sha256::digest(token).into();
        let now = self.environment.now();
        if let Some(remembered) = self.presented.get(&hash)
            && remembered.until > now
        {
            return Ok(self.presented(&remembered.presented, authorization.value));
        }
        if self.config.authorization_server.external().is_some() {
            return self.ask_the_provider(&authorization, hash, now).await;
        }
        let claims = match self.claims.get(&hash) {
            Some(claims) => claims,
            None => match self.config.keys.verify::<Claims>(access_token::TYP, token) {
                Ok(claims) => {
                    let claims = Arc::new(claims);
                    self.claims.insert(hash, Arc::clone(&claims));
                    claims
                }
                Err(VerifyError::WrongType) => {
                    return self.ask_the_provider(&authorization, hash, now).await;
                }
                Err(VerifyError::Malformed) => {
                    return Err(Refusal::InvalidToken("The token is malformed."));
                }
                Err(VerifyError::WrongKey) => {
                    return Err(Refusal::InvalidToken(
                        "The token was not signed by this server.",
                    ));
                }
            },
        };
        self.alive(&claims, place, now).await
    }

    /// The claims' holder, if the claims are for us, now, and their grant is alive.
    async fn alive(
        &self,
        claims: &Claims,
        place: &Place,
        now: u64,
    ) -> Result<Authenticated, Refusal> {
        access_token::check(claims, &place.issuer, place.resources.all(), now).map_err(
            |error| {
                Refusal::InvalidToken(match error {
                    AccessTokenError::Issuer => "The token was issued by another server.",
                    AccessTokenError::Audience => "The token is for another resource.",
                    AccessTokenError::Expired => "The token has expired.",
                    AccessTokenError::NotYet => "The token is not valid yet.",
                })
            },
        )?;
        let grant = Grants::new(&self.store, &self.config.keys)
            .find(&claims.grant, now)
            .await
            .map_err(|error| self.unavailable(&error))?
            .ok_or(Refusal::InvalidToken("The token's grant has ended."))?;
        if grant.profile.subject != claims.sub || grant.client_id != claims.client_id {
            return Err(Refusal::InvalidToken("The token is not its grant's."));
        }
        Ok(Authenticated {
            caller: Caller {
                client_id: Some(grant.client_id),
                scopes: claims.scopes().map(str::to_owned).collect(),
                profile: grant.profile,
                credential: None,
            },
            source: Source::Grant {
                id: claims.grant.clone(),
                expires_at: grant.expires_at,
            },
        })
    }

    async fn ask_the_provider(
        &self,
        authorization: &Authorization<'_>,
        hash: [u8; 32],
        now: u64,
    ) -> Result<Authenticated, Refusal> {
        match self.identity.verify(authorization.token).await {
            Ok(presented) if presented.expires_at > now => {
                let authenticated = self.presented(&presented, authorization.value);
                let until = presented.expires_at.min(now + REMEMBERED);
                let remembered = Arc::new(Remembered { presented, until });
                self.presented.insert(hash, remembered);
                Ok(authenticated)
            }
            Ok(_) => Err(Refusal::InvalidToken("The token has expired.")),
            Err(IdentityError::Refused(_)) => Err(Refusal::InvalidToken(
                match self.config.authorization_server {
                    AuthorizationServer::BuiltIn => {
                        "The token is neither this server's nor one that its identity provider issued for it."
                    }
                    AuthorizationServer::External(_) => {
                        "The token is not one that this server's authorization server issued for it."
                    }
                },
            )),
            Err(IdentityError::Misconfigured(problem)) => {
                self.environment.log(&format!("mcp: {problem}"));
                Err(Refusal::IdentityMisconfigured(problem))
            }
            Err(IdentityError::Unavailable(reason)) => Err(self.unavailable(&reason)),
        }
    }

    /// What a token of the provider's lets its holder do.
    ///
    /// Where the provider is the authorization server, the token's scopes are what the person
    /// allowed the client, as far as they are scopes that exist here. Where we are, our scopes are
    /// nothing that the provider knows or asks people about: a pasted token has every one of them,
    /// as a token of the person's own session has in either case.
    fn presented(&self, presented: &Presented, authorization: &str) -> Authenticated {
        let allowed = match &self.config.authorization_server {
            AuthorizationServer::BuiltIn => None,
            AuthorizationServer::External(_) => presented.scopes.as_ref(),
        };
        let mut scopes = self.config.scopes.clone();
        scopes.retain(|scope| allowed.is_none_or(|allowed| allowed.contains(scope)));
        Authenticated {
            caller: Caller {
                client_id: None,
                scopes,
                profile: presented.profile.clone(),
                credential: None,
            },
            source: Source::Presented(authorization.to_owned()),
        }
    }

    /// Notes down why something that a request depends on did not answer.
    pub(crate) fn unavailable(&self, error: &impl std::fmt::Display) -> Refusal {
        self.environment.log(&format!("mcp: {error}"));
        Refusal::Unavailable
    }
}

/// An Authorization header with a bearer token.
struct Authorization<'h> {
    value: &'h str,
    token: &'h str,
}

/// The bearer token of a request; `None` if it has none, or credentials of another scheme.
fn authorization(headers: &HeaderMap) -> Result<Option<Authorization<'_>>, Refusal> {
    const MALFORMED: Refusal = Refusal::InvalidToken("The Authorization header is malformed.");
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(MALFORMED);
    }
    let value = value.to_str().map_err(|_| MALFORMED)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim();
    let is_token = (1..=LONGEST_TOKEN).contains(&token.len())
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        });
    if is_token {
        Ok(Some(Authorization { value, token }))
    } else {
        Err(MALFORMED)
    }
}

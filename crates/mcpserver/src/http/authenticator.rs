//! Who calls.
//!
//! A token comes in the Authorization header and nowhere else (RFC 6750 section 2.1; OAuth 2.1
//! forbids the query). Where we are the authorization server, it is one of ours, for which its
//! grant must be alive, or one of the identity provider's that the person pasted into their client,
//! as far as `presented_tokens` allows. Where the identity provider is the authorization server, it is
//! one of the provider's and no other.

use crate::http::endpoints::EndpointUrls;
use crate::http::presented_token::{self, NotTaken};
use crate::http::rejection::Rejection;
use crate::{Caller, Environment, IdentityError, IdentityProvider, Parts, Presented, Server};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::{AuthorizationServer, PresentedTokens};
use events::TraceContext;
use grants::{OpenedGrant, is_client_subject};
use http::HeaderMap;
use http::request::Parts as Head;
use keys::VerifyError;
use oauth::access_token::{self, AccessTokenError, Claims};
use oauth::scope::{self, Bounds, Holder};
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
    /// When the token ends (seconds since the Unix epoch).
    pub(crate) ends_at: u64,
    /// The trace that the request belongs to.
    pub(crate) trace: Option<TraceContext>,
}

/// Where the person's credential comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The grant of this id.
    Grant {
        id: String,
        opened: Arc<OpenedGrant>,
    },
    /// The Authorization header, which has this value.
    Presented(String),
}

impl Authenticated {
    pub(crate) fn subject(&self) -> &str {
        &self.caller.profile.subject
    }

    /// Whose limits these are, as the store may know it.
    pub(crate) fn person(&self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(self.subject())[..16])
    }

    /// # Errors
    ///
    /// Insufficient scope, if the token lacks one of `scopes`. It names what the token has besides,
    /// so that whoever asks for these loses nothing.
    pub(crate) fn require_scopes(&self, scopes: &[String]) -> Result<(), Rejection> {
        let granted = &self.caller.scopes;
        let missing = scopes.iter().filter(|scope| !granted.contains(scope));
        let missing: Vec<_> = missing.cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Rejection::InsufficientScope(
            [&granted[..], &missing].concat(),
        ))
    }
}

/// What the provider said of a pasted token, and until when that is taken for true.
pub(crate) struct CachedVerification {
    presented: Presented,
    until: u64,
}

impl CachedVerification {
    pub(crate) fn subject(&self) -> &str {
        &self.presented.profile.subject
    }
}

/// The SHA-256 of a request's token, by which caches know it; `None` without a well-formed one.
pub(crate) fn token_hash(headers: &HeaderMap) -> Option<[u8; 32]> {
    let authorization = authorization(headers).ok()??;
    Some(Sha256::digest(authorization.token).into())
}

impl<P: Parts> Server<P> {
    pub(crate) async fn authenticate(
        self: &Arc<Self>,
        head: &Head,
        endpoints: &EndpointUrls,
    ) -> Result<Authenticated, Rejection> {
        let authorization = authorization(&head.headers)?.ok_or(Rejection::NoToken)?;
        let hash = Sha256::digest(authorization.token).into();
        let now = self.context.environment.now();
        let authenticated = match authorization.scheme {
            Scheme::Bearer => self.bearer(&authorization, hash, endpoints, now).await,
            Scheme::Dpop => {
                self.possessed(head, authorization.token, &hash, endpoints, now)
                    .await
            }
        };
        Ok(Authenticated {
            trace: TraceContext::of(&head.headers),
            ..authenticated?
        })
    }

    async fn bearer(
        &self,
        authorization: &Authorization<'_>,
        hash: [u8; 32],
        endpoints: &EndpointUrls,
        now: u64,
    ) -> Result<Authenticated, Rejection> {
        if let Some(remembered) = self.presented.get(&hash)
            && remembered.until > now
        {
            return self.presented(&remembered.presented, authorization.value, endpoints);
        }
        if self
            .context
            .config
            .authorization_server
            .external()
            .is_some()
        {
            return self
                .verify_upstream(authorization, hash, endpoints, now)
                .await;
        }
        let claims = match self.claims_of(authorization.token, &hash) {
            Ok(claims) => claims,
            Err(error)
                if self.context.config.presented.tokens != PresentedTokens::Off
                    && may_be_the_providers(&error, authorization.token, &endpoints.issuer) =>
            {
                return self
                    .verify_upstream(authorization, hash, endpoints, now)
                    .await;
            }
            Err(error) => return Err(not_ours(&error)),
        };
        // RFC 9449 section 7.2.
        if claims.cnf.is_some() {
            return Err(Rejection::Bound);
        }
        self.require_active_grant(&claims, endpoints, now).await
    }

    /// What a token of ours says, whose hash is `hash`. Its signature is checked once.
    pub(crate) fn claims_of(
        &self,
        token: &str,
        hash: &[u8; 32],
    ) -> Result<Arc<Claims>, VerifyError> {
        if let Some(claims) = self.claims.get(hash) {
            return Ok(claims);
        }
        let claims: Arc<Claims> =
            Arc::new(self.context.config.keys.verify(access_token::TYP, token)?);
        self.claims.insert(*hash, Arc::clone(&claims));
        Ok(claims)
    }

    /// The claims' holder, if the claims are for us, now, and their grant is alive.
    pub(crate) async fn require_active_grant(
        &self,
        claims: &Claims,
        endpoints: &EndpointUrls,
        now: u64,
    ) -> Result<Authenticated, Rejection> {
        access_token::check(claims, &endpoints.issuer, endpoints.resources.all(), now).map_err(
            |error| {
                Rejection::InvalidToken(match error {
                    AccessTokenError::Issuer => "The token was issued by another server.",
                    AccessTokenError::Audience => "The token is for another resource.",
                    AccessTokenError::Expired => "The token has expired.",
                    AccessTokenError::NotYet => "The token is not valid yet.",
                })
            },
        )?;
        let opened = self
            .grants
            .find(&claims.grant, now)
            .await
            .map_err(|error| self.unavailable(&error))?
            .ok_or(Rejection::InvalidToken("The token's grant has ended."))?;
        let grant = &opened.grant;
        if grant.profile.subject != claims.sub || grant.client_id != claims.client_id {
            return Err(Rejection::InvalidToken("The token is not its grant's."));
        }
        let bounds = Bounds {
            existing: &self.context.config.scopes,
            registered: self.context.config.clients.scope_of(&grant.client_id),
            person: None,
            holder: Holder::Granted(&grant.scopes),
        };
        Ok(Authenticated {
            caller: Caller {
                client_id: Some(grant.client_id.clone()),
                scopes: scope::still(claims.scopes(), &bounds),
                profile: grant.profile.clone(),
                credential: None,
            },
            source: Source::Grant {
                id: claims.grant.clone(),
                opened: Arc::clone(&opened),
            },
            ends_at: claims.exp.min(grant.expires_at),
            trace: None,
        })
    }

    async fn verify_upstream(
        &self,
        authorization: &Authorization<'_>,
        hash: [u8; 32],
        endpoints: &EndpointUrls,
        now: u64,
    ) -> Result<Authenticated, Rejection> {
        match self.identity.verify(authorization.token).await {
            // The subjects of clients' own grants are no person's.
            Ok(presented) if is_client_subject(&presented.profile.subject) => Err(
                Rejection::InvalidToken("The token's subject is a client's."),
            ),
            Ok(presented) if presented.expires_at > now => {
                let authenticated = self.presented(&presented, authorization.value, endpoints);
                let until = presented.expires_at.min(now + REMEMBERED);
                let remembered = Arc::new(CachedVerification { presented, until });
                self.presented.insert(hash, remembered);
                authenticated
            }
            Ok(_) => Err(Rejection::InvalidToken("The token has expired.")),
            Err(IdentityError::Refused(_)) => Err(self.not_taken()),
            Err(IdentityError::Misconfigured(problem)) => {
                self.context.environment.log(&format!("mcp: {problem}"));
                Err(Rejection::IdentityMisconfigured(problem))
            }
            Err(IdentityError::Unavailable(reason)) => Err(self.unavailable(&reason)),
        }
    }

    /// The holder of a token of the provider's, if such a token is taken here.
    fn presented(
        &self,
        presented: &Presented,
        authorization: &str,
        endpoints: &EndpointUrls,
    ) -> Result<Authenticated, Rejection> {
        let rules = presented_token::Rules {
            authorization_server: &self.context.config.authorization_server,
            presented: &self.context.config.presented,
            policy: &self.context.config.policy,
            existing: &self.context.config.scopes,
            resources: &endpoints.resources,
        };
        let scopes = presented_token::scopes(presented, &rules).map_err(|reason| match reason {
            NotTaken::Token => self.not_taken(),
            NotTaken::Person(refusal) => Rejection::Person(refusal),
        })?;
        Ok(Authenticated {
            caller: Caller {
                client_id: None,
                scopes,
                profile: presented.profile.clone(),
                credential: None,
            },
            source: Source::Presented(authorization.to_owned()),
            ends_at: presented.expires_at,
            trace: None,
        })
    }

    /// A token that the provider did not issue, or not for this server.
    fn not_taken(&self) -> Rejection {
        Rejection::InvalidToken(match self.context.config.authorization_server {
            AuthorizationServer::BuiltIn => {
                "The token is neither this server's nor one that its identity provider issued for it."
            }
            AuthorizationServer::External(_) => {
                "The token is not one that this server's authorization server issued for it."
            }
        })
    }

    /// Notes down why something that a request depends on did not answer.
    pub(crate) fn unavailable(&self, error: &impl std::fmt::Display) -> Rejection {
        self.context.environment.log(&format!("mcp: {error}"));
        Rejection::Unavailable
    }
}

/// Whether a token that is none of ours could be one of the provider's: it is of another kind than
/// ours, or of the same kind and does not say that it was issued by us, at `issuer`.
fn may_be_the_providers(error: &VerifyError, token: &str, issuer: &str) -> bool {
    match error {
        VerifyError::WrongType => true,
        VerifyError::WrongKey => jwt::Unverified::parse(token)
            .is_ok_and(|token| token.claims().get("iss").is_none_or(|iss| iss != issuer)),
        VerifyError::Malformed => false,
    }
}

/// A token that is none of ours.
pub(crate) fn not_ours(error: &VerifyError) -> Rejection {
    Rejection::InvalidToken(match error {
        VerifyError::Malformed => "The token is malformed.",
        VerifyError::WrongType => "The token is not an access token of this server.",
        VerifyError::WrongKey => "The token was not signed by this server.",
    })
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// By whoever has it (RFC 6750).
    Bearer,
    /// With a proof of the key that it is bound to (RFC 9449 section 7.1).
    Dpop,
}

impl Scheme {
    /// The scheme that a request uses, or means to; `Bearer` if it uses none of ours.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| Self::parse(value.split(' ').next()?))
            .unwrap_or(Self::Bearer)
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str()))
    }

    /// As challenges spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// An Authorization header with a token.
struct Authorization<'h> {
    scheme: Scheme,
    value: &'h str,
    token: &'h str,
}

/// The token of a request; `None` if it has none, or credentials of another scheme.
fn authorization(headers: &HeaderMap) -> Result<Option<Authorization<'_>>, Rejection> {
    const MALFORMED: Rejection = Rejection::InvalidToken("The Authorization header is malformed.");
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(MALFORMED);
    }
    let value = value.to_str().map_err(|_| MALFORMED)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let Some(scheme) = Scheme::parse(scheme) else {
        return Ok(None);
    };
    let token = token.trim();
    let is_token = (1..=LONGEST_TOKEN).contains(&token.len())
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        });
    if is_token {
        Ok(Some(Authorization {
            scheme,
            value,
            token,
        }))
    } else {
        Err(MALFORMED)
    }
}

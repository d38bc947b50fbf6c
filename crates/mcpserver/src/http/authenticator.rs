//! Authentication of MCP requests by access tokens (RFC 6750, RFC 9449).
//!
//! A token is in the Authorization header and nowhere else (RFC 6750 section 2.1; OAuth 2.1 forbids the
//! query). If this server is the authorization server, the token is one of its own, whose grant must be
//! active, or one of the identity provider's that the person pasted into a client, as far as
//! `presented_tokens` allows. If the identity provider is the authorization server, the token is the
//! provider's.

use crate::context::Context;
use crate::http::authenticated::{Authenticated, Source};
use crate::http::authorization::{Authorization, authorization, token_hash};
use crate::http::dpop::DpopProofs;
use crate::http::endpoints::EndpointUrls;
use crate::http::events::Actor;
use crate::http::grant_watch::GrantWatch;
use crate::http::presented_token::{self, TokenRejection};
use crate::http::rejection::Rejection;
use crate::http::scheme::Scheme;
use crate::{Caller, Environment, Parts};
use cache::Cache;
use config::{AuthorizationServer, PresentedTokens};
use events::{Event, TraceContext};
use grants::is_client_subject;
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue};
use identity::{Presented, TokenVerifier};
use keys::VerifyError;
use oauth::access_token::{self, AccessTokenError, Claims};
use oauth::scope::{self, Bounds, Holder};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Seconds for which a verification by the identity provider is cached.
const VERIFICATION_TTL: u64 = 60;

/// Tokens kept in memory per generation of a cache.
const MAX_TOKENS: usize = 512;

/// The identity provider's verification of a token.
struct CachedVerification {
    presented: Presented,
    /// Seconds since the Unix epoch.
    until: u64,
}

impl CachedVerification {
    fn subject(&self) -> &str {
        &self.presented.profile.subject
    }
}

/// Authentication of requests by their access tokens.
pub(crate) struct Authenticator<P: Parts> {
    context: Arc<Context<P>>,
    identity: Arc<P::Identity>,
    grants: Arc<GrantWatch<P>>,
    proofs: DpopProofs<P>,
    /// The claims of our tokens with a valid signature, by the SHA-256 of the token.
    claims: Cache<[u8; 32], Arc<Claims>>,
    /// The verifications of the identity provider's tokens, likewise.
    verifications: Cache<[u8; 32], Arc<CachedVerification>>,
}

impl<P: Parts> Authenticator<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        identity: Arc<P::Identity>,
        grants: Arc<GrantWatch<P>>,
    ) -> Self {
        Self {
            proofs: DpopProofs::new(Arc::clone(&context)),
            context,
            identity,
            grants,
            claims: Cache::new(MAX_TOKENS),
            verifications: Cache::new(MAX_TOKENS),
        }
    }

    /// Returns the nonce for the next proof of possession, if proofs have to have one.
    pub(crate) fn nonce(&self) -> Option<HeaderValue> {
        self.proofs.nonce(self.context.environment.now())
    }

    /// Writes the event of a rejected request.
    pub(crate) fn record_rejection(&self, head: &Head, rejection: &Rejection) {
        let Some((error, reason)) = rejection.description() else {
            return;
        };
        let event = Event::Refusal {
            endpoint: head.uri.path(),
            error,
            reason: &reason,
        };
        self.context.record(&self.sender(&head.headers), &event);
    }

    /// Returns the sender of a request from its token, if the verification of the token is cached: a rejected
    /// request costs no verification.
    fn sender(&self, headers: &HeaderMap) -> Actor {
        let unknown = Actor {
            trace: TraceContext::of(headers),
            ..Actor::default()
        };
        let Some(hash) = token_hash(headers) else {
            return unknown;
        };
        if let Some(claims) = self.claims.get(&hash) {
            return Actor {
                client_id: Some(claims.client_id.clone()),
                subject: Some(claims.sub.clone()),
                grant_id: Some(claims.grant.clone()),
                ..unknown
            };
        }
        let presented = self.verifications.get(&hash);
        Actor {
            subject: presented.map(|presented| presented.subject().to_owned()),
            ..unknown
        }
    }

    pub(crate) async fn authenticate(
        &self,
        head: &Head,
        endpoints: &EndpointUrls,
    ) -> Result<Authenticated, Rejection> {
        let authorization = authorization(&head.headers)?.ok_or(Rejection::NoToken)?;
        let hash = Sha256::digest(authorization.token).into();
        let now = self.context.environment.now();
        let authenticated = match authorization.scheme {
            Scheme::Bearer => self.bearer(&authorization, hash, endpoints, now).await,
            Scheme::Dpop => {
                self.bound(head, &authorization, &hash, endpoints, now)
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
        if let Some(cached) = self.verifications.get(&hash)
            && cached.until > now
        {
            return self.presented(&cached.presented, authorization.value, endpoints);
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

    /// Returns the holder of a bound token, whose hash is `hash`, if the request proves its key.
    async fn bound(
        &self,
        head: &Head,
        authorization: &Authorization<'_>,
        hash: &[u8; 32],
        endpoints: &EndpointUrls,
        now: u64,
    ) -> Result<Authenticated, Rejection> {
        const UNBOUND: Rejection = Rejection::InvalidToken(
            "The token is not bound to a key: present it with the Bearer scheme.",
        );
        let token = authorization.token;
        let is_external = self
            .context
            .config
            .authorization_server
            .external()
            .is_some();
        if is_external {
            return Err(UNBOUND);
        }
        let claims = self
            .claims_of(token, hash)
            .map_err(|error| not_ours(&error))?;
        let bound_to = claims.cnf.as_ref().ok_or(UNBOUND)?;
        let proof = self
            .proofs
            .verify(head, token, &bound_to.jkt, endpoints, now)?;
        let authenticated = self.require_active_grant(&claims, endpoints, now).await?;
        self.proofs.consume(&proof, now).await?;
        Ok(authenticated)
    }

    /// Returns the claims of a token of ours, whose hash is `hash`. Its signature is verified once.
    fn claims_of(&self, token: &str, hash: &[u8; 32]) -> Result<Arc<Claims>, VerifyError> {
        if let Some(claims) = self.claims.get(hash) {
            return Ok(claims);
        }
        let claims: Arc<Claims> =
            Arc::new(self.context.config.keys.verify(access_token::TYP, token)?);
        self.claims.insert(*hash, Arc::clone(&claims));
        Ok(claims)
    }

    /// Returns the holder of a token, if its claims are for this server and now, and its grant is active.
    async fn require_active_grant(
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
            .find_of_token(&claims.grant, claims.iat, now)
            .await
            .map_err(|error| Rejection::unavailable(&error))?
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
            // These subjects are those of clients' own grants.
            Ok(presented) if is_client_subject(&presented.profile.subject) => Err(
                Rejection::InvalidToken("The token's subject is a client's."),
            ),
            Ok(presented) if presented.expires_at > now => {
                let authenticated = self.presented(&presented, authorization.value, endpoints);
                let until = presented.expires_at.min(now + VERIFICATION_TTL);
                let cached = Arc::new(CachedVerification { presented, until });
                self.verifications.insert(hash, cached);
                authenticated
            }
            Ok(_) => Err(Rejection::InvalidToken("The token has expired.")),
            Err(identity::Error::Refused(_)) => Err(self.foreign_token()),
            Err(identity::Error::Misconfigured(problem)) => {
                log_line::write(format_args!("mcp: {problem}"));
                Err(Rejection::IdentityMisconfigured(problem))
            }
            Err(identity::Error::Unavailable(reason)) => Err(Rejection::unavailable(&reason)),
        }
    }

    /// Returns the holder of a token of the identity provider, if the configuration accepts it.
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
            TokenRejection::Token => self.foreign_token(),
            TokenRejection::Person(refusal) => Rejection::Person(refusal),
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

    /// Returns the rejection of a token that the provider did not issue, or not for this server.
    fn foreign_token(&self) -> Rejection {
        Rejection::InvalidToken(match self.context.config.authorization_server {
            AuthorizationServer::BuiltIn => {
                "The token is neither this server's nor one that its identity provider issued for it."
            }
            AuthorizationServer::External(_) => {
                "The token is not one that this server's authorization server issued for it."
            }
        })
    }
}

/// Returns whether a token of another issuer could be one of the provider's: it is of another kind than
/// ours, or of the same kind and does not say that it was issued by us, at `issuer`.
fn may_be_the_providers(error: &VerifyError, token: &str, issuer: &str) -> bool {
    match error {
        VerifyError::WrongType => true,
        VerifyError::WrongKey => jwt::Unverified::parse(token)
            .is_ok_and(|token| token.claims().get("iss").is_none_or(|iss| iss != issuer)),
        VerifyError::Malformed => false,
    }
}

/// Returns the rejection of a token that this server did not issue.
fn not_ours(error: &VerifyError) -> Rejection {
    Rejection::InvalidToken(match error {
        VerifyError::Malformed => "The token is malformed.",
        VerifyError::WrongType => "The token is not an access token of this server.",
        VerifyError::WrongKey => "The token was not signed by this server.",
    })
}

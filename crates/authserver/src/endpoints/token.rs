//! `/token`: the token endpoint (RFC 6749 section 3.2).

use crate::client_authentication::{self, AuthenticationError};
use crate::context::Context;
use crate::responses;
use dpop::Proof;
use events::{EndedBy, Event, PresentedCredential};
use grants::{
    Environment, Grant, GrantEnd, Need, PresentedRefreshToken, Reevaluation, ReuseTerms,
    UpstreamRefreshError,
};
use http::StatusCode;
use identity::TokenRefresher;
use oauth::access_token::{self, Issue};
use oauth::client::{Client, GrantType};
use oauth::token::{self, CodeTerms, Narrowed, TokenRequest, TokenRequestError, TokenResponse};
use oauth::{Error, ErrorCode, Parameters, secret};
use rand::CryptoRng;
use std::time::Duration;
use store::{KeyValue, MAX_LAG_WAIT, poll_intervals};
use web::{Request, Response};

#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error(transparent)]
    Client(#[from] AuthenticationError),
    #[error(transparent)]
    Request(#[from] TokenRequestError),
    #[error("the {what} {1}", what = name_of(*.0))]
    Grant(PresentedCredential, grants::Error),
    #[error("the grant has ended, because {0}")]
    Ended(GrantEnd),
    #[error(transparent)]
    UpstreamRefresh(#[from] UpstreamRefreshError),
    #[error(transparent)]
    Proof(#[from] dpop::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the access token could not be signed")]
    Sign,
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Client(error) => error.into(),
            TokenError::Request(error) => error.into(),
            TokenError::Grant(_, grants::Error::Store(error))
            | TokenError::UpstreamRefresh(UpstreamRefreshError::Store(error))
            | TokenError::Store(error) => responses::store_failed(&error),
            TokenError::Ended(_) => Self::new(ErrorCode::InvalidGrant, error.to_string()),
            TokenError::UpstreamRefresh(error) => {
                log_line::write(&error);
                Self::new(
                    ErrorCode::TemporarilyUnavailable,
                    "the identity provider cannot be asked about the person now; try again later with the same refresh token",
                )
            }
            TokenError::Proof(dpop::Error::Nonce) => {
                Self::new(ErrorCode::UseDpopNonce, error.to_string())
            }
            TokenError::Proof(_) => Self::new(ErrorCode::InvalidDpopProof, error.to_string()),
            TokenError::Grant(credential, error) => {
                let what = name_of(credential);
                let text = match error {
                    grants::Error::Reused => {
                        format!(
                            "the {what} was used before, so everything issued with it was revoked"
                        )
                    }
                    grants::Error::Repeated | grants::Error::Replaced => {
                        format!("the {what} was refused: {error}")
                    }
                    _ => format!("the {what} is unknown, has expired, or was revoked"),
                };
                Self::new(ErrorCode::InvalidGrant, text)
            }
            TokenError::Sign => Self::new(ErrorCode::ServerError, error.to_string()),
        }
    }
}

fn name_of(credential: PresentedCredential) -> &'static str {
    match credential {
        PresentedCredential::Code => "code",
        PresentedCredential::RefreshToken => "refresh token",
    }
}

/// Answers any request to `/token`. `upstream` refreshes what the identity provider gave; `sleep`
/// waits.
pub async fn handle<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    upstream: &impl TokenRefresher,
    sleep: impl Fn(Duration) -> S + Sync,
    request: &Request,
) -> Response {
    let mut response = match issue(context, random, upstream, sleep, request).await {
        Ok(tokens) => web::json(StatusCode::OK, &tokens),
        Err(error) => {
            record_cause(context, &error);
            context.refuse("/token", &error.into())
        }
    };
    if request.headers().contains_key(dpop::PROOF)
        && let Some(nonce) = context.proof_verifier().nonce(context.now)
    {
        response.headers_mut().insert(dpop::NONCE, nonce);
    }
    response
}

/// Writes the event of a reuse or of the end of a grant, if `error` is due to one.
fn record_cause<K>(context: &Context<'_, K>, error: &TokenError) {
    use grants::Error::{Repeated, Replaced, Reused};
    context.events.record(&match error {
        TokenError::Grant(credential, error @ (Reused | Repeated | Replaced)) => Event::Reuse {
            credential: *credential,
            grant_ended: matches!(error, Reused),
        },
        TokenError::Ended(end) => Event::Revocation {
            by: EndedBy::from(*end),
            grants: 1,
        },
        _ => return,
    });
}

/// What is issued, and for which grant.
struct Outcome {
    grant_id: String,
    grant: Grant,
    refresh_token: Option<String>,
    narrowed: Narrowed,
    /// The thumbprint of the key that was proved.
    key: Option<String>,
    /// How the client asked.
    grant_type: GrantType,
}

async fn issue<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    upstream: &impl TokenRefresher,
    sleep: impl Fn(Duration) -> S + Sync,
    request: &Request,
) -> Result<TokenResponse, TokenError> {
    wait_for_grant(context, request, &sleep).await?;
    let (client, form) = client_authentication::authenticate(context, request).await?;
    let proof = proof(context, request)?;
    let key = proof.as_ref().map(|proof| proof.thumbprint().to_owned());
    // Everything is checked before the code or refresh token is used up, and before a proof is
    // noted down: only who holds one of them gets that far.
    let request = token::read(&form, &client)?;
    // RFC 9449 section 5.2: its tokens are bound, or there are none.
    if client.requires_dpop() && proof.is_none() {
        return Err(dpop::Error::Missing.into());
    }
    let outcome = match request {
        TokenRequest::AuthorizationCode(request) => {
            let failed = |error| TokenError::Grant(PresentedCredential::Code, error);
            if let Some(id) = context.grants().grant_of_code(request.code) {
                context.events.grant(&id);
            }
            let code = context.grants().code(request.code, context.now).await;
            let code = code.map_err(failed)?;
            context.events.subject(&code.grant.profile.subject);
            let terms = CodeTerms {
                client_id: &code.grant.client_id,
                redirect_uri: code.binding.redirect_uri.as_deref(),
                challenge: &code.binding.challenge,
            };
            request.check(&client, terms)?;
            token::check_key(code.binding.dpop_jkt.as_deref(), key.as_deref())?;
            let narrowed = narrow(context, &form, &client, &code.grant, None)?;
            // A change of the registration may have overwritten the mark of the sign-in.
            mark_used(context, &client, &code.grant).await?;
            claim(context, proof.as_ref()).await?;
            // Others are bound to their client by its own credentials (RFC 9449 section 5).
            let refresh_key = key.clone().filter(|_| !client.is_confidential());
            let redeemed = context
                .grants()
                .redeem(code, refresh_key, context.now)
                .await;
            let redeemed = redeemed.map_err(failed)?;
            Outcome {
                grant_id: redeemed.grant_id,
                grant: redeemed.grant,
                refresh_token: Some(redeemed.refresh_token),
                narrowed,
                key,
                grant_type: GrantType::AuthorizationCode,
            }
        }
        TokenRequest::RefreshToken(token) => {
            let failed = |error| TokenError::Grant(PresentedCredential::RefreshToken, error);
            if let Some(id) = context.grants().grant_of_refresh_token(token) {
                context.events.grant(&id);
            }
            let token = context.grants().refresh_token(token, context.now).await;
            let token = token.map_err(failed)?;
            context.events.subject(&token.grant.profile.subject);
            token::check_client(&token.grant.client_id, &client)?;
            token::check_key(token.key(), key.as_deref())?;
            let mut narrowed = narrow(context, &form, &client, &token.grant, None)?;
            if let Some(scopes) = person_scopes(context, random, upstream, sleep, &token).await? {
                narrowed = narrow(context, &form, &client, &token.grant, Some(&scopes))?;
            }
            claim(context, proof.as_ref()).await?;
            let grant = token.grant.clone();
            let terms = ReuseTerms {
                grace: context.config.refresh_grace,
                is_proven: client.is_confidential() || token.key().is_some(),
            };
            let refreshed = context.grants().refresh(token, terms, context.now).await;
            let refreshed = refreshed.map_err(failed)?;
            mark_used(context, &client, &grant).await?;
            Outcome {
                grant_id: refreshed.grant_id,
                grant: refreshed.grant,
                refresh_token: Some(refreshed.refresh_token),
                narrowed,
                key,
                grant_type: GrantType::RefreshToken,
            }
        }
        TokenRequest::ClientCredentials => {
            // Its grant alone would let anybody in who can register.
            if !context.is_configured(&client) || !client.is_confidential() {
                let grant_type = GrantType::ClientCredentials.as_str();
                return Err(TokenRequestError::ClientGrant(grant_type).into());
            }
            let config = context.config;
            let narrowed = token::for_client(
                &form,
                &client,
                &config.scopes,
                &config.default_scopes,
                &context.resources(),
            )?;
            claim(context, proof.as_ref()).await?;
            let (grant_id, grant) = context
                .grants()
                .begin_for_client(
                    &client.client_id,
                    &narrowed.scopes,
                    &narrowed.resources,
                    context.now,
                    context.now + context.config.access_token_lifetime,
                    random,
                )
                .await?;
            Outcome {
                grant_id,
                grant,
                refresh_token: None,
                narrowed,
                key,
                grant_type: GrantType::ClientCredentials,
            }
        }
    };
    respond(context, random, &client, outcome)
}

/// Waits until the grant of a code can be seen, on a store of several regions: `/callback` may have written it
/// in another region a moment ago, and a code without its grant is refused.
async fn wait_for_grant<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    request: &Request,
    sleep: &(impl Fn(Duration) -> S + Sync),
) -> Result<(), TokenError> {
    if !context.store.has_several_regions() {
        return Ok(());
    }
    // What is wrong with the form is said where it is read.
    let Ok(form) = Parameters::from_form(request.headers(), request.body()) else {
        return Ok(());
    };
    let Some(code) = form.get("code") else {
        return Ok(());
    };
    for interval in poll_intervals(MAX_LAG_WAIT) {
        if !context.grants().is_grant_missing(code, context.now).await? {
            break;
        }
        sleep(interval).await;
    }
    Ok(())
}

/// Asks the policy about the person of a refresh token, whose upstream tokens are refreshed for that
/// where they have ended. Returns the grant's scopes that the person has now; `None` where there is no
/// policy, and for a token that will be refused anyway.
///
/// # Errors
///
/// [`TokenError::Ended`] if the person may no longer come in: the grant has ended then. Any other
/// error leaves everything as it was.
async fn person_scopes<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    upstream: &impl TokenRefresher,
    sleep: impl Fn(Duration) -> S + Sync,
    token: &PresentedRefreshToken,
) -> Result<Option<Vec<String>>, TokenError> {
    let config = context.config;
    if !config.policy.is_set() {
        return Ok(None);
    }
    let grants = context.grants();
    if !grants
        .is_current(token, config.refresh_grace, context.now)
        .await?
    {
        return Ok(None);
    }
    let here = RequestEnvironment {
        now: context.now,
        sleep,
    };
    let held = (token.grant_id(), &token.grant);
    let policy = &config.policy;
    let reevaluation = grants
        .reevaluate(held, policy, Need::Profile, upstream, &here, random)
        .await?;
    match reevaluation {
        Reevaluation::Allowed { scopes, .. } => Ok(Some(scopes)),
        Reevaluation::Ended(end) => Err(TokenError::Ended(end)),
    }
}

/// The time of this request.
struct RequestEnvironment<F> {
    now: u64,
    sleep: F,
}

impl<F: Fn(Duration) -> S + Sync, S: Future<Output = ()> + Send> Environment
    for RequestEnvironment<F>
{
    fn now(&self) -> u64 {
        self.now
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        (self.sleep)(duration)
    }
}

/// Returns the proof of possession that came with the request, if one came (RFC 9449 section 5).
fn proof<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Option<Proof>, dpop::Error> {
    let url = context.base.join("/token");
    let proved = dpop::Request {
        method: request.method().as_str(),
        url: &url,
        access_token: None,
    };
    context
        .proof_verifier()
        .check(request.headers(), proved, context.now)
}

/// Marks the client as used, so that it is kept for longer than its grant.
async fn mark_used<K: KeyValue>(
    context: &Context<'_, K>,
    client: &Client,
    grant: &Grant,
) -> Result<(), AuthenticationError> {
    let (clients, ends_at) = (context.clients(), grant.expires_at);
    let marked = clients
        .mark_resolved_used(client, ends_at, context.now)
        .await;
    Ok(marked?)
}

/// Refuses a proof that was shown before.
async fn claim<K: KeyValue>(
    context: &Context<'_, K>,
    proof: Option<&Proof>,
) -> Result<(), TokenError> {
    match proof {
        Some(proof) if !proof.claim(context.store).await? => Err(dpop::Error::Replayed.into()),
        _ => Ok(()),
    }
}

fn narrow<K: KeyValue>(
    context: &Context<'_, K>,
    form: &Parameters,
    client: &Client,
    grant: &Grant,
    person: Option<&[String]>,
) -> Result<Narrowed, TokenRequestError> {
    token::narrow(
        form,
        client,
        (&grant.scopes, person),
        &grant.resources,
        &context.config.scopes,
        &context.resources(),
    )
}

fn respond<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut impl CryptoRng,
    client: &Client,
    outcome: Outcome,
) -> Result<TokenResponse, TokenError> {
    let claims = access_token::issue(
        Issue {
            issuer: context.base.as_str(),
            subject: &outcome.grant.profile.subject,
            resources: outcome.narrowed.resources,
            client_id: &client.client_id,
            scopes: &outcome.narrowed.scopes,
            grant: &outcome.grant_id,
            grant_expires_at: outcome.grant.expires_at,
            lifetime: context.config.access_token_lifetime,
            id: secret::random::<16>(random),
            key: outcome.key,
        },
        context.now,
    );
    context
        .events
        .subject(&outcome.grant.profile.subject)
        .grant(&outcome.grant_id)
        .record(&match outcome.grant_type {
            GrantType::RefreshToken => Event::Refresh {
                scope: &claims.scope,
            },
            grant_type => Event::Token {
                grant_type: grant_type.as_str(),
                scope: &claims.scope,
            },
        });
    Ok(TokenResponse {
        access_token: context
            .config
            .keys
            .sign(access_token::TYP, &claims)
            .map_err(|_| TokenError::Sign)?,
        token_type: claims.token_type(),
        expires_in: claims.exp.saturating_sub(context.now),
        scope: claims.scope,
        refresh_token: outcome
            .refresh_token
            .filter(|_| client.may_use(GrantType::RefreshToken)),
    })
}

//! `/token`: codes and refresh tokens become access tokens (RFC 6749 section 3.2).

use crate::client_request::{self, ClientRequestError};
use crate::{Context, answers};
use grants::Grant;
use http::StatusCode;
use oauth::access_token::{self, Issue};
use oauth::client::{Client, GrantType};
use oauth::token::{self, CodeTerms, Narrowed, TokenRequest, TokenRequestError, TokenResponse};
use oauth::{Error, ErrorCode, secret};
use rand::CryptoRng;
use store::KeyValue;
use web::cors::Origin;
use web::{Parameters, Request, Response};

#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error(transparent)]
    Client(#[from] ClientRequestError),
    #[error(transparent)]
    Request(#[from] TokenRequestError),
    #[error("the {0} {1}")]
    Grant(&'static str, grants::Error),
    #[error("the access token could not be signed")]
    Sign,
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Client(error) => error.into(),
            TokenError::Request(error) => error.into(),
            TokenError::Grant(_, grants::Error::Store(error)) => answers::store_failed(&error),
            TokenError::Grant(what, grants::Error::Invalid) => Self::new(
                ErrorCode::InvalidGrant,
                format!("the {what} is unknown, has expired, or was revoked"),
            ),
            TokenError::Grant(what, grants::Error::Reused) => Self::new(
                ErrorCode::InvalidGrant,
                format!("the {what} was used before, so everything issued with it was revoked"),
            ),
            TokenError::Sign => Self::new(ErrorCode::ServerError, error.to_string()),
        }
    }
}

/// Answers any request to `/token`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Response {
    if let Some(response) = answers::other_than_post(request.method()) {
        return response;
    }
    let response = match issue(context, random, request).await {
        Ok(tokens) => web::json(StatusCode::OK, &tokens),
        Err(error) => answers::error(&error.into()),
    };
    answers::POST.allow(Origin::Any, response)
}

/// What is issued, and for which grant.
struct Outcome {
    grant_id: String,
    grant: Grant,
    refresh_token: String,
    narrowed: Narrowed,
}

async fn issue<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Result<TokenResponse, TokenError> {
    let (client, form) = client_request::read(context, request).await?;
    // Everything is checked before the code or refresh token is used up.
    let outcome = match token::read(&form, &client)? {
        TokenRequest::AuthorizationCode(request) => {
            let failed = |error| TokenError::Grant("code", error);
            let code = context.grants().code(request.code, context.now).await;
            let code = code.map_err(failed)?;
            let terms = CodeTerms {
                client_id: &code.grant.client_id,
                redirect_uri: code.binding.redirect_uri.as_deref(),
                challenge: &code.binding.challenge,
            };
            request.check(&client, terms)?;
            let narrowed = narrow(context, &form, &code.grant)?;
            let redeemed = context.grants().redeem(code, None, context.now).await;
            let redeemed = redeemed.map_err(failed)?;
            Outcome {
                grant_id: redeemed.grant_id,
                grant: redeemed.grant,
                refresh_token: redeemed.refresh_token,
                narrowed,
            }
        }
        TokenRequest::RefreshToken(token) => {
            let failed = |error| TokenError::Grant("refresh token", error);
            let token = context.grants().refresh_token(token, context.now).await;
            let token = token.map_err(failed)?;
            token::check_client(&token.grant.client_id, &client)?;
            let narrowed = narrow(context, &form, &token.grant)?;
            let refreshed = context.grants().refresh(token, context.now).await;
            let refreshed = refreshed.map_err(failed)?;
            Outcome {
                grant_id: refreshed.grant_id,
                grant: refreshed.grant,
                refresh_token: refreshed.refresh_token,
                narrowed,
            }
        }
    };
    respond(context, random, &client, outcome)
}

fn narrow<K: KeyValue>(
    context: &Context<'_, K>,
    form: &Parameters,
    grant: &Grant,
) -> Result<Narrowed, TokenRequestError> {
    token::narrow(
        form,
        &grant.scopes,
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
        },
        context.now,
    );
    Ok(TokenResponse {
        access_token: context
            .config
            .keys
            .sign(access_token::TYP, &claims)
            .map_err(|_| TokenError::Sign)?,
        token_type: "Bearer",
        expires_in: claims.exp.saturating_sub(context.now),
        scope: claims.scope,
        refresh_token: client
            .may_use(GrantType::RefreshToken)
            .then_some(outcome.refresh_token),
    })
}

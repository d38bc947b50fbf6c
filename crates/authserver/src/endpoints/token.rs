//! `/token`: codes and refresh tokens become access tokens (RFC 6749 section 3.2).

use crate::client_request::{self, ClientRequestError};
use crate::{Context, answers};
use grants::Grant;
use http::StatusCode;
use oauth::access_token::{self, Issue};
use oauth::client::{Client, GrantType};
use oauth::token::{self, Granted, Narrowed, TokenRequest, TokenRequestError, TokenResponse};
use oauth::{Error, ErrorCode, secret};
use rand::CryptoRng;
use store::KeyValue;
use web::cors::Origin;
use web::{Request, Response};

#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error(transparent)]
    Client(#[from] ClientRequestError),
    #[error(transparent)]
    Request(#[from] TokenRequestError),
    #[error("the {0} {1}")]
    Grant(&'static str, grants::Error<TokenRequestError>),
    #[error("the access token could not be signed")]
    Sign,
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Client(error) => error.into(),
            TokenError::Request(error) => error.into(),
            TokenError::Grant(_, grants::Error::Refused(error)) => error.into(),
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
    let request = token::read(&form, &client)?;
    let mut narrowed = None;
    // Everything is checked before the code or refresh token is used up.
    let check = |grant: &Grant| {
        let granted = granted(grant);
        request.check(&client.client_id, granted)?;
        narrowed = Some(token::narrow(
            &form,
            granted,
            &context.config.scopes,
            &context.resources(),
        )?);
        Ok(())
    };
    let grants = context.grants();
    let (grant_id, grant, refresh_token) = match request {
        TokenRequest::AuthorizationCode { code, .. } => grants
            .redeem(code, context.now, check)
            .await
            .map(|redeemed| (redeemed.grant_id, redeemed.grant, redeemed.refresh_token))
            .map_err(|error| TokenError::Grant("code", error))?,
        TokenRequest::RefreshToken { refresh_token } => grants
            .refresh(refresh_token, context.now, check)
            .await
            .map(|refreshed| (refreshed.grant_id, refreshed.grant, refreshed.refresh_token))
            .map_err(|error| TokenError::Grant("refresh token", error))?,
    };
    let outcome = Outcome {
        // The check has run whenever there is a grant.
        narrowed: narrowed.ok_or(TokenError::Sign)?,
        grant_id,
        grant,
        refresh_token,
    };
    respond(context, random, &client, outcome)
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

fn granted(grant: &Grant) -> Granted<'_> {
    Granted {
        client_id: &grant.client_id,
        scopes: &grant.scopes,
        resources: &grant.resources,
        redirect_uri: grant.code.redirect_uri.as_deref(),
        challenge: &grant.code.challenge,
    }
}

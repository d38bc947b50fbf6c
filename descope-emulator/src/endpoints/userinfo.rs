//! `/oauth2/v1/apps/userinfo`, and `/openid/userinfo`: who the person is (OpenID Connect Core 1.0 section 5.3).
//!
//! Descope's does not answer for tokens of the agentic issuer; clients of that issuer read the ID token. The status
//! of that refusal is not documented; here it is a 401.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::app::{App, Shared};
use crate::config::TokenIssuer;
use crate::endpoints::respond::private_json;
use crate::error::DescopeError;
use crate::tokens;

/// Returns the claims that the token's scopes open.
pub(super) async fn handler(
    State(app): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, DescopeError> {
    let agentic = app.config.userinfo_for_agentic_tokens;
    let issuers = [TokenIssuer::InboundApp, TokenIssuer::Agentic];
    answer(&app, &headers, &issuers[..1 + usize::from(agentic)])
}

/// Returns the same for tokens of the issuer at `/openid`.
pub(super) async fn openid(
    State(app): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, DescopeError> {
    answer(&app, &headers, &[TokenIssuer::OpenId])
}

fn answer(
    app: &App,
    headers: &HeaderMap,
    issuers: &[TokenIssuer],
) -> Result<Response, DescopeError> {
    let token = bearer(headers).ok_or(DescopeError::AccessToken)?;
    let claims = claims(app, token, issuers)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let scopes: Vec<String> = text("scope").split(' ').map(ToOwned::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(DescopeError::InsufficientScope("openid"));
    }
    let state = app.state();
    let user = state
        .users
        .get(text("sub"))
        .ok_or(DescopeError::UserNotFound)?;
    Ok(private_json(&user.claims(&scopes)))
}

/// Returns the claims of a token of one of `issuers` that is in time and of a grant that is not revoked.
fn claims(
    app: &App,
    token: &str,
    issuers: &[TokenIssuer],
) -> Result<Map<String, Value>, DescopeError> {
    const REFUSED: DescopeError = DescopeError::AccessToken;
    let state = app.state();
    let claims = app.verify(&state, token).ok_or(REFUSED)?;
    let in_time = claims
        .get("exp")
        .and_then(Value::as_u64)
        .is_some_and(|ends| ends > app.now());
    let issuer = claims.get("iss").and_then(Value::as_str);
    let ours = issuers
        .iter()
        .any(|kind| issuer == Some(&app.issuer(*kind)));
    // An ID token has no scope and so is no access token.
    let granted = claims.contains_key("scope")
        && tokens::grant_id(&claims).is_none_or(|id| state.grants.contains_key(id));
    if in_time && ours && granted {
        Ok(claims)
    } else {
        Err(REFUSED)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

//! `/openid/...`: an OpenID Connect provider that is not Descope.
//!
//! It does what the specifications say and Descope does not: `iss` comes with every code (RFC 9207), secrets come by HTTP
//! Basic alone, errors are those of RFC 6749 section 5.2, and access tokens are JWTs of RFC 9068.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::json;

use crate::app::{App, Shared};
use crate::client;
use crate::config::TokenIssuer;
use crate::endpoints::respond::{private_json, public_json};
use crate::endpoints::token;
use crate::error::DescopeError;
use crate::params::Params;
use crate::tokens::TokenResponse;

/// `GET /openid/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 3).
pub(super) async fn configuration(State(app): State<Shared>) -> Response {
    let issuer = app.issuer(TokenIssuer::OpenId);
    public_json(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [app.config.openid_algorithm.as_str()],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": app.config.scopes,
    }))
}

/// `GET /openid/keys`: the public keys.
pub(super) async fn keys(State(app): State<Shared>) -> Response {
    public_json(&app.openid_jwks())
}

/// `POST /openid/token`.
pub(super) async fn token(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    match redeem(&app, &headers, &body) {
        Ok(tokens) => private_json(&tokens),
        Err(error) => refuse(&error),
    }
}

fn redeem(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<TokenResponse, DescopeError> {
    let params = Params::from_body(headers, body)?;
    let is_basic = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
    if !is_basic || params.get("client_secret").is_some() {
        return Err(DescopeError::Credentials);
    }
    let client_id = client::authenticate(app, headers, &params)?;
    token::redeem(app, &client_id, &params)
}

/// RFC 6749 section 5.2.
fn refuse(error: &DescopeError) -> Response {
    let code = match error {
        DescopeError::Malformed(_) | DescopeError::Missing(_) => "invalid_request",
        DescopeError::Credentials => "invalid_client",
        DescopeError::GrantType => "unsupported_grant_type",
        DescopeError::Scope => "invalid_scope",
        DescopeError::Storage => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => "invalid_grant",
    };
    let body = Json(json!({ "error": code, "error_description": error.to_string() }));
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if code == "invalid_client" {
        let challenge = HeaderValue::from_static("Basic");
        let headers = [no_store, (header::WWW_AUTHENTICATE, challenge)];
        return (StatusCode::UNAUTHORIZED, headers, body).into_response();
    }
    (StatusCode::BAD_REQUEST, [no_store], body).into_response()
}

//! `POST /oauth2/v1/apps/token`: a code or a refresh token for tokens (RFC 6749 sections 4.1.3 and 6).

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::app::{App, Shared};
use crate::client;
use crate::endpoints::respond::private_json;
use crate::error::DescopeError;
use crate::params::Params;
use crate::state::{Code, hash, random_token};
use crate::tokens::{self, TokenResponse};

/// Returns the endpoint that all of a project's apps share.
pub(super) async fn plain(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, DescopeError> {
    answer(&app, &headers, &body)
}

/// Returns the same with the project in the path.
pub(super) async fn of_project(
    State(app): State<Shared>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, DescopeError> {
    app.check_project(&project)?;
    answer(&app, &headers, &body)
}

/// Returns the endpoint of one MCP server.
pub(super) async fn agentic(
    State(app): State<Shared>,
    Path((project, server)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, DescopeError> {
    app.check_project(&project)?;
    app.check_mcp_server(&server)?;
    answer(&app, &headers, &body)
}

fn answer(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Response, DescopeError> {
    let params = Params::from_body(headers, body)?;
    params.require("grant_type")?;
    let client_id = client::authenticate(app, headers, &params)?;
    let tokens = redeem(app, &client_id, &params)?;
    Ok(private_json(&tokens))
}

/// Returns what the grant of `client_id` in `params` gives.
pub(super) fn redeem(
    app: &App,
    client_id: &str,
    params: &Params,
) -> Result<TokenResponse, DescopeError> {
    match params.require("grant_type")? {
        "authorization_code" => exchange(app, client_id, params),
        "refresh_token" => refresh(app, client_id, params),
        _ => Err(DescopeError::GrantType),
    }
}

/// A code is gone after the first try of the client it was made for, whatever comes of it.
fn exchange(app: &App, client_id: &str, params: &Params) -> Result<TokenResponse, DescopeError> {
    const BAD_CODE: DescopeError = DescopeError::Invalid("The authorization code is not valid");
    let key = hash(params.require("code")?);
    let now = app.now();
    let mut state = app.state();
    let code = state
        .codes
        .get(&key)
        .filter(|code| code.grant.client_id == client_id)
        .cloned()
        .ok_or(BAD_CODE)?;
    state.codes.remove(&key);
    state.save(now)?;
    if code.expires_at <= now {
        return Err(BAD_CODE);
    }
    // Descope's documents do not name this parameter; a caller that sends it must send the right one.
    if params
        .get("redirect_uri")
        .is_some_and(|uri| uri != code.redirect_uri)
    {
        return Err(DescopeError::Invalid("The redirect URL does not match"));
    }
    check_pkce(&code, params.get("code_verifier"))?;
    let Code { grant, nonce, .. } = code;
    let scopes = grant.scopes.clone();
    let grant_id = random_token();
    state.grants.insert(grant_id.clone(), grant);
    let tokens = tokens::issue(app, &mut state, &grant_id, &scopes, nonce.as_deref(), None)?;
    state.save(now)?;
    Ok(tokens)
}

fn refresh(app: &App, client_id: &str, params: &Params) -> Result<TokenResponse, DescopeError> {
    let presented = params.require("refresh_token")?;
    let key = hash(presented);
    let now = app.now();
    let mut state = app.state();
    let token = state
        .refresh_tokens
        .get(&key)
        .filter(|token| token.client_id == client_id && token.expires_at > now)
        .ok_or(DescopeError::RefreshToken)?;
    let grant_id = token.grant_id.clone();
    let grant = state
        .grants
        .get(&grant_id)
        .ok_or(DescopeError::ConsentNotFound)?;
    let scopes = match params.get("scope") {
        None => grant.scopes.clone(),
        Some(requested) => app
            .config
            .granted_scopes(requested)
            .filter(|scopes| scopes.iter().all(|scope| grant.scopes.contains(scope)))
            .ok_or(DescopeError::Scope)?,
    };
    let kept = if app.config.rotate_refresh_tokens {
        state.refresh_tokens.remove(&key);
        None
    } else {
        Some(presented.to_owned())
    };
    let tokens = tokens::issue(app, &mut state, &grant_id, &scopes, None, kept)?;
    state.save(now)?;
    Ok(tokens)
}

/// RFC 7636 section 4.6. A verifier without a challenge is refused too: someone took the challenge away.
fn check_pkce(code: &Code, verifier: Option<&str>) -> Result<(), DescopeError> {
    match (&code.code_challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(DescopeError::Missing("code_verifier")),
        (Some(challenge), Some(verifier)) => {
            let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            if computed.as_bytes().ct_eq(challenge.as_bytes()).into() {
                Ok(())
            } else {
                Err(DescopeError::Invalid("The code verifier does not match"))
            }
        }
        (None, Some(_)) => Err(DescopeError::Invalid("The code verifier does not match")),
    }
}

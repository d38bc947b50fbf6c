//! `POST /oauth2/v1/apps/revoke`: the end of a grant (RFC 7009).
//!
//! Either of a grant's tokens ends the grant: later refreshes find no consent, and userinfo no longer answers. Access
//! tokens stay verifiable by the JWKS until they expire, as Descope's do.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::json;

use crate::app::Shared;
use crate::client;
use crate::error::DescopeError;
use crate::params::Params;
use crate::state::hash;
use crate::tokens;

/// Answers 200 for an unknown token too (RFC 7009 section 2.2).
pub(super) async fn handler(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, DescopeError> {
    let params = Params::from_body(&headers, &body)?;
    let client_id = client::authenticate(&app, &headers, &params)?;
    let token = params.require("token")?;
    let mut state = app.state();
    let grant_id = match state.refresh_tokens.get(&hash(token)) {
        Some(refresh_token) => Some(refresh_token.grant_id.clone()),
        None => state
            .keys
            .verify(token)
            .as_ref()
            .and_then(tokens::grant_id)
            .map(ToOwned::to_owned),
    };
    if let Some(grant_id) = grant_id
        && state
            .grants
            .get(&grant_id)
            .is_some_and(|grant| grant.client_id == client_id)
    {
        state.grants.remove(&grant_id);
        state.save(app.now())?;
    }
    Ok(Json(json!({})).into_response())
}

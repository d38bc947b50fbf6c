//! `GET /{project id}/.well-known/jwks.json` and `GET /v2/keys/{project id}`: the project's public keys.

use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::Shared;
use crate::endpoints::respond::public_json;
use crate::error::DescopeError;

/// Returns the JWK Set (RFC 7517 section 5), the same at both addresses.
pub(super) async fn handler(
    State(app): State<Shared>,
    Path(project): Path<String>,
) -> Result<Response, DescopeError> {
    app.check_project(&project)?;
    let jwks = app.state().keys.to_jwks();
    Ok(public_json(&jwks))
}

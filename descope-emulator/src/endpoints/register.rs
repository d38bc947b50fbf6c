//! `POST /v1/mgmt/mcp/client/{project}/{server}/register`: a client registers itself with an MCP server of the project
//! (RFC 7591).
//!
//! Descope's documents name the address, in the discovery document of the MCP server alone. What it answers is assumed
//! to be what the RFC says.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::Shared;
use crate::error::DescopeError;
use crate::state::{RegisteredClient, hash, random_token};

/// The metadata that matters here; whatever else there is, is passed over (RFC 7591 section 2).
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

#[derive(Serialize)]
struct Registration {
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    client_id_issued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: String,
    grant_types: [&'static str; 2],
    response_types: [&'static str; 1],
}

/// Answers 201 with the client, or an error as RFC 7591 section 3.2.2 spells it.
pub(super) async fn handler(
    State(app): State<Shared>,
    Path((project, server)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, DescopeError> {
    app.check_project(&project)?;
    app.check_mcp_server(&server)?;
    let Ok(metadata) = serde_json::from_slice::<Metadata>(&body) else {
        return Ok(refuse(
            "invalid_client_metadata",
            "The body is no client metadata",
        ));
    };
    let redirects_are_good = !metadata.redirect_uris.is_empty()
        && metadata
            .redirect_uris
            .iter()
            .all(|uri| uri.starts_with("https://") || app.config.approves_redirect(uri));
    if !redirects_are_good {
        return Ok(refuse(
            "invalid_redirect_uri",
            "A redirect URI is https, or http on a loopback host",
        ));
    }
    let method = metadata
        .token_endpoint_auth_method
        .unwrap_or_else(|| "client_secret_basic".to_owned());
    let secret = match method.as_str() {
        "none" => None,
        "client_secret_basic" | "client_secret_post" => Some(random_token()),
        _ => {
            return Ok(refuse(
                "invalid_client_metadata",
                "token_endpoint_auth_method is none that there is",
            ));
        }
    };
    let client_id = format!("TPA{}", random_token());
    let now = app.now();
    let mut state = app.state();
    state.clients.insert(
        client_id.clone(),
        RegisteredClient {
            redirect_uris: metadata.redirect_uris.clone(),
            secret: secret.as_deref().map(hash),
        },
    );
    state.save(now)?;
    let registration = Registration {
        client_id,
        client_secret_expires_at: secret.as_ref().map(|_| 0),
        client_secret: secret,
        client_id_issued_at: now,
        client_name: metadata.client_name,
        redirect_uris: metadata.redirect_uris,
        token_endpoint_auth_method: method,
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
    };
    Ok((StatusCode::CREATED, Json(registration)).into_response())
}

fn refuse(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

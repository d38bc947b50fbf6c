//! The issuers' metadata (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
//!
//! Served below each issuer, where Descope serves them. The MCP server's alone names a registration endpoint, as
//! Descope's does.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::app::{App, Shared};
use crate::config::TokenIssuer;
use crate::endpoints::respond::public_json;
use crate::error::DescopeError;

/// Returns the issuer of a project's inbound apps.
pub(super) async fn inbound_app(
    State(app): State<Shared>,
    Path(project): Path<String>,
) -> Result<Response, DescopeError> {
    app.check_project(&project)?;
    Ok(public_json(&document(&app, TokenIssuer::InboundApp)))
}

/// Returns the issuer of one MCP server.
pub(super) async fn agentic(
    State(app): State<Shared>,
    Path((project, server)): Path<(String, String)>,
) -> Result<Response, DescopeError> {
    app.check_project(&project)?;
    app.check_mcp_server(&server)?;
    Ok(public_json(&document(&app, TokenIssuer::Agentic)))
}

fn document(app: &App, issuer: TokenIssuer) -> Value {
    let (base, config) = (&app.base_url, &app.config);
    let project = &config.project_id;
    let own = match issuer {
        TokenIssuer::Agentic => {
            let server = &config.mcp_server_id;
            format!("{base}/oauth2/v1/apps/agentic/{project}/{server}")
        }
        TokenIssuer::InboundApp | TokenIssuer::OpenId => format!("{base}/oauth2/v1/apps"),
    };
    let mut scopes = config.scopes.clone();
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let mut document = json!({
        "issuer": app.issuer(issuer),
        "jwks_uri": format!("{base}/{project}/.well-known/jwks.json"),
        "authorization_endpoint": format!("{own}/authorize"),
        "token_endpoint": format!("{own}/token"),
        "revocation_endpoint": format!("{base}/oauth2/v1/apps/revoke"),
        "userinfo_endpoint": format!("{base}/oauth2/v1/apps/userinfo"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "scopes_supported": scopes,
        "claims_supported": [
            "iss", "aud", "iat", "exp", "sub", "name", "given_name", "family_name", "picture",
            "email", "email_verified", "phone_number", "phone_number_verified",
        ],
    });
    if issuer == TokenIssuer::Agentic {
        let server = &config.mcp_server_id;
        document["registration_endpoint"] = json!(format!(
            "{base}/v1/mgmt/mcp/client/{project}/{server}/register"
        ));
        document["token_endpoint_auth_methods_supported"] =
            json!(["client_secret_post", "client_secret_basic", "none"]);
    }
    document
}

//! Errors, as Descope's API spells them.
//!
//! Known from Descope's documents, its SDKs and what its users show: the envelope
//! `{"errorCode", "errorDescription", "errorMessage", "message"}`; E011001, E011002 and E011003 with their
//! descriptions; E061005 "Invalid token"; E062108 for an unknown user; E063302 with status 404 for a refresh after the consent was revoked;
//! E063316 for an app that is not tied to an MCP server. Not known: the codes for a wrong secret, a spent code and a spent
//! refresh token. Those use E011003 and E061005 here, with the status that RFC 6749 section 5.2 and RFC 6750 section 3.1
//! give, so a caller that goes by the status behaves the same against either.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DescopeError {
    /// The body or the query cannot be read.
    #[error("{0}")]
    Malformed(&'static str),
    /// A parameter is missing.
    #[error("Missing required argument: {0}")]
    Missing(&'static str),
    /// A parameter has a value that cannot be served.
    #[error("{0}")]
    Invalid(&'static str),
    /// An unsupported grant type.
    #[error("Unsupported grant type")]
    GrantType,
    /// A scope that is not defined on the app.
    #[error("Received invalid scope")]
    Scope,
    /// The client is unknown, or its secret or key is wrong.
    #[error("Invalid client credentials")]
    Credentials,
    /// The bearer token is not one of ours, or not any more.
    #[error("Invalid access token")]
    AccessToken,
    /// The refresh token is not one of ours, or was used before.
    #[error("Invalid refresh token")]
    RefreshToken,
    /// The token lacks a scope.
    #[error("The access token lacks the scope {0}")]
    InsufficientScope(&'static str),
    /// The consent behind a refresh token is gone.
    #[error("Cannot find consent by id")]
    ConsentNotFound,
    /// The token's subject is unknown.
    #[error("User not found")]
    UserNotFound,
    /// The project or MCP server in the path is another one.
    #[error("Application is not associated with this MCP server")]
    WrongMcpServer,
    /// The project in the path is another one.
    #[error("Project not found")]
    ProjectNotFound,
    /// The state file cannot be written.
    #[error("The emulator cannot write its state file")]
    Storage,
}

impl DescopeError {
    /// Returns the status, Descope's code and its description.
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        const INVALID: &str = "Request is invalid";
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "E011001", "Request is malformed"),
            Self::Missing(_) => (
                StatusCode::BAD_REQUEST,
                "E011002",
                "Request is missing required arguments",
            ),
            Self::Invalid(_) | Self::GrantType | Self::Scope => {
                (StatusCode::BAD_REQUEST, "E011003", INVALID)
            }
            Self::Credentials => (StatusCode::UNAUTHORIZED, "E011003", INVALID),
            Self::AccessToken | Self::RefreshToken => {
                (StatusCode::UNAUTHORIZED, "E061005", "Invalid token")
            }
            Self::InsufficientScope(_) => (StatusCode::FORBIDDEN, "E011003", INVALID),
            Self::ConsentNotFound => (StatusCode::NOT_FOUND, "E063302", "Consent not found"),
            Self::UserNotFound => (StatusCode::BAD_REQUEST, "E062108", "User not found"),
            Self::WrongMcpServer => (StatusCode::BAD_REQUEST, "E063316", INVALID),
            Self::ProjectNotFound => (StatusCode::NOT_FOUND, "E011003", INVALID),
            Self::Storage => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "E010009",
                "Unknown server error",
            ),
        }
    }

    /// Returns the status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.parts().0
    }
}

impl IntoResponse for DescopeError {
    fn into_response(self) -> Response {
        let (status, code, description) = self.parts();
        let message = self.to_string();
        let body = json!({
            "errorCode": code,
            "errorDescription": description,
            "errorMessage": message,
            "message": message,
        });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // RFC 6750 section 3.
        let challenge = match self {
            Self::AccessToken => Some(r#"Bearer error="invalid_token""#),
            Self::InsufficientScope(_) => Some(r#"Bearer error="insufficient_scope""#),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response
    }
}

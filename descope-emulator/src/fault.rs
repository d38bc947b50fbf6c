//! Faults on purpose: what an endpoint answers instead of the truth, and for how many requests.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::app::Shared;

/// The emulator's endpoints, for counting requests and for faults. Those below `/openid` count as their like of
/// Descope's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /oauth2/v1/apps/authorize`.
    Authorize,
    /// The sign-in page's form.
    SignIn,
    /// `POST /oauth2/v1/apps/token`.
    Token,
    /// `POST /oauth2/v1/apps/revoke`.
    Revoke,
    /// `GET` and `POST /oauth2/v1/apps/userinfo`.
    UserInfo,
    /// `GET /{project id}/.well-known/jwks.json` and `GET /v2/keys/{project id}`.
    Jwks,
    /// The metadata documents.
    Discovery,
    /// `POST /v1/mgmt/mcp/client/{project id}/{mcp server id}/register`.
    Register,
}

impl Endpoint {
    /// How many there are.
    pub(crate) const COUNT: usize = 8;
}

/// What an endpoint does instead of its work.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answer with this status and an HTML body, as a proxy in front of Descope would.
    Status(u16),
    /// Answer 200 with a body that says it is JSON and is not.
    Garbage,
    /// Answer 200 with this JSON.
    Json(Value),
    /// Never answer: the request stays open until the caller gives up or the emulator stops.
    Hang,
    /// Answer truly, but only after this long.
    Delay(Duration),
    /// Do the work, then answer 502 as if the answer had been lost on the way.
    LoseAnswer,
}

/// A fault and how many requests it is still for.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) endpoint: Endpoint,
    pub(crate) fault: Fault,
    pub(crate) times: u32,
}

/// Counts the request and lets the endpoint work, or not.
pub(crate) async fn interfere(
    State((app, endpoint)): State<(Shared, Endpoint)>,
    request: Request,
    next: Next,
) -> Response {
    app.count(endpoint);
    match app.take_fault(endpoint) {
        None => next.run(request).await,
        Some(Fault::Status(status)) => proxy_error(status),
        Some(Fault::Garbage) => json_response("<html>this is not JSON".to_owned()),
        Some(Fault::Json(value)) => json_response(value.to_string()),
        Some(Fault::Hang) => {
            app.stopped().await;
            proxy_error(503)
        }
        Some(Fault::Delay(duration)) => {
            tokio::select! {
                () = tokio::time::sleep(duration) => next.run(request).await,
                () = app.stopped() => proxy_error(503),
            }
        }
        Some(Fault::LoseAnswer) => {
            next.run(request).await;
            proxy_error(502)
        }
    }
}

fn proxy_error(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let html = HeaderValue::from_static("text/html");
    let body = "<html><body>The service is unavailable.</body></html>";
    (status, [(header::CONTENT_TYPE, html)], body).into_response()
}

fn json_response(body: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], Body::from(body)).into_response()
}

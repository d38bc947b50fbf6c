//! The layer that counts requests and makes an endpoint fail as a test has planned.

use crate::app::Shared;
use crate::fault::{Endpoint, Fault};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Counts the request and lets the endpoint work, or not.
pub(super) async fn interfere(
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

//! JSON responses, and the choice between JSON and a page.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// JSON that no cache may keep (RFC 6749 section 5.1).
pub(super) fn private_json(value: &impl Serialize) -> Response {
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, Json(value)).into_response()
}

/// JSON for everyone, scripts of other origins included.
pub(super) fn public_json(value: &impl Serialize) -> Response {
    let headers = [(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    )];
    (headers, Json(value)).into_response()
}

/// Whether the caller is a browser that shows a page.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"))
}

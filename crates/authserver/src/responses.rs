//! JSON answers and redirects with an error: the one place where errors become HTTP.

use crate::pages;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use oauth::authorization_request::Target;
use oauth::{Error, ErrorCode, redirect_uri};
use web::cors::Cors;
use web::{Response, see_other, with_header};

/// For what anybody may read.
pub(crate) const READ: Cors = Cors {
    methods: "GET, HEAD, OPTIONS",
    headers: "authorization, content-type, mcp-protocol-version",
    exposed: "",
};

/// Returns the JSON answer with an error (RFC 6749 section 5.2).
pub(crate) fn error(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let response = web::json(status, error);
    match status {
        StatusCode::UNAUTHORIZED => with_header(
            response,
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"Gatehouse\""),
        ),
        StatusCode::SERVICE_UNAVAILABLE => web::unavailable(response),
        _ => response,
    }
}

/// Returns 401 for what a bearer token opens (RFC 6750 section 3). One that was not shown is asked for; one
/// that was shown is wrong.
pub(crate) fn bearer_refused(shown: bool) -> Response {
    let (challenge, text) = if shown {
        (
            "Bearer realm=\"Gatehouse\", error=\"invalid_token\"",
            "the bearer token is not the one that opens this",
        )
    } else {
        (
            "Bearer realm=\"Gatehouse\"",
            "this is opened by a bearer token in the Authorization header",
        )
    };
    let error = Error::new(ErrorCode::InvalidToken, text);
    let response = web::json(StatusCode::UNAUTHORIZED, &error);
    with_header(
        response,
        WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}

/// 429, to be tried again after `seconds`.
pub(crate) fn too_many(seconds: u64) -> Response {
    let error = Error::new(
        ErrorCode::TemporarilyUnavailable,
        "too many registrations for now; try again later",
    );
    let response = web::json(StatusCode::TOO_MANY_REQUESTS, &error);
    with_header(response, RETRY_AFTER, HeaderValue::from(seconds))
}

/// Sends the browser back to the client with an error (RFC 6749 section 4.1.2.1, RFC 9207).
pub(crate) fn error_redirect(target: &Target, issuer: &str, error: &Error) -> Response {
    see_other(&error_url(target, issuer, error))
}

/// Returns where the browser goes back to with an error.
pub(crate) fn error_url(target: &Target, issuer: &str, error: &Error) -> String {
    response_url(
        target,
        issuer,
        &[
            ("error", error.code.as_str()),
            ("error_description", &error.description),
        ],
    )
}

/// Sends the browser back to the client with a code (RFC 6749 section 4.1.2, RFC 9207).
pub(crate) fn code_redirect(target: &Target, issuer: &str, code: &str) -> Response {
    see_other(&response_url(target, issuer, &[("code", code)]))
}

fn response_url(target: &Target, issuer: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters
        .iter()
        .copied()
        .chain(target.state.as_deref().map(|state| ("state", state)))
        .chain([("iss", issuer)]);
    redirect_uri::with_parameters(&target.redirect_uri, parameters)
}

/// Returns what clients are told of a store that failed; the operator's log has the rest. A store that does not
/// answer is 503 in a JSON answer, and `temporarily_unavailable` in a redirect, which exists because a
/// redirect has no 503 (RFC 6749 section 4.1.2.1).
pub(crate) fn store_failed(error: &store::Error) -> Error {
    log_line::write(error);
    match error {
        store::Error::Unavailable(_) => Error::new(
            ErrorCode::TemporarilyUnavailable,
            "the key-value store does not answer; try again later",
        ),
        store::Error::Unreadable(_) => Error::new(
            ErrorCode::ServerError,
            "the key-value store failed; try again later",
        ),
    }
}

/// Returns the same, as a page.
pub(crate) fn store_failed_page(error: &store::Error) -> Response {
    let said = store_failed(error);
    let page = pages::server_error(&format!("What happened: {}.", said.description));
    match error {
        store::Error::Unavailable(_) => web::unavailable(page),
        store::Error::Unreadable(_) => page,
    }
}

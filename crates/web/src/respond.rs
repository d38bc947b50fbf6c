//! Plain responses.

use crate::Response;
use crate::headers::{ContentSecurityPolicy, secure};
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, IntoHeaderName, LOCATION,
    RETRY_AFTER,
};
use http::{Method, StatusCode};
use http_body_util::Full;
use serde::Serialize;

/// Returns a JSON response. It is not cached unless the caller puts another `Cache-Control`.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => respond(status, "application/json", body.into()),
        Err(_) => respond(
            StatusCode::INTERNAL_SERVER_ERROR,
            "application/json",
            Bytes::from_static(br#"{"error":"server_error"}"#),
        ),
    }
}

/// Returns a plain-text response.
pub fn text(status: StatusCode, text: impl Into<String>) -> Response {
    respond(
        status,
        "text/plain; charset=utf-8",
        Bytes::from(text.into()),
    )
}

/// 303: the browser goes on to `location` with GET (RFC 9110 section 15.4.4). Never 307, which
/// would hand on the form (RFC 9700 section 4.12).
pub fn see_other(location: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The address to go on to cannot stand in a header.",
        ),
    }
}

/// 204.
pub fn no_content() -> Response {
    empty(StatusCode::NO_CONTENT)
}

/// 405, with the methods that are `allowed` (`"GET, HEAD"`).
pub fn method_not_allowed(allowed: &str) -> Response {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("Use one of: {allowed}.\n"),
    );
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// Seconds after which a request that was answered 503 may be repeated.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Returns the response as 503, with `Retry-After`: what this depends on does not answer.
pub fn unavailable<B>(mut response: http::Response<B>) -> http::Response<B> {
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    response
}

/// Returns the response with a header added; one of the same name is replaced, except `Set-Cookie`.
pub fn with_header(
    mut response: Response,
    name: impl IntoHeaderName + PartialEq<HeaderName>,
    value: HeaderValue,
) -> Response {
    if name == http::header::SET_COOKIE {
        response.headers_mut().append(name, value);
    } else {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Returns the response as `method` gets it: without its body for HEAD (RFC 9110 section 9.3.2).
pub fn for_method(method: &Method, response: Response) -> Response {
    if method == Method::HEAD {
        response.map(|_| Full::default())
    } else {
        response
    }
}

pub(crate) fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = empty(status);
    *response.body_mut() = Full::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    secure(headers, &ContentSecurityPolicy::default());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_response_has_the_security_headers_and_is_not_stored() {
        for response in [
            json(StatusCode::OK, &"x"),
            text(StatusCode::OK, "x"),
            see_other("https://a.example/"),
            no_content(),
            method_not_allowed("GET"),
            unavailable(text(StatusCode::OK, "x")),
        ] {
            let headers = response.headers();
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["referrer-policy"], "no-referrer");
            assert_eq!(headers["cache-control"], "no-store");
            assert!(headers.contains_key("content-security-policy"));
        }
    }

    #[test]
    fn a_location_cannot_add_a_header_line() {
        let response = see_other("https://a.example/\r\nset-cookie: a=b");
        assert_eq!(response.status(), 500);
        assert!(!response.headers().contains_key("location"));
    }
}

//! Plain responses.

use crate::Response;
use crate::headers::{ContentSecurityPolicy, secure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    IntoHeaderName, LOCATION,
};
use http::{Method, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A JSON response. It is not cached unless the caller puts another `Cache-Control`.
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

/// A JSON response that caches may keep as `cache_control` says, to a request with these headers:
/// 304 for whoever has this very text (RFC 9110 section 13.1.2).
pub fn cached_json(
    request: &HeaderMap,
    cache_control: &'static str,
    value: &impl Serialize,
) -> Response {
    let mut response = json(StatusCode::OK, value);
    let Ok(text) = serde_json::to_vec(value) else {
        return response;
    };
    let etag = format!(
        "\"{}\"",
        URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..12])
    );
    let is_known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known == etag);
    if is_known {
        response = empty(StatusCode::NOT_MODIFIED);
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    response
}

/// A plain-text response.
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
pub fn method_not_allowed(allowed: &'static str) -> Response {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("Use one of: {allowed}.\n"),
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// 413 for a body of more than `limit` bytes.
pub fn too_large(limit: usize) -> Response {
    text(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body may have {limit} bytes.\n"),
    )
}

/// The response with a header added; one of the same name is replaced, except `Set-Cookie`.
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

/// The response as `method` gets it: without its body for HEAD (RFC 9110 section 9.3.2).
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

fn empty(status: StatusCode) -> Response {
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
            too_large(1),
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

    #[test]
    fn whoever_has_the_text_gets_it_only_when_it_has_changed() {
        const FOR_AN_HOUR: &str = "public, max-age=3600";
        let ask = |known: Option<&HeaderValue>, value: &str| {
            let known = known.map(|known| (IF_NONE_MATCH, known.clone()));
            cached_json(&HeaderMap::from_iter(known), FOR_AN_HOUR, &value)
        };
        let first = ask(None, "a");
        let etag = &first.headers()[ETAG];
        assert_eq!(first.status(), 200);
        let again = ask(Some(etag), "a");
        assert_eq!(again.status(), 304);
        assert_eq!(&again.headers()[ETAG], etag);
        assert_eq!(again.headers()[CACHE_CONTROL], FOR_AN_HOUR);
        let several = format!("\"x\", W/{}", etag.to_str().unwrap_or_default());
        let several = HeaderValue::from_str(&several).ok();
        assert_eq!(ask(several.as_ref(), "a").status(), 304);
        let changed = ask(Some(etag), "b");
        assert_eq!(changed.status(), 200);
        assert_ne!(&changed.headers()[ETAG], etag);
    }
}

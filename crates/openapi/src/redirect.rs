//! Redirects (RFC 9110 section 15.4), which are followed within one origin.

use crate::request::{MAX_URL_BYTES, Prepared};
use crate::safe_url::has_credentials;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Response, StatusCode, Uri};
use url::Url;

/// Redirects of one call.
pub(crate) const MAX_REDIRECTS: usize = 3;

/// Returns the URL that a response redirects to; `None` if it redirects nowhere, or to another origin: what was meant for one, with its
/// credentials, is not sent to another.
pub(crate) fn target(url: &Url, response: &Response<Bytes>) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let mut target = url.join(location).ok()?;
    target.set_fragment(None);
    if target.as_str().len() > MAX_URL_BYTES || target.as_str().parse::<Uri>().is_err() {
        return None;
    }
    (target.origin() == url.origin() && !has_credentials(&target)).then_some(target)
}

/// Returns the request that a redirect of `request` with this status asks for.
pub(crate) fn follow(mut request: Prepared, status: StatusCode, target: Url) -> Prepared {
    let becomes_get = match status {
        StatusCode::SEE_OTHER => request.method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        request.method = Method::GET;
        request.body = Bytes::new();
        request.headers.remove(CONTENT_TYPE);
    }
    request.url = target;
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue};

    fn target_of(status: u16, location: &str) -> Option<String> {
        let url = Url::parse("https://api.example/v1/pets").unwrap();
        let response = Response::builder()
            .status(status)
            .header(LOCATION, location);
        target(&url, &response.body(Bytes::new()).unwrap()).map(Into::into)
    }

    #[test]
    fn a_redirect_is_followed_within_the_origin_alone() {
        let here = |path: &str| Some(format!("https://api.example{path}"));
        assert_eq!(target_of(301, "/v2/pets?a=b#c"), here("/v2/pets?a=b"));
        assert_eq!(target_of(307, "dogs"), here("/v1/dogs"));
        assert_eq!(target_of(308, "https://api.example:443/x"), here("/x"));
        for elsewhere in [
            "https://other.example/",
            "http://api.example/",
            "https://api.example:8443/",
            "//other.example/",
            "https://user:word@api.example/",
            "https://api.example.other.example/",
            "\\\\other.example\\",
        ] {
            assert_eq!(target_of(302, elsewhere), None, "{elsewhere}");
        }
        assert_eq!(target_of(302, &format!("/{}", "x".repeat(70_000))), None);
        for status in [200, 201, 300, 304] {
            assert_eq!(target_of(status, "/x"), None, "{status}");
        }
    }

    #[test]
    fn a_redirect_changes_the_method_as_browsers_do() {
        for (method, status, expected, keeps_body) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::PUT, 302, Method::PUT, true),
            (Method::PUT, 303, Method::GET, false),
            (Method::HEAD, 303, Method::HEAD, true),
            (Method::POST, 307, Method::POST, true),
            (Method::DELETE, 308, Method::DELETE, true),
        ] {
            let url = Url::parse("https://api.example/").unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            let body = Bytes::from_static(b"x");
            let request = Prepared {
                method,
                url: url.clone(),
                headers,
                body,
                credential: None,
            };
            let request = follow(request, StatusCode::from_u16(status).unwrap(), url);
            assert_eq!(request.method, expected);
            assert_eq!(request.body.is_empty(), !keeps_body);
            assert_eq!(request.headers.contains_key(CONTENT_TYPE), keeps_body);
        }
    }
}

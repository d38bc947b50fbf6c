//! From a request to the component's router, and back.

use crate::panics::log_panics;
use crate::time::sleep;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response};
use tower::ServiceExt;
use web::Paced;

/// Serves one request with the router that `router` gives. Its body has to come at a least rate, and what the router leaves
/// unread of it is drained, within bounds, before the response is given: all requests of all
/// components pass here.
pub(crate) async fn serve<R, B>(router: impl FnOnce() -> R, request: Request<B>) -> Response<Body>
where
    R: Future<Output = &'static Router>,
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    log_panics();
    let router = router().await;
    let (mut head, body) = request.into_parts();
    keep_platform_headers(&mut head.headers);
    let is_head = head.method == Method::HEAD;
    let has_body = may_have_body(&head);
    let (body, rest) = Paced::new(body, sleep);
    let request = Request::from_parts(head, Body::new(body));
    let mut response = match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(infallible) => match infallible {},
    };
    if has_body {
        rest.drain(sleep).await;
    }
    if is_head {
        // What is left is the length of a body that is not there, and a length that is not the
        // one GET has must not be told (RFC 9110 section 8.6).
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// Whether there may be a body to drain. One with these methods is rare (RFC 9110 section 9.3.1), and
/// to look for the end of a body that is not there is a good part of what a short request costs.
fn may_have_body(head: &http::request::Parts) -> bool {
    match head.method {
        Method::GET | Method::HEAD | Method::OPTIONS => {
            let headers = &head.headers;
            let length = headers.get(CONTENT_LENGTH);
            length.map_or(headers.contains_key(CONTENT_TYPE), |value| value != "0")
        }
        _ => true,
    }
}

/// Leaves of each `spin-*` header only its last value.
///
/// Spin appends its own headers behind whatever the client sent under the same names, so the last
/// value is Spin's word and the ones before it are the client's.
fn keep_platform_headers(headers: &mut HeaderMap) {
    let repeated: Vec<_> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("spin-"))
        .cloned()
        .collect();
    for name in repeated {
        if let Some(last) = headers.get_all(&name).iter().next_back().cloned() {
            headers.insert(name, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http::HeaderValue;
    use std::panic::{AssertUnwindSafe, catch_unwind, take_hook};

    #[test]
    fn a_panic_from_the_first_request_on_is_one_line_of_the_log() {
        log_line::capture();
        let router = async || -> &'static Router { panic!("no\nroutes") };
        let request = Request::new(Body::empty());
        let served = catch_unwind(AssertUnwindSafe(|| block_on(serve(router, request))));
        // Other tests say more of their panics.
        drop(take_hook());
        assert!(served.is_err());
        let log = log_line::captured();
        assert!(log.starts_with("panicked at "), "{log}");
        assert!(log.ends_with(": no\\nroutes\n"), "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
    }

    #[test]
    fn a_get_request_has_a_body_if_its_headers_say_so() {
        let has = |method: Method, headers: &[(http::HeaderName, &'static str)]| {
            let (mut head, ()) = Request::new(()).into_parts();
            head.method = method;
            for (name, value) in headers {
                head.headers.insert(name, HeaderValue::from_static(value));
            }
            may_have_body(&head)
        };
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert!(!has(method.clone(), &[]));
            assert!(!has(method.clone(), &[(CONTENT_LENGTH, "0")]));
            assert!(has(method.clone(), &[(CONTENT_LENGTH, "5")]));
            assert!(has(method, &[(CONTENT_TYPE, "application/json")]));
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(has(method, &[]));
        }
    }

    #[test]
    fn the_platforms_value_of_a_spin_header_wins_over_the_clients() {
        let mut headers = HeaderMap::new();
        for value in ["https://forged.example/", "http://127.0.0.1:3000/"] {
            headers.append("spin-full-url", HeaderValue::from_static(value));
        }
        keep_platform_headers(&mut headers);
        let values: Vec<_> = headers.get_all("spin-full-url").iter().collect();
        assert_eq!(values, ["http://127.0.0.1:3000/"]);
    }
}

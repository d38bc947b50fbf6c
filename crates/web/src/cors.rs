//! Cross-origin resource sharing (the Fetch standard, section 3.3).

use crate::{Response, no_content};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderValue, VARY,
};

/// Who may read responses.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// Any page: for what is public, or guarded by something else than cookies.
    Any,
    /// This origin alone, which was found to be an allowed one.
    One(&'a str),
}

/// What a page of another origin may do at an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Cors {
    /// The methods, as `Access-Control-Allow-Methods` lists them.
    pub methods: &'static str,
    /// The request headers, as `Access-Control-Allow-Headers` lists them.
    pub headers: &'static str,
    /// The response headers a script may read, as `Access-Control-Expose-Headers` lists them.
    pub exposed: &'static str,
}

impl Cors {
    /// Lets `origin` read the response.
    pub fn allow(&self, origin: Origin<'_>, response: Response) -> Response {
        let mut response = response;
        self.allow_headers(origin, response.headers_mut());
        response
    }

    /// Lets `origin` read the response that has these headers.
    pub fn allow_headers(&self, origin: Origin<'_>, headers: &mut http::HeaderMap) {
        match origin {
            Origin::Any => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Origin::One(origin) => {
                headers.append(VARY, HeaderValue::from_static("Origin"));
                if let Ok(origin) = HeaderValue::from_str(origin) {
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                }
            }
        }
        if !self.exposed.is_empty() {
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(self.exposed),
            );
        }
    }

    /// Returns the answer to a preflight request from `origin`.
    pub fn preflight(&self, origin: Origin<'_>) -> Response {
        let mut response = self.allow(origin, no_content());
        let headers = response.headers_mut();
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(self.methods),
        );
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(self.headers),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        headers.insert(http::header::ALLOW, HeaderValue::from_static(self.methods));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORS: Cors = Cors {
        methods: "GET, HEAD, OPTIONS",
        headers: "authorization",
        exposed: "www-authenticate",
    };

    #[test]
    fn a_preflight_names_what_may_be_sent_and_read() {
        let response = CORS.preflight(Origin::Any);
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(
            response.headers()["access-control-allow-methods"],
            CORS.methods
        );
        assert_eq!(
            response.headers()["access-control-allow-headers"],
            CORS.headers
        );
        assert_eq!(
            response.headers()["access-control-expose-headers"],
            CORS.exposed
        );
    }

    #[test]
    fn an_answer_for_one_origin_says_that_it_varies() {
        let response = CORS.allow(Origin::One("https://a.example"), no_content());
        assert_eq!(
            response.headers()["access-control-allow-origin"],
            "https://a.example"
        );
        assert_eq!(response.headers()["vary"], "Origin");
    }
}

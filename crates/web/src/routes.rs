//! Tables of routes: the paths and methods of a server in one place, which answers the requests that no endpoint
//! answers.

use crate::cors::{Cors, Origin};
use crate::{Response, for_method, method_not_allowed};
use http::Method;

/// A path of a server.
pub struct Route<E: 'static> {
    /// The path. One that ends with `/*` stands for every path that begins with what is before the star.
    pub path: &'static str,
    /// What answers which method.
    pub methods: Methods<E>,
    /// What pages of other origins may do; nothing if this is `None`.
    pub cors: Option<Cors>,
    /// Bytes that the body of a request may have. It is not read where this is 0.
    pub max_body_bytes: usize,
    /// The form of errors.
    pub errors: ErrorFormat,
}

/// The methods of a path.
pub enum Methods<E: 'static> {
    /// These alone; HEAD only where it is listed.
    Listed(&'static [(Method, E)]),
    /// Every method.
    Any(E),
}

/// The form in which errors are written that no endpoint wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// A page for a person.
    Page,
    /// JSON for a program.
    Json,
}

impl<E: Copy> Route<E> {
    /// Returns the first route for `path`, or for the path without a slash at its end.
    pub fn find<'r>(routes: &'r [Self], path: &str) -> Option<&'r Self> {
        let find = |path: &str| routes.iter().find(|route| route.is_for(path));
        find(path).or_else(|| find(path.strip_suffix('/').filter(|path| !path.ends_with('/'))?))
    }

    fn is_for(&self, path: &str) -> bool {
        match self.path.strip_suffix('*') {
            Some(folder) => path.starts_with(folder),
            None => path == self.path,
        }
    }

    /// Returns the endpoint for `method`; `None` if the method is not listed.
    pub fn endpoint(&self, method: &Method) -> Option<E> {
        match &self.methods {
            Methods::Any(endpoint) => Some(*endpoint),
            Methods::Listed(listed) => listed
                .iter()
                .find(|(known, _)| known == method)
                .map(|(_, endpoint)| *endpoint),
        }
    }

    /// Answers a method that is not listed: a preflight request, or with 405 (RFC 9110 section 15.5.6).
    pub fn refuse_method(&self, method: &Method) -> Response {
        match &self.cors {
            Some(cors) if method == Method::OPTIONS => cors.preflight(Origin::Any),
            _ => self.finish(method, method_not_allowed(&self.allow())),
        }
    }

    /// Returns the value of `Allow` (RFC 9110 section 10.2.1): the listed methods, and OPTIONS where pages of
    /// other origins may call.
    pub fn allow(&self) -> String {
        let mut allowed: Vec<_> = match &self.methods {
            Methods::Any(_) => Vec::new(),
            Methods::Listed(listed) => listed.iter().map(|(known, _)| known.as_str()).collect(),
        };
        allowed.extend(self.cors.as_ref().map(|_| "OPTIONS"));
        allowed.join(", ")
    }

    /// Returns the response with the headers of CORS, and without its body for HEAD.
    pub fn finish(&self, method: &Method, response: Response) -> Response {
        let response = match &self.cors {
            Some(cors) => cors.allow(Origin::Any, response),
            None => response,
        };
        for_method(method, response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    const CORS: Cors = Cors {
        methods: "POST, OPTIONS",
        headers: "",
        exposed: "",
    };

    const ROUTES: [Route<u8>; 5] = [
        route(
            "/a",
            Methods::Listed(&[(Method::GET, 1), (Method::HEAD, 1), (Method::POST, 2)]),
            None,
        ),
        route("/b", Methods::Listed(&[(Method::POST, 3)]), Some(CORS)),
        route("/c/*", Methods::Listed(&[(Method::GET, 4)]), None),
        route("/d", Methods::Any(5), None),
        route("/", Methods::Listed(&[(Method::GET, 6)]), None),
    ];

    const fn route(path: &'static str, methods: Methods<u8>, cors: Option<Cors>) -> Route<u8> {
        Route {
            path,
            methods,
            cors,
            max_body_bytes: 0,
            errors: ErrorFormat::Page,
        }
    }

    fn endpoint(method: Method, path: &str) -> Option<Result<u8, (u16, String)>> {
        let route = Route::find(&ROUTES, path)?;
        Some(route.endpoint(&method).ok_or_else(|| {
            let response = route.refuse_method(&method);
            let allowed = response.headers().get("allow");
            let allowed = allowed.map(|value| value.to_str().unwrap().to_owned());
            (response.status().as_u16(), allowed.unwrap_or_default())
        }))
    }

    #[test]
    fn a_path_and_a_method_lead_to_an_endpoint() {
        assert_eq!(endpoint(Method::GET, "/a"), Some(Ok(1)));
        assert_eq!(endpoint(Method::POST, "/a"), Some(Ok(2)));
        assert_eq!(endpoint(Method::GET, "/c/x/y"), Some(Ok(4)));
        assert_eq!(endpoint(Method::DELETE, "/d"), Some(Ok(5)));
        assert_eq!(endpoint(Method::GET, "/a/"), Some(Ok(1)));
        for path in ["", "/a//", "/ab", "/c", "/dd"] {
            assert_eq!(endpoint(Method::GET, path), None, "{path}");
        }
    }

    #[test]
    fn only_a_path_with_a_star_stands_for_the_paths_below_it() {
        assert_eq!(endpoint(Method::GET, "/c/"), Some(Ok(4)));
        assert_eq!(endpoint(Method::GET, "/c/*"), Some(Ok(4)));
        assert_eq!(endpoint(Method::GET, "/"), Some(Ok(6)));
        for path in ["//", "/x", "/x/", "/*", "/a/x", "/d/x"] {
            assert_eq!(endpoint(Method::GET, path), None, "{path}");
        }
    }

    #[test]
    fn another_method_is_answered_405_with_allow() {
        let refused = |allowed: &str| Some(Err((405, allowed.to_owned())));
        assert_eq!(endpoint(Method::PUT, "/a"), refused("GET, HEAD, POST"));
        assert_eq!(endpoint(Method::OPTIONS, "/a"), refused("GET, HEAD, POST"));
        assert_eq!(endpoint(Method::HEAD, "/c/"), refused("GET"));
        assert_eq!(endpoint(Method::GET, "/b"), refused("POST, OPTIONS"));
    }

    #[test]
    fn a_preflight_request_is_answered_where_other_origins_may_call() {
        let answered = Some(Err((204, "POST, OPTIONS".to_owned())));
        assert_eq!(endpoint(Method::OPTIONS, "/b"), answered);
        let response = ROUTES[1].refuse_method(&Method::GET);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
}

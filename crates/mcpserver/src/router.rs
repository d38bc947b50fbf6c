//! The routes of the MCP endpoint: the methods of each path, and what answers them.
//!
//! A request is matched once. Its route has the methods that a preflight response and `Allow` of a 405 (RFC 9110
//! section 15.5.6) name.

use crate::http::endpoints::Transport;
use http::Method;
use web::cors::Cors;
use web::routes::{ErrorFormat, Methods, Route};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A message at `/mcp`.
    Message,
    /// The stream of a session at `/mcp`.
    SessionStream,
    /// The end of a session at `/mcp`.
    SessionEnd,
    /// The stream of HTTP+SSE.
    SseStream,
    /// A message of HTTP+SSE.
    SseMessage,
    /// The offer, for the component `home`. The manifest gives its path no route.
    Offer,
}

const ROUTES: &[Route<Endpoint>] = &[
    route(
        "/mcp",
        &[
            (Method::GET, Endpoint::SessionStream),
            (Method::POST, Endpoint::Message),
            (Method::DELETE, Endpoint::SessionEnd),
        ],
        "GET, POST, DELETE, OPTIONS",
    ),
    route(
        "/sse",
        &[(Method::GET, Endpoint::SseStream)],
        "GET, OPTIONS",
    ),
    route(
        "/messages",
        &[(Method::POST, Endpoint::SseMessage)],
        "POST, OPTIONS",
    ),
    route("/offer", &[(Method::GET, Endpoint::Offer)], "GET, OPTIONS"),
];

/// Returns a route, whose bodies its endpoints read: their limit is configured.
const fn route(
    path: &'static str,
    methods: &'static [(Method, Endpoint)],
    cors_methods: &'static str,
) -> Route<Endpoint> {
    Route {
        path,
        methods: Methods::Listed(methods),
        cors: Some(Cors {
            methods: cors_methods,
            ..CORS
        }),
        max_body_bytes: 0,
        errors: ErrorFormat::Json,
    }
}

/// What pages may send and read; the methods are each path's own. The star stands for
/// `Mcp-Param-*`, whose names are the tools' own; it does not stand for `Authorization`.
const CORS: Cors = Cors {
    methods: "",
    headers: "Authorization, DPoP, Content-Type, Accept, Last-Event-ID, MCP-Protocol-Version, MCP-Session-Id, Mcp-Method, Mcp-Name, *",
    exposed: "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id",
};

/// The route of a request.
pub(crate) struct Matched {
    route: &'static Route<Endpoint>,
    /// `None` if the route does not have the request's method.
    pub(crate) endpoint: Option<Endpoint>,
}

impl Matched {
    /// Returns the route of a path; `None` if there is none.
    pub(crate) fn find(path: &str, method: &Method) -> Option<Self> {
        let route = Route::find(ROUTES, path)?;
        let endpoint = route.endpoint(method);
        Some(Self { route, endpoint })
    }

    /// Returns the transport that the path belongs to.
    pub(crate) fn transport(&self) -> Transport {
        match self.route.path {
            "/sse" | "/messages" => Transport::HttpSse,
            _ => Transport::StreamableHttp,
        }
    }

    /// Returns what pages of an allowed origin may do.
    pub(crate) fn cors(&self) -> &'static Cors {
        self.route.cors.as_ref().unwrap_or(&CORS)
    }

    /// Returns `Allow`: the methods of CORS are all that the route has.
    pub(crate) fn allow(&self) -> &'static str {
        self.cors().methods
    }

    /// Returns `Allow` where there is no stream to get.
    pub(crate) fn allow_without_stream(&self) -> &'static str {
        let allow = self.allow();
        allow.strip_prefix("GET, ").unwrap_or(allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cors_allows_the_methods_that_a_route_has() {
        for route in ROUTES {
            let cors = route.cors.as_ref().unwrap();
            assert_eq!(route.allow(), cors.methods, "{}", route.path);
        }
    }

    #[test]
    fn a_path_has_one_endpoint_for_each_method_and_is_of_one_transport() {
        let find = |path, method| Matched::find(path, &method).unwrap();
        let mcp = find("/mcp/", Method::POST);
        assert_eq!(mcp.endpoint, Some(Endpoint::Message));
        assert_eq!(mcp.transport(), Transport::StreamableHttp);
        assert_eq!(mcp.allow_without_stream(), "POST, DELETE, OPTIONS");
        let stream = find("/sse", Method::GET);
        assert_eq!(stream.endpoint, Some(Endpoint::SseStream));
        assert_eq!(stream.transport(), Transport::HttpSse);
        assert_eq!(find("/messages", Method::HEAD).endpoint, None);
        // Spin takes several slashes for one (`//mcp`).
        assert!(Matched::find("//mcp", &Method::POST).is_none());
    }
}

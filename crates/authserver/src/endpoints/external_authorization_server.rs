//! The authorization server's endpoints where another authorization server issues the tokens: 404, with the
//! other one's issuer.
//!
//! There is no redirect to the other one's documents. A client that looks here for them would get
//! metadata of another issuer than it asked about, which it has to refuse (RFC 8414 section 3.3);
//! the protected resource's document (RFC 9728) is what leads on.

use crate::responses::READ;
use config::External;
use http::{HeaderMap, Method, StatusCode};
use maud::html;
use web::cors::{Cors, Origin};
use web::{Page, Response, for_method};

/// Any method is answered alike.
const CORS: Cors = Cors {
    methods: "GET, HEAD, POST, OPTIONS",
    ..READ
};

/// Answers a request with `method` and `headers`.
pub fn handle(external: &External, method: &Method, headers: &HeaderMap) -> Response {
    if method == Method::OPTIONS {
        return CORS.preflight(Origin::Any);
    }
    let response = if web::wants_html(headers) {
        page(external)
    } else {
        plain_text(external)
    };
    for_method(method, CORS.allow(Origin::Any, response))
}

/// For programs.
pub(crate) fn plain_text(external: &External) -> Response {
    let External { mode, issuer } = external;
    web::text(
        StatusCode::NOT_FOUND,
        format!(
            "This server issues no tokens: its variable authorization_server is {mode}. Its authorization server is {issuer}, as its protected resource metadata says.\n"
        ),
    )
}

fn page(external: &External) -> Response {
    let title = "Another server handles sign-in";
    let body = html! {
        h1 { (title) }
        p.lead { "This server has no sign-in of its own. The one that your app needs is at " code { (external.issuer) } "." }
        p { "Go back to the app, remove this server from its list of MCP servers or connectors, and add it again." }
        p.small { "For the operator of this server: the variable " code { "authorization_server" } " is " code { (external.mode) } "." }
    };
    Page::new(title, body)
        .status(StatusCode::NOT_FOUND)
        .into_response()
}

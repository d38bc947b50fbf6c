//! Requests to a URL where no MCP endpoint is, most of them of clients that were given a wrong one.

use config::BaseUrl;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_fields::MediaType;
use serde_json::json;
use web::Response;
use web::cors::{Cors, Origin};

/// A client in a web page reads what it did wrong, whatever it sent; there is nothing else to read.
const CORS: Cors = Cors {
    methods: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    headers: "authorization, content-type, accept, last-event-id, mcp-protocol-version, mcp-session-id, *",
    exposed: "",
};

/// The JSON-RPC error of a request that was refused as an HTTP request, as the MCP endpoint has it.
const REFUSED: i32 = -32000;

/// Answers a request that no route answers: 405 if its path has other methods, `allow`, else 404. `base` is where
/// the server is, if that is known; `http_sse`: whether HTTP+SSE is offered.
pub(crate) fn respond(
    base: Option<&BaseUrl>,
    http_sse: bool,
    allow: Option<String>,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    if *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return CORS.preflight(Origin::Any);
    }
    let url = |path: &str| base.map_or_else(|| path.to_owned(), |base| base.join(path));
    let mut message = format!(
        "There is no MCP endpoint at this URL. It is {}",
        url("/mcp")
    );
    if http_sse {
        message += &format!("; for clients that speak HTTP+SSE alone, {}", url("/sse"));
    }
    message.push('.');
    let status = match allow {
        Some(_) => StatusCode::METHOD_NOT_ALLOWED,
        None => StatusCode::NOT_FOUND,
    };
    let mut response = if MediaType::of(headers).is_some_and(MediaType::is_json) {
        let error = json!({ "code": REFUSED, "message": message });
        let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
        web::json(status, &body)
    } else {
        web::text(status, format!("{message}\n"))
    };
    if let Some(Ok(allow)) = allow.map(HeaderValue::try_from) {
        response.headers_mut().insert(ALLOW, allow);
    }
    web::for_method(method, CORS.allow(Origin::Any, response))
}

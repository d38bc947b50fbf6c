//! The landing page at `/`: what this server is and offers, and how to connect a client to it. Whatever reaches no
//! other component comes here as well, and is told where the MCP endpoint is.

mod clients;
mod misplaced;
mod offer;
mod page;
mod snippet;

use axum::Router;
use axum::extract::{Request, State};
use config::{AuthorizationServer, Problem, PublicUrl, granted, read_http_sse};
use http::{HeaderMap, Method};
use offer::Offer;
use platform::variables;
use std::sync::Arc;
use web::Response;
use web::routes::{ErrorFormat, Methods, Route};

platform::http_component!(router);

/// The routes: what reaches none of them came to a wrong URL.
const ROUTES: &[Route<()>] = &[Route {
    path: "/",
    methods: Methods::Listed(&[(Method::GET, ()), (Method::HEAD, ())]),
    cors: None,
    max_body_bytes: 0,
    errors: ErrorFormat::Page,
}];

async fn router() -> Router {
    let values = variables::read(granted::HOME).await;
    let home = Home::read(|name| values.get(name));
    Router::new().fallback(handle).with_state(Arc::new(home))
}

/// What the page says of this server.
struct Home {
    public_url: PublicUrl,
    authorization_server: AuthorizationServer,
    http_sse: bool,
}

impl Home {
    fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let public_url = PublicUrl::read(&values).map_err(|problem| vec![problem]);
        let server = AuthorizationServer::read(&values);
        let http_sse = read_http_sse(&values).map_err(|problem| vec![problem]);
        match (public_url, server, http_sse) {
            (Ok(public_url), Ok(authorization_server), Ok(http_sse)) => Ok(Self {
                public_url,
                authorization_server,
                http_sse,
            }),
            (public_url, server, http_sse) => {
                let problems = [public_url.err(), server.err(), http_sse.err()];
                Err(problems.into_iter().flatten().flatten().collect())
            }
        }
    }
}

async fn handle(State(home): State<Arc<Result<Home, Vec<Problem>>>>, request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let offer = match home.as_ref() {
        Ok(_) if is_page(method, path) => offer::offer().await,
        _ => None,
    };
    answer(&home, offer.as_ref(), method, path, request.headers())
}

/// Whether a request is for the landing page.
fn is_page(method: &Method, path: &str) -> bool {
    Route::find(ROUTES, path).is_some_and(|route| route.endpoint(method).is_some())
}

/// Returns the response, with the headers that depend on where the server is.
fn answer(
    home: &Result<Home, Vec<Problem>>,
    offer: Option<&Offer>,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Response {
    let response = if is_page(method, path) {
        page_for(home, offer, method, headers)
    } else {
        let route = Route::find(ROUTES, path);
        let base = home.as_ref().ok();
        let base = base.and_then(|home| home.public_url.base(headers).ok());
        let http_sse = home.as_ref().is_ok_and(|home| home.http_sse);
        let allow = route.map(Route::allow);
        misplaced::respond(base.as_ref(), http_sse, allow, method, headers)
    };
    match home {
        Ok(home) => web::require_https(home.public_url.requires_https(), response),
        Err(_) => response,
    }
}

fn page_for(
    home: &Result<Home, Vec<Problem>>,
    offer: Option<&Offer>,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let page = match home {
        Ok(home) => match home.public_url.base(headers) {
            Ok(base) => {
                let server = &home.authorization_server;
                Ok(page::home(&base, home.http_sse, server, offer))
            }
            Err(problem) => Err(vec![problem]),
        },
        Err(problems) => Err(problems.clone()),
    };
    let response = match page {
        Ok(page) => page,
        Err(problems) => misconfigured::respond(&problems, headers),
    };
    web::for_method(method, response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http::HeaderValue;
    use http_body_util::BodyExt;

    fn ask(public_url: &'static str, full_url: &'static str, method: Method) -> (Response, String) {
        let home = Home::read(|name| (name == "public_url").then_some(public_url));
        let mut headers = HeaderMap::new();
        headers.insert("spin-full-url", HeaderValue::from_static(full_url));
        headers.insert("accept", HeaderValue::from_static("text/html"));
        read(answer(&home, None, &method, "/", &headers))
    }

    fn read(response: Response) -> (Response, String) {
        let (parts, body) = response.into_parts();
        let body = block_on(body.collect()).unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (Response::from_parts(parts, Default::default()), text)
    }

    #[test]
    fn the_page_has_the_url_to_paste_of_the_configured_or_the_loopback_address() {
        for (public_url, full_url, base) in [
            (
                "https://mcp.example.com",
                "http://10.0.0.1/",
                "https://mcp.example.com",
            ),
            ("", "http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
            (
                "https://example.com/tools",
                "http://10.0.0.1/",
                "https://example.com/tools",
            ),
        ] {
            let (response, page) = ask(public_url, full_url, Method::GET);
            assert_eq!(response.status(), 200);
            for path in ["/mcp", "/sse", "/.well-known/oauth-authorization-server"] {
                assert!(page.contains(&format!("{base}{path}")), "{path}");
            }
        }
    }

    #[test]
    fn where_http_sse_is_not_offered_nothing_names_its_url() {
        let home = Home::read(|name| match name {
            "public_url" => Some("https://mcp.example.com"),
            "http_sse" => Some("false"),
            _ => None,
        });
        for path in ["/", "/elsewhere"] {
            let response = answer(&home, None, &Method::GET, path, &HeaderMap::new());
            let (_, text) = read(response);
            assert!(text.contains("https://mcp.example.com/mcp"), "{text}");
            assert!(
                !text.contains("/sse") && !text.contains("HTTP+SSE"),
                "{text}"
            );
        }
    }

    #[test]
    fn without_a_public_url_on_a_public_address_the_variable_is_named() {
        let (response, page) = ask("", "https://mcp.example.com/", Method::GET);
        assert_eq!(response.status(), 500);
        assert!(page.contains("SPIN_VARIABLE_PUBLIC_URL"));
        let (response, page) = ask("ftp://secret.example", "http://127.0.0.1/", Method::GET);
        assert_eq!(response.status(), 500);
        assert!(page.contains("public_url") && !page.contains("secret.example"));
    }

    #[test]
    fn head_is_get_without_the_body_and_other_methods_are_405() {
        let (response, page) = ask("", "http://127.0.0.1/", Method::HEAD);
        assert_eq!((response.status().as_u16(), page.as_str()), (200, ""));
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let (response, _) = ask("", "http://127.0.0.1/", method);
            assert_eq!(response.status(), 405);
            assert_eq!(response.headers()["allow"], "GET, HEAD");
        }
    }

    fn sent(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Response {
        let home = Home::read(|_| None);
        let mut all = HeaderMap::new();
        let url = ("spin-full-url", "http://127.0.0.1:3000/");
        for (name, value) in headers.iter().chain([&url]) {
            all.insert(*name, HeaderValue::from_static(value));
        }
        answer(&home, None, &method, path, &all)
    }

    #[test]
    fn what_comes_to_a_wrong_url_is_told_where_the_mcp_endpoint_is() {
        let json = ("content-type", "application/json; charset=utf-8");
        for (method, path, status) in [
            (Method::POST, "/", 405),
            (Method::PUT, "/", 405),
            (Method::DELETE, "/", 405),
            (Method::POST, "/mcp/x", 404),
            (Method::POST, "/v1/mcp", 404),
            (Method::GET, "/v1/mcp", 404),
        ] {
            for headers in [&[json][..], &[]] {
                let (response, text) = read(sent(method.clone(), path, headers));
                assert_eq!(response.status(), status, "{method} {path}");
                assert!(text.contains("http://127.0.0.1:3000/mcp"), "{text}");
                assert_eq!(response.headers()["access-control-allow-origin"], "*");
                if headers.is_empty() {
                    continue;
                }
                let error: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(error["jsonrpc"], "2.0");
                assert!(error["error"]["code"].is_number());
                assert!(error["error"]["message"].is_string());
            }
        }
        let (response, text) = read(sent(Method::HEAD, "/v1/mcp", &[]));
        assert_eq!((response.status().as_u16(), text.as_str()), (404, ""));
    }

    #[test]
    fn a_web_page_may_read_what_is_said_of_a_wrong_url() {
        let asked = [("access-control-request-method", "POST")];
        for path in ["/", "/v1/mcp"] {
            let response = sent(Method::OPTIONS, path, &asked);
            assert_eq!(response.status(), 204);
            let methods = response.headers()["access-control-allow-methods"].to_str();
            assert!(methods.unwrap().contains("POST"));
        }
    }

    #[test]
    fn where_the_server_does_not_know_its_url_the_path_of_the_endpoint_is_told() {
        let home = Home::read(|_| None);
        let response = answer(&home, None, &Method::POST, "/x", &HeaderMap::new());
        let (response, text) = read(response);
        assert_eq!(response.status(), 404);
        assert!(text.contains("/mcp") && !text.contains("://"), "{text}");
    }

    #[test]
    fn the_base_url_is_escaped_wherever_it_stands() {
        let (_, page) = ask(
            "https://example.com/a'b&c<d>\"e",
            "http://127.0.0.1/",
            Method::GET,
        );
        assert!(page.contains("https://example.com/a"));
        assert!(!page.contains("<d>") && !page.contains("b&c"));
        assert!(!page.contains("https://example.com/a'b\""));
    }
}

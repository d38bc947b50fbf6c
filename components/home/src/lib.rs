//! The landing page at `/`: what this server is, and how to connect a client to it.

mod clients;
mod page;
mod snippet;

use axum::Router;
use axum::extract::{Request, State};
use config::{AuthorizationServer, Problem, Site};
use http::{HeaderMap, Method};
use platform::variables;
use std::sync::Arc;
use web::Response;

platform::http_component!(router);

async fn router() -> Router {
    let names = [Site::VARIABLES, AuthorizationServer::VARIABLES].concat();
    let values = variables::read(&names).await;
    let home = Home::read(|name| values.get(name).map(String::as_str));
    Router::new().fallback(handle).with_state(Arc::new(home))
}

/// What the page says of this server.
struct Home {
    site: Site,
    authorization_server: AuthorizationServer,
}

impl Home {
    fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let site = Site::read(&values).map_err(|problem| vec![problem]);
        match (site, AuthorizationServer::read(&values)) {
            (Ok(site), Ok(authorization_server)) => Ok(Self {
                site,
                authorization_server,
            }),
            (site, server) => Err([site.err(), server.err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect()),
        }
    }
}

async fn handle(State(home): State<Arc<Result<Home, Vec<Problem>>>>, request: Request) -> Response {
    answer(&home, request.method(), request.headers())
}

/// The response, with the headers that depend on where the server is.
fn answer(home: &Result<Home, Vec<Problem>>, method: &Method, headers: &HeaderMap) -> Response {
    let response = page_for(home, method, headers);
    match home {
        Ok(home) => home.site.secured(response),
        Err(_) => response,
    }
}

fn page_for(home: &Result<Home, Vec<Problem>>, method: &Method, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return web::method_not_allowed("GET, HEAD");
    }
    let page = match home {
        Ok(home) => match home.site.base(headers) {
            Ok(base) => Ok(page::home(&base, &home.authorization_server)),
            Err(problem) => Err(vec![problem]),
        },
        Err(problems) => Err(problems.clone()),
    };
    let response = match page {
        Ok(page) => page,
        Err(problems) if web::wants_html(headers) => web::problem_page(&problems),
        Err(problems) => web::problem_json(&problems),
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
        let (parts, body) = answer(&home, &method, &headers).into_parts();
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

//! Methods and CORS at each endpoint of the authorization server (RFC 9110 sections 9 and 15.5.6, the Fetch standard
//! section 3.2).

use gatehouse_tests::client::REDIRECT_URI;
use gatehouse_tests::{Client, Gatehouse, Person};
use reqwest::header::HeaderValue;
use reqwest::{Method, Response};
use serde_json::json;

const PAGE: &str = "https://inspector.example";

async fn send(method: Method, url: &str) -> Response {
    let http = reqwest::Client::new();
    let request = http.request(method, url).header("origin", PAGE);
    request.send().await.unwrap()
}

fn methods() -> [Method; 7] {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ]
}

#[tokio::test]
async fn an_unknown_method_is_405_and_allow_has_the_known_ones() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let managed = format!("/register/{}", client.id());
    for (path, known) in [
        ("/authorize", "GET, HEAD, POST"),
        ("/callback", "GET"),
        ("/token", "POST, OPTIONS"),
        ("/revoke", "POST, OPTIONS"),
        ("/introspect", "POST, OPTIONS"),
        ("/register", "POST, OPTIONS"),
        (managed.as_str(), "GET, PUT, DELETE, OPTIONS"),
    ] {
        for method in methods() {
            let is_known = known.split(", ").any(|known| known == method.as_str());
            let response = send(method.clone(), &gatehouse.url(path)).await;
            assert_eq!(response.status() == 405, !is_known, "{method} {path}");
            if !is_known {
                assert_eq!(response.headers()["allow"], known, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_of_any_origin_may_use_what_takes_no_cookies_and_read_every_answer() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let managed = format!("/register/{}", client.id());
    for (path, method) in [
        ("/token", Method::POST),
        ("/revoke", Method::POST),
        ("/introspect", Method::POST),
        ("/register", Method::POST),
        (managed.as_str(), Method::PUT),
    ] {
        let url = gatehouse.url(path);
        let preflight = reqwest::Client::new()
            .request(Method::OPTIONS, &url)
            .header("origin", PAGE)
            .header("access-control-request-method", method.as_str())
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            )
            .send()
            .await
            .unwrap();
        assert_eq!(preflight.status(), 204, "{path}");
        let headers = preflight.headers();
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        assert!(headers.get("access-control-allow-credentials").is_none());
        let methods = headers["access-control-allow-methods"].to_str().unwrap();
        assert!(methods.contains(method.as_str()), "{path}: {methods}");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        for name in ["authorization", "content-type"] {
            assert!(allowed.contains(name), "{path}: {allowed}");
        }
        // A refusal too, or a page could not tell it from a server that is out of reach.
        let refused = send(method, &url).await;
        assert!(refused.status().is_client_error(), "{path}");
        assert_eq!(
            refused.headers()["access-control-allow-origin"],
            "*",
            "{path}"
        );
        let large = reqwest::Client::new().post(&url).body("x".repeat(40_000));
        let large = large.header("origin", PAGE).send().await.unwrap();
        assert_eq!(large.status(), 413, "{path}");
        assert_eq!(
            large.headers()["access-control-allow-origin"],
            "*",
            "{path}"
        );
    }
}

#[tokio::test]
async fn no_page_of_another_origin_reads_what_is_for_people() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let authorize = client.authorization_url(&client.authorization_request());
    for url in [authorize, gatehouse.url("/callback?code=x&state=y")] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let response = send(method, &url).await;
            let headers = response.headers();
            assert!(
                headers.get("access-control-allow-origin").is_none(),
                "{url}"
            );
        }
    }
}

#[tokio::test]
async fn no_answer_of_the_authorization_server_is_cached_or_framed() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let authorize = client.authorization_url(&client.authorization_request());
    let url = gatehouse.url("/register");
    let metadata = json!({ "redirect_uris": [REDIRECT_URI] });
    let registered = reqwest::Client::new().post(url).json(&metadata);
    let code = client.code(&Person::new()).await;
    for response in [
        Person::new().open(&authorize).await,
        Person::new().open(&gatehouse.url("/authorize")).await,
        Person::new().open(&gatehouse.url("/callback")).await,
        registered.send().await.unwrap(),
        client.redeem(&code).await,
        client.redeem("ghc_AAAA").await,
        client.revoke("ghr_AAAA").await,
        send(Method::POST, &gatehouse.url("/introspect")).await,
    ] {
        let headers = response.headers();
        assert_eq!(headers["cache-control"], "no-store", "{}", response.url());
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

/// RFC 9110 section 5.5: what is not ASCII in a field is opaque.
#[tokio::test]
async fn a_header_beyond_utf_8_is_no_internal_error() {
    let gatehouse = Gatehouse::start().await;
    let beyond = HeaderValue::from_bytes(b"Bearer caf\xe9").expect("a value");
    let names = [
        "x-note",
        "authorization",
        "cookie",
        "origin",
        "accept",
        "content-type",
        "accept-language",
        "mcp-session-id",
        "mcp-protocol-version",
        "dpop",
        "user-agent",
        "last-event-id",
    ];
    for path in [
        "/",
        "/.well-known/oauth-authorization-server",
        "/register",
        "/authorize",
        "/callback",
        "/token",
        "/account",
        "/admin/sweep",
        "/mcp",
        "/sse",
    ] {
        for method in [Method::GET, Method::POST] {
            for name in names {
                let request = reqwest::Client::new()
                    .request(method.clone(), gatehouse.url(path))
                    .header(name, beyond.clone());
                let status = request.send().await.unwrap().status();
                assert!(
                    !status.is_server_error(),
                    "{status}: {method} {path} {name}"
                );
            }
        }
    }
}

#[tokio::test]
async fn several_slashes_are_not_one() {
    let gatehouse = Gatehouse::start().await;
    for path in [
        "//mcp",
        "/mcp//",
        "//token",
        "//.well-known/oauth-protected-resource/mcp",
    ] {
        let response = send(Method::GET, &gatehouse.url(path)).await;
        assert_eq!(response.status(), 404, "{path}");
    }
}

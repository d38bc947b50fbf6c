//! Discovery (RFC 8414, RFC 9728).

use gatehouse_tests::{Flavour, Gatehouse};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Returns the path of every document that there is.
fn documents() -> impl Iterator<Item = String> {
    let resources = Flavour::resource_paths().iter();
    let resources = resources.map(|path| format!("oauth-protected-resource{path}"));
    let others = [
        "oauth-authorization-server",
        "openid-configuration",
        "jwks.json",
    ];
    others
        .map(str::to_owned)
        .into_iter()
        .chain(resources)
        .map(|name| format!("/.well-known/{name}"))
}

#[tokio::test]
async fn the_authorization_server_is_found_wherever_clients_probe_for_it() {
    let gatehouse = Gatehouse::start().await;
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-authorization-server/sse",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/.well-known/openid-configuration/sse",
    ] {
        let metadata = json(&gatehouse.url(path)).await;
        assert_eq!(metadata["issuer"], gatehouse.base(), "{path}");
        assert_eq!(
            metadata["code_challenge_methods_supported"],
            serde_json::json!(["S256"])
        );
        assert_eq!(
            metadata["authorization_response_iss_parameter_supported"],
            true
        );
    }
}

#[tokio::test]
async fn every_protected_resource_names_itself_and_its_authorization_server() {
    let gatehouse = Gatehouse::start().await;
    for path in Flavour::resource_paths() {
        let metadata =
            json(&gatehouse.url(&format!("/.well-known/oauth-protected-resource{path}"))).await;
        let resource = metadata["resource"].as_str().unwrap();
        assert!(resource.starts_with(&gatehouse.base()), "{resource}");
        if !path.is_empty() {
            assert_eq!(resource, gatehouse.url(path));
        }
        assert_eq!(metadata["authorization_servers"][0], gatehouse.base());
        let scopes = metadata["scopes_supported"].as_array().unwrap();
        assert!(!scopes.is_empty());
        assert!(scopes.iter().all(|scope| scope != "offline_access"));
    }
}

#[tokio::test]
async fn the_published_keys_are_public_keys_alone() {
    let gatehouse = Gatehouse::start().await;
    let metadata = json(&gatehouse.url("/.well-known/oauth-authorization-server")).await;
    let keys = json(metadata["jwks_uri"].as_str().unwrap()).await;
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["kty"], "OKP");
    assert!(keys[0].get("d").is_none());
}

#[tokio::test]
async fn nothing_is_published_for_an_issuer_or_a_resource_that_does_not_exist() {
    let gatehouse = Gatehouse::start().await;
    for path in [
        "oauth-authorization-server/other",
        "oauth-authorization-server/mcp/other",
        "oauth-authorization-server/tools/mcp",
        "openid-configuration/other",
        "oauth-protected-resource/other",
        "oauth-protected-resource/messages",
        "jwks.json/mcp",
        "other",
        "",
    ] {
        let url = gatehouse.url(&format!("/.well-known/{path}"));
        let response = reqwest::get(url).await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        // A page can tell 404 from a server that is out of reach.
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn a_browser_client_may_read_every_document_and_no_method_but_get_is_taken() {
    let gatehouse = Gatehouse::start().await;
    let http = reqwest::Client::new();
    for path in documents() {
        let url = gatehouse.url(&path);
        let get = http
            .get(&url)
            .header("origin", "https://inspector.example")
            .send()
            .await
            .unwrap();
        assert_eq!(get.headers()["access-control-allow-origin"], "*");
        let head = http.head(&url).send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["etag"], get.headers()["etag"]);
        assert!(head.bytes().await.unwrap().is_empty());
        let preflight = http
            .request(Method::OPTIONS, &url)
            .header("origin", "https://inspector.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "mcp-protocol-version")
            .send()
            .await
            .unwrap();
        assert_eq!(preflight.status(), 204);
        let headers = preflight.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        let methods = headers["access-control-allow-methods"].to_str().unwrap();
        assert!(methods.contains("GET"), "{methods}");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.contains("mcp-protocol-version"), "{allowed}");
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let refused = http.request(method, &url).send().await.unwrap();
            assert_eq!(refused.status(), 405);
            assert_eq!(refused.headers()["allow"], "GET, HEAD, OPTIONS");
        }
    }
}

#[tokio::test]
async fn a_document_may_be_kept_for_minutes_and_is_sent_again_only_when_it_has_changed() {
    let gatehouse = Gatehouse::start().await;
    let http = reqwest::Client::new();
    for path in documents() {
        let url = gatehouse.url(&path);
        let first = http.get(&url).send().await.unwrap();
        let headers = first.headers().clone();
        assert_eq!(headers["cache-control"], "public, max-age=300", "{path}");
        let ask = |etag: String| http.get(&url).header("if-none-match", etag).send();
        let etag = headers["etag"].to_str().unwrap();
        for known in [etag.to_owned(), format!("\"other\", W/{etag}"), "*".into()] {
            let again = ask(known).await.unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
            assert_eq!(again.headers()["etag"], headers["etag"]);
            assert_eq!(again.headers()["access-control-allow-origin"], "*");
            assert!(again.bytes().await.unwrap().is_empty());
        }
        let changed = ask("\"other\"".into()).await.unwrap();
        assert_eq!(changed.status(), 200);
    }
}

#[tokio::test]
async fn a_forged_platform_header_does_not_change_who_we_are() {
    let gatehouse = Gatehouse::start().await;
    let response = reqwest::Client::new()
        .get(gatehouse.url("/.well-known/oauth-authorization-server"))
        .header("spin-full-url", "https://evil.example/")
        .header("x-forwarded-host", "evil.example")
        .send()
        .await
        .unwrap();
    let metadata: Value = response.json().await.unwrap();
    assert_eq!(metadata["issuer"], gatehouse.base());
}

async fn json(url: &str) -> Value {
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

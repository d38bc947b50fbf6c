//! What a client finds before it knows anything (RFC 8414, RFC 9728).

use reqwest::Method;
use serde_json::Value;
use tests::Gatehouse;

#[tokio::test]
async fn the_authorization_server_is_found_wherever_clients_probe_for_it() {
    let gatehouse = Gatehouse::start().await;
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
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
    for path in ["", "/mcp", "/sse"] {
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
async fn a_browser_client_may_read_the_metadata_and_no_method_but_get_is_taken() {
    let gatehouse = Gatehouse::start().await;
    let http = reqwest::Client::new();
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let url = gatehouse.url(path);
        let response = http
            .get(&url)
            .header("origin", "https://inspector.example")
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let head = http.head(&url).send().await.unwrap();
        assert_eq!(head.status(), 200);
        let preflight = http
            .request(Method::OPTIONS, &url)
            .header("origin", "https://inspector.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "mcp-protocol-version")
            .send()
            .await
            .unwrap();
        assert!(preflight.status().is_success());
        assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
        let post = http.post(&url).send().await.unwrap();
        assert_eq!(post.status(), 405);
        assert!(post.headers().contains_key("allow"));
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

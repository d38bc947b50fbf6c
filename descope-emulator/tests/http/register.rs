//! Clients that register themselves with the MCP server.

use descope_emulator::{Config, Running, TokenIssuer};
use serde_json::{Value, json};

use crate::support::*;

async fn discovery(descope: &Running, kind: TokenIssuer) -> Value {
    let url = format!("{}/.well-known/openid-configuration", descope.issuer(kind));
    http().get(url).send().await.unwrap().json().await.unwrap()
}

async fn register(descope: &Running, metadata: &Value) -> reqwest::Response {
    let document = discovery(descope, TokenIssuer::Agentic).await;
    let endpoint = document["registration_endpoint"].as_str().unwrap();
    http().post(endpoint).json(metadata).send().await.unwrap()
}

#[tokio::test]
async fn the_mcp_servers_issuer_alone_names_a_registration_endpoint() {
    let descope = start().await;
    let apps = discovery(&descope, TokenIssuer::InboundApp).await;
    assert!(apps.get("registration_endpoint").is_none());
    let server = discovery(&descope, TokenIssuer::Agentic).await;
    assert!(server["registration_endpoint"].is_string());
}

#[tokio::test]
async fn a_registered_client_signs_people_in_as_its_registration_says() {
    let descope = start_with(Config {
        mcp_server_url: Some("http://127.0.0.1:3000/mcp".to_owned()),
        ..Config::for_tests()
    })
    .await;
    for method in ["none", "client_secret_post"] {
        let metadata = json!({
            "redirect_uris": [CALLBACK],
            "client_name": "A client",
            "token_endpoint_auth_method": method,
        });
        let response = register(&descope, &metadata).await;
        assert_eq!(response.status(), 201);
        let client: Value = response.json().await.unwrap();
        let id = client["client_id"].as_str().unwrap();
        let secret = client["client_secret"].as_str();
        assert_eq!(secret.is_some(), method != "none");

        let elsewhere = "http://127.0.0.1:3000/elsewhere";
        let wrong = request_with(&[("client_id", id), ("redirect_uri", elsewhere)]);
        assert_eq!(authorize(&descope, &wrong).await.status(), 400);

        let code = code_for(&descope, &request_with(&[("client_id", id)])).await;
        let mut form = exchange_form(&code);
        form.retain(|(name, _)| !name.starts_with("client_"));
        form.push(("client_id", id.to_owned()));
        let mut bad = form.clone();
        if method != "none" {
            assert_eq!(post_token(&descope, &form).await.status(), 401);
        }
        bad.push(("client_secret", "wrong".to_owned()));
        assert_eq!(post_token(&descope, &bad).await.status(), 401);
        form.extend(secret.map(|secret| ("client_secret", secret.to_owned())));
        let tokens: Value = post_token(&descope, &form).await.json().await.unwrap();
        let access = verify(&descope, tokens["access_token"].as_str().unwrap());
        let access = access.await.unwrap();
        assert_eq!(access["iss"], descope.issuer(TokenIssuer::Agentic));
        assert_eq!(access["client_id"], id);
        assert_eq!(access["aud"][0], "http://127.0.0.1:3000/mcp");
    }
}

#[tokio::test]
async fn a_public_client_needs_pkce() {
    let descope = start().await;
    let metadata = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
    let client: Value = register(&descope, &metadata).await.json().await.unwrap();
    let request = request_with(&[
        ("client_id", client["client_id"].as_str().unwrap()),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ]);
    let answer = redirected(&authorize(&descope, &request).await);
    assert_eq!(answer["error"], "invalid_request");
}

#[tokio::test]
async fn metadata_that_cannot_be_served_is_refused() {
    let descope = start().await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
            "invalid_redirect_uri",
        ),
        (json!({ "redirect_uris": 7 }), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "tls_client_auth" }),
            "invalid_client_metadata",
        ),
    ] {
        let response = register(&descope, &metadata).await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.json::<Value>().await.unwrap()["error"], error);
    }
}

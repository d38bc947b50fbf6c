//! The whole flow, from a request without a token to tool results, and the end of the grant.

use gatehouse_tests::client::{Tokens, parameter};
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Provider, Settings};
use serde_json::{Value, json};
use url::Url;

gatehouse_tests::over_both_providers!(
    a_client_finds_its_way_from_a_401_to_a_tools_answer_and_a_revocation_ends_it,
    a_grant_that_was_revoked_on_one_machine_is_dead_on_another_at_once,
);

async fn a_client_finds_its_way_from_a_401_to_a_tools_answer_and_a_revocation_ends_it(
    provider: Provider,
) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let stranger = Mcp::new(gatehouse.url("/mcp"), None);
    let response = stranger.request("ping", json!({})).await;
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(!challenge.contains("error"), "{challenge}");
    let metadata_url = challenge
        .split_once("resource_metadata=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(url, _)| url.to_owned())
        .expect("where the metadata is");

    let resource: Value = get_json(&metadata_url).await;
    assert_eq!(resource["resource"], gatehouse.url("/mcp"));
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    let server: Value = get_json(&format!("{issuer}/.well-known/oauth-authorization-server")).await;
    assert_eq!(server["issuer"], issuer);
    for (endpoint, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("registration_endpoint", "/register"),
        ("revocation_endpoint", "/revoke"),
    ] {
        assert_eq!(server[endpoint], gatehouse.url(path));
    }

    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let back = person
        .allow(&client.authorization_url(&client.authorization_request()))
        .await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("client-state"));
    assert_eq!(parameter(&back, "iss").as_deref(), Some(issuer));
    let code = parameter(&back, "code").unwrap();
    let response = client.redeem(&code).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let tokens = Tokens::read(response).await;
    assert_eq!(tokens.answer["token_type"], "Bearer");

    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
        let initialized = mcp.initialize(revision).await;
        assert_eq!(initialized["protocolVersion"], revision);
        let listed = gatehouse_tests::mcp::result(mcp.request("tools/list", json!({})).await).await;
        let names: Vec<_> = listed["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["add", "getUserInfo", "getToken"]);
        let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
        assert_eq!(sum["content"][0]["text"], "5");
    }

    assert_eq!(client.revoke(&tokens.refresh).await.status(), 200);
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    let response = mcp.request("tools/list", json!({})).await;
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(r#"error="invalid_token""#),
        "{challenge}"
    );
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 400);
}

async fn a_grant_that_was_revoked_on_one_machine_is_dead_on_another_at_once(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let other = gatehouse.another().await;
    let url = Url::parse(&other.url()).unwrap().join("/mcp").unwrap();
    let mcp = Mcp::new(url, Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    client.revoke(&tokens.access).await;
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
    other.shutdown().await;
}

#[tokio::test]
async fn by_default_a_revoked_grant_is_dead_a_second_later() {
    let gatehouse = Gatehouse::start_with(Settings::default().variable("grant_check", "")).await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let mcp = Mcp::new(
        Url::parse(&gatehouse.url("/mcp")).unwrap(),
        Some(&tokens.access),
    );
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    client.revoke(&tokens.access).await;
    gatehouse.pass(1);
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
}

#[tokio::test]
async fn a_management_key_signs_people_in_as_an_inbound_app_does() {
    let config = descope_emulator::Config::for_tests();
    let settings = Settings::default()
        .variable("descope_client_id", "")
        .variable("descope_client_secret", "")
        .variable("descope_management_key", config.management_key);
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["content"][0]["text"], "5");
}

async fn get_json(url: &str) -> Value {
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    response.json().await.unwrap()
}

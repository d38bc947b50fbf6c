//! Tokens of the identity provider that a person pastes into their client (`presented_tokens`).

use descope_emulator::{Mint, TokenIssuer};
use gatehouse_tests::client::{REDIRECT_URI, VERIFIER, challenge, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::{Gatehouse, Mcp, Person, Provider, Settings};
use serde_json::{Value, json};
use url::Url;

gatehouse_tests::over_both_providers!(
    a_token_of_ones_own_for_our_client_is_taken_and_get_token_gives_the_header,
);

/// Tokens that Descope issued to people and machines for something else.
fn of_others(gatehouse: &Gatehouse) -> Vec<Mint> {
    let project = gatehouse.descope.config().project_id.clone();
    vec![
        Mint::new().client("another-app"),
        Mint::new().client(&project),
        Mint::new()
            .claim("azp", Value::Null)
            .claim("client_id", Value::Null),
        Mint::new().claim("azp", json!("another-app")),
        Mint::new().session(&project),
        Mint::new().session(&project).claim("aud", json!([project])),
        Mint::new().machine_session(&project),
        Mint::new().client("local-client").subject("local-client"),
        // A client that registered itself, at the project's MCP server.
        Mint::new().agentic().client("registered-itself"),
    ]
}

async fn status(gatehouse: &Gatehouse, mint: Mint) -> u16 {
    let token = gatehouse.descope.mint(mint).unwrap();
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&token));
    let response = mcp.request("tools/list", json!({})).await;
    response.status().as_u16()
}

/// Signs in at the provider for our own client, and gives the access token.
async fn token_of_ones_own(gatehouse: &Gatehouse, provider: Provider) -> String {
    let emulator = &gatehouse.descope;
    let config = emulator.config();
    let path = match provider {
        Provider::Descope => "/oauth2/v1/apps",
        Provider::OpenId => "/openid",
    };
    let base = format!("{}{path}", emulator.base_url());
    let request = [
        ("response_type", "code"),
        ("client_id", config.client_id.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid profile email"),
        ("state", "s"),
        ("code_challenge", &challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ];
    let url = Url::parse_with_params(&format!("{base}/authorize"), request).unwrap();
    let back = location(&Person::new().open(url.as_str()).await);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &parameter(&back, "code").expect("a code")),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let request = reqwest::Client::new()
        .post(format!("{base}/token"))
        .basic_auth(&config.client_id, Some(&config.client_secret));
    let response = request.form(&form).send().await.unwrap();
    let tokens: Value = response.json().await.unwrap();
    tokens["access_token"].as_str().expect("a token").to_owned()
}

async fn a_token_of_ones_own_for_our_client_is_taken_and_get_token_gives_the_header(
    provider: Provider,
) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let token = token_of_ones_own(&gatehouse, provider).await;
    let mcp = Mcp::initialized(&gatehouse, &token).await;
    let header = text(&mcp.call("getToken", json!({})).await);
    assert!(header.contains(&format!("Bearer {token}")));
    let info = mcp.call("getUserInfo", json!({})).await;
    assert!(info["structuredContent"]["sub"].is_string());
    assert_eq!(text(&mcp.call("add", json!({ "a": 1, "b": 1 })).await), "2");
}

#[tokio::test]
async fn tokens_for_others_sessions_and_machines_are_not_taken_by_default() {
    let gatehouse = Gatehouse::start().await;
    for (index, mint) in of_others(&gatehouse).into_iter().enumerate() {
        assert_eq!(status(&gatehouse, mint).await, 401, "{index}");
    }
    let url = gatehouse.url("/mcp");
    let for_us = Mint::new()
        .client("another-app")
        .audience([&*url, "P_LOCAL"]);
    assert_eq!(status(&gatehouse, for_us).await, 200);
}

#[tokio::test]
async fn a_token_for_our_client_id_as_audience_is_not_ours_by_that() {
    let gatehouse = Gatehouse::start_over(Provider::OpenId).await;
    let token = || Mint::new().of(TokenIssuer::OpenId);
    assert_eq!(status(&gatehouse, token()).await, 200);
    let to_others = token().client("another-app");
    assert_eq!(status(&gatehouse, to_others).await, 401);
    let url = gatehouse.url("/mcp");
    let for_us = token().client("another-app").audience([url]);
    assert_eq!(status(&gatehouse, for_us).await, 200);
}

#[tokio::test]
async fn project_takes_what_is_a_persons_without_the_upstream_token() {
    let settings = Settings::default().variable("presented_tokens", "project");
    let gatehouse = Gatehouse::start_with(settings).await;
    let project = gatehouse.descope.config().project_id.clone();
    for persons in [
        Mint::new(),
        Mint::new().client("another-app"),
        Mint::new().session(&project),
    ] {
        let token = gatehouse.descope.mint(persons).unwrap();
        let mcp = Mcp::initialized(&gatehouse, &token).await;
        assert_eq!(text(&mcp.call("add", json!({ "a": 1, "b": 1 })).await), "2");
        assert_eq!(mcp.try_call("getToken", json!({})).await.status(), 403);
    }
    for machines in [
        Mint::new().machine_session(&project),
        Mint::new().subject("another-app").client("another-app"),
    ] {
        assert_eq!(status(&gatehouse, machines).await, 401);
    }
}

#[tokio::test]
async fn where_they_are_off_none_is_taken_and_where_scopes_are_listed_those_are_had() {
    let settings = Settings::default().variable("presented_tokens", "off");
    let gatehouse = Gatehouse::start_with(settings).await;
    assert_eq!(status(&gatehouse, Mint::new()).await, 401);

    let settings = Settings::default().variable("presented_scopes", "userinfo");
    let gatehouse = Gatehouse::start_with(settings).await;
    let token = gatehouse.descope.mint(Mint::new()).unwrap();
    let mcp = Mcp::initialized(&gatehouse, &token).await;
    mcp.call("getUserInfo", json!({})).await;
    let response = mcp.try_call("add", json!({ "a": 1, "b": 1 })).await;
    assert_eq!(response.status(), 403);
}

fn text(result: &Value) -> String {
    let text = result["content"][0]["text"].as_str();
    text.unwrap_or_default().to_owned()
}

//! The results of the three tools, by scope.

use descope_emulator::{Endpoint, Mint, Signature, TokenIssuer, User};
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Person, Provider, Settings};
use serde_json::json;
use std::time::Duration;

gatehouse_tests::over_both_providers!(
    get_user_info_gives_the_profile_that_the_provider_has,
    get_token_gives_the_upstream_token_and_refreshes_it_when_it_has_expired,
    a_pasted_token_is_accepted_if_it_was_issued_for_this_server,
);

async fn get_user_info_gives_the_profile_that_the_provider_has(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    gatehouse
        .descope
        .sign_in_as(User::new("Ada Lovelace", "ada@example.com"));
    let mcp = Mcp::signed_in(&gatehouse).await;
    let result = mcp.call("getUserInfo", json!({})).await;
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("Ada Lovelace") && text.contains("ada@example.com"),
        "{text}"
    );
    assert_eq!(result["structuredContent"]["email"], "ada@example.com");
}

async fn get_token_gives_the_upstream_token_and_refreshes_it_when_it_has_expired(
    provider: Provider,
) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let first = text(&mcp.call("getToken", json!({})).await);
    assert_eq!(text(&mcp.call("getToken", json!({})).await), first);

    gatehouse.descope.set_access_token_lifetime(1);
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    gatehouse.descope.set_access_token_lifetime(600);
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    // Until the upstream token has ended for good: before that it may be given away still.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = gatehouse.descope.requests(Endpoint::Token);
    let answers = tokio::join!(
        mcp.call("getToken", json!({})),
        mcp.call("getToken", json!({})),
        mcp.call("getToken", json!({})),
    );
    assert_eq!(gatehouse.descope.requests(Endpoint::Token), before + 1);
    assert_eq!(text(&answers.0), text(&answers.1));
    assert_eq!(text(&answers.0), text(&answers.2));
    let userinfo = reqwest::Client::new()
        .get(provider.userinfo(&gatehouse.descope))
        .bearer_auth(jwt_in(&text(&answers.0)))
        .send()
        .await
        .unwrap();
    assert_eq!(userinfo.status(), 200, "the provider takes the token");
}

async fn a_pasted_token_is_accepted_if_it_was_issued_for_this_server(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let token = || Mint::new().of(provider.issuer());
    let mint = |mint| gatehouse.descope.mint(mint).unwrap();
    let pasted = mint(token().scopes("openid email profile").lifetime(300));
    let mcp = Mcp::initialized(&gatehouse, &pasted).await;
    assert_eq!(text(&mcp.call("add", json!({ "a": 1, "b": 1 })).await), "2");
    let header = text(&mcp.call("getToken", json!({})).await);
    assert!(header.contains(&format!("Bearer {pasted}")), "{header}");

    for bad in [
        mint(token().lifetime(-3600)),
        mint(token().signature(Signature::ForeignKey)),
        mint(token().signature(Signature::UnknownKey)),
        mint(token().audience(["someone-else"])),
        mint(token().issuer("https://id.example.com")),
        mint(token().client("another-app")),
    ] {
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&bad));
        assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
    }
}

#[tokio::test]
async fn a_call_without_its_scope_is_refused_with_the_scopes_it_needs() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in_for(&Person::new(), "userinfo").await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    for (tool, arguments, scope) in [
        ("add", json!({ "a": 1, "b": 2 }), "tools"),
        ("getToken", json!({}), "upstream_token"),
    ] {
        let response = mcp.try_call(tool, arguments).await;
        assert_eq!(response.status(), 403, "{tool}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains(r#"error="insufficient_scope""#),
            "{challenge}"
        );
        assert!(challenge.contains(scope), "{challenge}");
    }
    let info = mcp.call("getUserInfo", json!({})).await;
    assert!(info["content"][0]["text"].is_string());
}

#[tokio::test]
async fn bad_arguments_are_told_to_the_model() {
    let gatehouse = Gatehouse::start().await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    for arguments in [json!({}), json!({ "a": "one", "b": 2 }), json!({ "a": 1 })] {
        let message = gatehouse_tests::mcp::answer(mcp.try_call("add", arguments).await).await;
        let told =
            message["error"]["message"].is_string() || message["result"]["isError"] == json!(true);
        assert!(told, "{message}");
    }
    let unknown = gatehouse_tests::mcp::answer(mcp.try_call("nothing", json!({})).await).await;
    assert_eq!(unknown["error"]["code"], -32602);
}

fn text(result: &serde_json::Value) -> String {
    result["content"][0]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The JWT somewhere in a text.
fn jwt_in(text: &str) -> &str {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))
        .find(|word| word.matches('.').count() == 2 && word.starts_with("ey"))
        .unwrap_or_default()
}

#[tokio::test]
async fn a_tool_that_panics_ends_its_request_and_the_next_one_is_served() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    for _ in 0..3 {
        // A trap takes the whole instance with it: nothing of it can answer.
        let response = mcp.try_call("test_tool_that_panics", json!({})).await;
        assert_eq!(response.status(), 500);
        let result = mcp.call("greet", json!({ "name": "Ada" })).await;
        assert_eq!(text(&result), "Hello, Ada!");
    }
}

#[tokio::test]
async fn a_composed_tool_calls_the_hosts_that_it_inherits() {
    let settings = Settings {
        flavour: None,
        ..Settings::default()
            .conformance_tools()
            .tools_inherit_hosts()
    };
    calls_the_provider(settings).await;
}

in_both_builds!(a_tool_behind_a_tool_server_calls_the_hosts_that_it_is_granted);

async fn a_tool_behind_a_tool_server_calls_the_hosts_that_it_is_granted(build: Option<Flavour>) {
    let settings = Settings {
        flavour: build,
        ..Settings::default()
            .tool_server("own", "target/wasm32-wasip2/wasm/conformance_tools.wasm")
            .granted(&[], &["http://127.0.0.1:*"])
            .variable("tools", "own")
    };
    calls_the_provider(settings).await;
}

/// Lets a tool call the identity provider, twice at once.
async fn calls_the_provider(settings: Settings) {
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let issuer = gatehouse.descope.issuer(TokenIssuer::InboundApp);
    let url = format!("{issuer}/.well-known/openid-configuration");
    let result = mcp.call("fetch", json!({ "url": url })).await;
    let fetched = &result["structuredContent"];
    assert_eq!(fetched["body"]["issuer"], issuer, "{result}");
    assert_eq!(fetched["content_type"], "application/json");
    assert_eq!(fetched["statuses"], json!([200, 405]));
}

#[tokio::test]
async fn a_tool_that_may_call_no_host_says_what_to_add() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let url = gatehouse.descope.base_url();
    let result = mcp.call("fetch", json!({ "url": url })).await;
    assert_eq!(result["isError"], true, "{result}");
    let told = text(&result);
    assert!(told.contains("inherit_configuration"), "{told}");
    assert!(told.contains(url), "{told}");
}

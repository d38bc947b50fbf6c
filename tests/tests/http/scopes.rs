//! The effective scopes of those that a client asks for.

use gatehouse_tests::client::{REDIRECT_URI, USED_REDIRECT_URI, VERIFIER};
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, Tokens};
use serde_json::{Value, json};

const EVERYTHING: &str = "tools userinfo upstream_token";

async fn assert_every_tool_works(gatehouse: &Gatehouse, token: &str) {
    let mcp = Mcp::initialized(gatehouse, token).await;
    for (tool, arguments) in [
        ("add", json!({ "a": 2, "b": 3 })),
        ("getUserInfo", json!({})),
        ("getToken", json!({})),
    ] {
        let result = mcp.call(tool, arguments).await;
        assert!(result["content"][0]["text"].is_string(), "{tool}");
    }
}

#[tokio::test]
async fn a_client_that_asks_for_scopes_of_openid_connect_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    // As mcp-remote and SDKs do, which say the same in their registration.
    let metadata = json!({
        "client_name": "mcp-remote",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "scope": "openid email profile",
    });
    let client = Client::register_as(&gatehouse, metadata).await;
    let asked = "openid email profile";
    let tokens = client.sign_in_for(&Person::new(), asked).await;
    assert_eq!(tokens.answer["scope"], EVERYTHING);
    assert_every_tool_works(&gatehouse, &tokens.access).await;
    let refreshed = client
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &tokens.refresh),
            ("client_id", client.id()),
            ("scope", asked),
        ])
        .await;
    let refreshed = Tokens::read(refreshed).await;
    assert_eq!(refreshed.answer["scope"], EVERYTHING);
    assert_every_tool_works(&gatehouse, &refreshed.access).await;
}

#[tokio::test]
async fn a_request_for_nothing_of_ours_and_the_401_have_the_default_scopes() {
    let settings = Settings::default().variable("default_scopes", "tools userinfo");
    let gatehouse = Gatehouse::start_with(settings).await;
    let refused = Mcp::new(gatehouse.url("/mcp"), None)
        .request("ping", json!({}))
        .await;
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(r#"scope="tools userinfo""#),
        "{challenge}"
    );
    let client = Client::register(&gatehouse).await;
    for (asked, effective) in [
        ("", "tools userinfo"),
        ("openid email profile", "tools userinfo"),
        ("openid upstream_token", "upstream_token"),
        ("openid offline_access", "tools userinfo offline_access"),
    ] {
        let tokens = client.sign_in_for(&Person::new(), asked).await;
        assert_eq!(tokens.answer["scope"], effective, "{asked}");
    }
}

#[tokio::test]
async fn a_configured_clients_own_scope_bounds_all_of_its_tokens() {
    const SECRET: &str = "correct-horse-battery-staple-correct";
    let clients = json!([{
        "client_id": "bounded",
        "client_secret": SECRET,
        "token_endpoint_auth_method": "client_secret_post",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "tools",
    }]);
    let settings = Settings::default().variable("clients", clients.to_string());
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::known_as(&gatehouse, "bounded");
    for asked in ["", EVERYTHING, "openid profile"] {
        let code = client.code_with(&Person::new(), &[("scope", asked)]).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "bounded"),
            ("client_secret", SECRET),
            ("code", &code),
            ("redirect_uri", USED_REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let tokens = Tokens::read(client.token(&form).await).await;
        assert_eq!(tokens.answer["scope"], "tools", "{asked}");
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "bounded"),
            ("client_secret", SECRET),
            ("refresh_token", &tokens.refresh),
        ];
        let tokens = Tokens::read(client.token(&form).await).await;
        assert_eq!(tokens.answer["scope"], "tools", "{asked}");
        let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
        assert_eq!(mcp.try_call("getToken", json!({})).await.status(), 403);
    }
}

#[tokio::test]
async fn a_scope_of_openid_connect_among_ours_is_refused_by_name() {
    let settings = Settings::default().variable("scopes", "tools profile");
    let gatehouse = Gatehouse::start_with(settings).await;
    for path in ["/token", "/mcp"] {
        let response = reqwest::get(gatehouse.url(path)).await.unwrap();
        assert_eq!(response.status(), 500, "{path}");
        let words = response.text().await.unwrap();
        assert!(words.contains("SPIN_VARIABLE_SCOPES"), "{words}");
        assert!(words.contains("profile") && words.contains("userinfo"));
    }
}

#[tokio::test]
async fn a_registered_scope_with_nothing_of_ours_is_left_out_of_the_answer() {
    let gatehouse = Gatehouse::start().await;
    for (scope, told) in [
        ("openid profile email", Value::Null),
        ("openid tools", json!("tools")),
    ] {
        let metadata = json!({ "redirect_uris": [REDIRECT_URI], "scope": scope });
        let client = Client::register_as(&gatehouse, metadata).await;
        assert_eq!(client.registration["scope"], told);
    }
}

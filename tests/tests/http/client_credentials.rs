//! Client credentials (RFC 6749 section 4.4, MCP's extension for machine clients).

use gatehouse_tests::client::{REDIRECT_URI, Tokens};
use gatehouse_tests::{Client, Gatehouse, Mcp, Settings};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const SECRET: &str = "correct-horse-battery-staple-correct";
const ADMIN_TOKEN: &str = "0f41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899";

/// A Gatehouse that knows the clients `nightly`, for which nothing is said about scopes, and
/// `gateway`, which is registered for a scope that concerns people.
async fn start() -> Gatehouse {
    let client = |id: &str| {
        json!({
            "client_id": id,
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials"],
        })
    };
    let mut gateway = client("gateway");
    gateway["scope"] = json!("userinfo");
    let clients = json!([client("nightly"), gateway]).to_string();
    let settings = Settings::default().variable("clients", clients);
    Gatehouse::start_with(settings.variable("admin_token", ADMIN_TOKEN)).await
}

async fn ask(gatehouse: &Gatehouse, client: &str, more: &[(&str, &str)]) -> Response {
    let form = [
        &[
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", SECRET),
        ],
        more,
    ]
    .concat();
    Client::known_as(gatehouse, client).token(&form).await
}

async fn error(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    let error: Value = response.json().await.unwrap();
    error["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_configured_client_calls_tools_for_itself_and_gets_no_refresh_token() {
    let gatehouse = start().await;
    let response = ask(&gatehouse, "nightly", &[]).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let tokens = Tokens::read(response).await;
    assert!(tokens.answer.get("refresh_token").is_none());
    assert_eq!(tokens.answer["scope"], "tools");
    let claims = tokens.claims();
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&json!("client:nightly"), &json!("nightly"))
    );
    assert_eq!(claims["aud"], gatehouse.url("/mcp"));
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["content"][0]["text"], "5");
}

#[tokio::test]
async fn nothing_that_concerns_a_person_is_to_be_had_without_one() {
    let gatehouse = start().await;
    for scope in [
        "userinfo",
        "upstream_token",
        "offline_access",
        "userinfo made_up",
    ] {
        let response = ask(&gatehouse, "nightly", &[("scope", scope)]).await;
        assert_eq!(error(response, 400).await, "invalid_scope", "{scope}");
    }
    // What cannot be had is left out of what can.
    let more = [("scope", "tools userinfo upstream_token")];
    let tokens = Tokens::read(ask(&gatehouse, "nightly", &more).await).await;
    assert_eq!(tokens.answer["scope"], "tools");
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    for tool in ["getUserInfo", "getToken"] {
        assert_eq!(mcp.try_call(tool, json!({})).await.status(), 403, "{tool}");
    }
    // Nor if the operator has registered the client for it.
    let tokens = Tokens::read(ask(&gatehouse, "gateway", &[]).await).await;
    assert_eq!(tokens.answer["scope"], "");
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    assert_eq!(mcp.try_call("getUserInfo", json!({})).await.status(), 403);
}

#[tokio::test]
async fn a_clients_token_is_for_our_resources_alone() {
    let gatehouse = start().await;
    let foreign = [("resource", "https://other.example/mcp")];
    let response = ask(&gatehouse, "nightly", &foreign).await;
    assert_eq!(error(response, 400).await, "invalid_target");
    let sse = gatehouse.url("/sse");
    let response = ask(&gatehouse, "nightly", &[("resource", &sse)]).await;
    assert_eq!(Tokens::read(response).await.claims()["aud"], sse);
}

#[tokio::test]
async fn a_client_that_registered_itself_gets_no_token_for_itself() {
    let gatehouse = start().await;
    let url = gatehouse.url("/register");
    for method in ["none", "client_secret_post"] {
        let metadata = json!({
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_method": method,
        });
        let registered = reqwest::Client::new().post(&url).json(&metadata);
        let registered = registered.send().await.unwrap();
        if registered.status() != 201 {
            assert_eq!(error(registered, 400).await, "invalid_client_metadata");
            continue;
        }
        let client: Value = registered.json().await.unwrap();
        let text = |name: &str| client[name].as_str().unwrap_or_default();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", text("client_id")),
            ("client_secret", text("client_secret")),
        ];
        let response = Client::known_as(&gatehouse, "").token(&form).await;
        assert_eq!(
            error(response, 400).await,
            "unauthorized_client",
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_clients_own_token_ends_by_revocation_on_every_machine() {
    let gatehouse = start().await;
    let tokens = Tokens::read(ask(&gatehouse, "nightly", &[]).await).await;
    let other = gatehouse.another().await;
    let url = format!("{}/mcp", other.url());
    let mcp = Mcp::new(url, Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    let form = [
        ("token", tokens.access.as_str()),
        ("client_id", "nightly"),
        ("client_secret", SECRET),
    ];
    let revoked = Client::known_as(&gatehouse, "nightly").form("/revoke", &form);
    assert_eq!(revoked.send().await.unwrap().status(), 200);
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
    other.shutdown().await;
}

#[tokio::test]
async fn an_operator_finds_and_ends_a_clients_own_grants() {
    let gatehouse = start().await;
    let tokens = Tokens::read(ask(&gatehouse, "nightly", &[]).await).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    let admin = async |method: Method| -> Value {
        let url = gatehouse.url("/admin/grants?subject=client:nightly");
        let request = reqwest::Client::new().request(method, url);
        let response = request.bearer_auth(ADMIN_TOKEN).send().await.unwrap();
        response.json().await.unwrap()
    };
    let seen = admin(Method::GET).await;
    assert_eq!(seen["grants"][0]["client_id"], "nightly", "{seen}");
    assert_eq!(admin(Method::DELETE).await["ended"], 1);
    // Beyond the second for which the MCP endpoint may trust the answer about a grant.
    gatehouse.pass(2);
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
}

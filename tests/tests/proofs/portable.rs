//! The portable build (WASI 0.2): the flavour `portable`, as `cargo xtask test` builds it.

use descope_emulator::{Endpoint, Mint, Signature};
use gatehouse_tests::client::{REDIRECT_URI, Tokens};
use gatehouse_tests::stateless::TASKS;
use gatehouse_tests::{
    Client, Flavour, Gatehouse, Mcp, Person, Published, Settings, SseStream, Stateless,
};
use host::HostLimits;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn the_portable_build_signs_in_calls_every_tool_and_ends_a_grant() {
    let gatehouse = Gatehouse::start_with(Settings::default().flavour(Flavour::Portable)).await;
    let client = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    let tokens = Tokens::read(client.redeem(&code).await).await;
    assert_eq!(client.redeem(&code).await.status(), 400);

    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    let sum = mcp.call("add", json!({"a": 2, "b": 3})).await;
    assert_eq!(sum["structuredContent"]["sum"], 5);
    let person = mcp.call("getUserInfo", json!({})).await;
    assert!(person["structuredContent"]["sub"].is_string(), "{person}");
    let token = mcp.call("getToken", json!({})).await;
    assert!(token["content"][0]["text"].is_string(), "{token}");
    let stateless = Stateless::new(gatehouse.url("/mcp"), &tokens.access);
    let sum = stateless.call("add", json!({"a": 2, "b": 3})).await;
    assert_eq!(sum["structuredContent"]["sum"], 5);

    let refreshed = Tokens::read(client.refresh(&tokens.refresh).await).await;
    client.revoke(&refreshed.refresh).await;
    let arguments = json!({"a": 2, "b": 3});
    let ended = mcp.with_token(&refreshed.access);
    assert_eq!(ended.try_call("add", arguments).await.status(), 401);
}

#[tokio::test]
async fn the_portable_build_calls_tools_of_a_component_of_its_own() {
    let settings = Settings::default()
        .flavour(Flavour::Portable)
        .variable("tools", "composed fixtures");
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Stateless::signed_in(&gatehouse).await;
    let sum = client.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["structuredContent"]["sum"], 5);
    let greeting = client.call("greet", json!({ "name": "Ada" })).await;
    assert_eq!(greeting["content"][0]["text"], "Hello, Ada!");
    let mut message = client.request(
        "tools/call",
        json!({ "name": "ten_steps", "arguments": {} }),
    );
    message["params"]["_meta"]["progressToken"] = "steps".into();
    let mut stream = SseStream::of(client.message(&message).send().await.unwrap());
    for step in 1..=10 {
        let event = stream.message().await;
        assert_eq!(event["method"], "notifications/progress", "{step}: {event}");
    }
    assert!(stream.message().await["result"].is_object());
    let trapped = json!({ "name": "test_tool_that_panics", "arguments": {} });
    let trapped = gatehouse_tests::mcp::answer(client.ask("tools/call", trapped).await).await;
    assert_eq!(trapped["error"]["code"], -32603, "{trapped}");
}

#[tokio::test]
async fn the_portable_build_reads_bodies_and_finds_paths_as_the_main_build_does() {
    let gatehouse = Gatehouse::start_with(Settings::default().flavour(Flavour::Portable)).await;
    let http = reqwest::Client::new();
    let large = "x".repeat(3_000_000);
    let answer = http.post(gatehouse.url("/register")).body(large).send();
    assert_eq!(answer.await.unwrap().status(), 413);
    let head = http.head(gatehouse.url("/")).send().await.unwrap();
    assert_eq!(head.status(), 200);
    let wrong = http.delete(gatehouse.url("/token")).send().await.unwrap();
    assert_eq!(wrong.status(), 405);
    let missing = http.get(gatehouse.url("/nowhere")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn instances_of_one_request_fetch_the_providers_keys_once() {
    let settings = Settings::default().variable("presented_tokens", "project");
    let gatehouse = Gatehouse::start_with(settings.flavour(Flavour::Portable)).await;
    let client = Client::register(&gatehouse).await;
    for _ in 0..2 {
        client.sign_in(&Person::new()).await;
    }
    let fetches = || gatehouse.descope.requests(Endpoint::Jwks);
    let present = async |mint: Mint| {
        let token = gatehouse.descope.mint(mint).unwrap();
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&token));
        mcp.request("tools/list", json!({})).await.status()
    };
    for _ in 0..5 {
        assert_eq!(present(Mint::new()).await, 200);
    }
    assert_eq!(fetches(), 1);
    gatehouse.pass(30);
    for _ in 0..10 {
        let unknown = Mint::new().signature(Signature::UnknownKey);
        assert_eq!(present(unknown).await, 401);
    }
    assert_eq!(fetches(), 2);
    gatehouse.descope.rotate_signing_key().unwrap();
    gatehouse.pass(30);
    for _ in 0..5 {
        assert_eq!(present(Mint::new()).await, 200);
    }
    assert_eq!(fetches(), 3);
}

#[tokio::test]
async fn instances_of_one_request_fetch_a_clients_document_once() {
    const PATH: &str = "/oauth/client.json";
    let published = Published::start().await;
    let document = json!({
        "client_id": published.url(PATH),
        "client_name": "A client with a document",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    });
    published.put(PATH, document);
    let settings = Settings::default().variable("client_metadata_origin", published.origin());
    let gatehouse = Gatehouse::start_with(settings.flavour(Flavour::Portable)).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    client.sign_in(&Person::new()).await;
    assert_eq!(published.asked(), [PATH]);
}

/// A client that knows tasks, of the flavour for Akamai Functions, with tools that change and that take long. Its host ends a
/// request after eight seconds in place of 30; streams and calls end before that, as the flavour's defaults have them end.
async fn where_the_host_ends_requests() -> (Gatehouse, Stateless) {
    let limits = HostLimits {
        request_timeout: Some(Duration::from_secs(8)),
        ..HostLimits::akamai()
    };
    let settings = Settings::default()
        .flavour(Flavour::Akamai)
        .host_limits(limits)
        .variable("tools", "composed fixtures")
        .variable("stream_seconds", "3")
        .variable("call_timeout", "3");
    let gatehouse = Gatehouse::start_with(settings).await;
    let capabilities = json!({ "extensions": { TASKS: {} } });
    let client = Stateless::signed_in(&gatehouse).await;
    (gatehouse, client.with_capabilities(capabilities))
}

#[tokio::test]
async fn a_listener_ends_before_its_host_ends_the_request_and_comes_back() {
    let (_gatehouse, client) = where_the_host_ends_requests().await;
    let wanted = json!({ "toolsListChanged": true });
    let (acknowledged, mut stream) = client.listen(wanted.clone()).await;
    assert_eq!(acknowledged, wanted);
    // A stream that the host cuts breaks off, and does not end.
    stream.end().await;
    let (_, mut again) = client.listen(wanted).await;
    client.call("test_trigger_tool_change", json!({})).await;
    let told = again.message().await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_task_that_the_host_would_end_fails_in_words_before_that() {
    let (_gatehouse, client) = where_the_host_ends_requests().await;
    let created = client.call("slow_compute", json!({ "seconds": 60 })).await;
    assert_eq!(created["resultType"], "task", "{created}");
    let task = loop {
        let asked = json!({ "taskId": created["taskId"] });
        let task: Value = client.result("tasks/get", asked).await;
        if task["status"] != "working" {
            break task;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(task["status"], "failed", "{task}");
    let words = &task["error"]["message"];
    assert_eq!(words, "The tool did not finish in time.");
}

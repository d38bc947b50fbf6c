//! The MCP endpoint: authentication, origins and transport.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings};
use serde_json::json;

#[tokio::test]
async fn a_token_that_is_not_for_us_is_invalid() {
    let gatehouse = Gatehouse::start().await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let elsewhere = Gatehouse::start_with(Settings::default().variable(
        "encryption_key",
        "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100",
    ))
    .await;
    let same_key = Gatehouse::start().await;
    let (head, signature) = tokens.access.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let mut changed: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    changed["sub"] = json!("someone else");
    let forged = format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(changed.to_string())
    );
    for (gatehouse, token) in [
        (&elsewhere, tokens.access.as_str()),
        (&same_key, tokens.access.as_str()),
        (&gatehouse, forged.as_str()),
        (&gatehouse, "nonsense"),
        (&gatehouse, tokens.refresh.as_str()),
    ] {
        let response = Mcp::new(gatehouse.url("/mcp"), Some(token))
            .request("tools/list", json!({}))
            .await;
        assert_eq!(response.status(), 401);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains(r#"error="invalid_token""#),
            "{challenge}"
        );
        assert!(challenge.contains("resource_metadata="), "{challenge}");
    }
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
}

#[tokio::test]
async fn a_token_in_the_query_is_no_token() {
    let gatehouse = Gatehouse::start().await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let url = gatehouse.url(&format!("/mcp?access_token={}", tokens.access));
    let response = Mcp::new(url, None).request("tools/list", json!({})).await;
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn a_page_of_another_origin_gets_nothing() {
    let allowed = [
        "https://ok.example",
        "app://obsidian.md",
        "tauri://localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    ];
    let settings = Settings::default().variable("allowed_origins", allowed.join(" "));
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let foreign = [
        "https://evil.example",
        "app://evil",
        "app://obsidian.md.evil",
        "tauri://localhost:1",
        "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba",
        "null",
    ];
    let all = allowed.map(|origin| (origin, true));
    for (origin, may) in all.into_iter().chain(foreign.map(|origin| (origin, false))) {
        let request = mcp.message(&list).header("origin", origin);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), if may { 200 } else { 403 }, "{origin}");
        let preflight = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, gatehouse.url("/mcp"))
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let preflight = preflight.send().await.unwrap();
        assert_eq!(preflight.status(), if may { 204 } else { 403 }, "{origin}");
        for response in [response, preflight] {
            let told = response.headers().get("access-control-allow-origin");
            let told = told.map(|value| value.to_str().unwrap());
            assert_eq!(told, may.then_some(origin));
        }
    }
}

#[tokio::test]
async fn an_invalid_allowed_origin_lets_no_one_in_and_shuts_no_one_out() {
    let settings = Settings::default().variable("allowed_origins", "https://ok.example * null");
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    for (origin, status) in [
        ("https://ok.example", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ] {
        let request = mcp.message(&list).header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), status, "{origin}");
    }
    assert_eq!(mcp.post(&list).await.status(), 200);
}

#[tokio::test]
async fn a_foreign_host_name_is_refused_where_no_public_url_is_set() {
    let gatehouse = Gatehouse::start().await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let response = mcp
        .message(&list)
        .header("host", "rebound.example")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 421);
    assert!(response.text().await.unwrap().contains("public_url"));
}

#[tokio::test]
async fn bad_messages_get_json_rpc_errors_and_too_large_ones_a_413() {
    let gatehouse = Gatehouse::start().await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let broken = mcp.message(&list).body("{").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    let error: serde_json::Value = broken.json().await.unwrap();
    assert_eq!(error["error"]["code"], -32700);
    let unknown = gatehouse_tests::mcp::answer(mcp.request("no/such", json!({})).await).await;
    assert_eq!(unknown["error"]["code"], -32601);
    let padding = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "x": "x".repeat(1_100_000) } });
    assert_eq!(mcp.post(&padding).await.status(), 413);
    let version = mcp
        .message(&list)
        .header("mcp-protocol-version", "1999-01-01")
        .send()
        .await
        .unwrap();
    assert_eq!(version.status(), 400);
}

#[tokio::test]
async fn a_call_in_a_session_costs_two_reads_of_the_store_and_no_write() {
    let gatehouse = Gatehouse::start().await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let before = gatehouse.host.counters();
    for n in 0..10 {
        mcp.call("add", json!({ "a": n, "b": 1 })).await;
    }
    let calls = gatehouse.host.counters().since(&before);
    // The grant, and what the client changed in its session.
    assert_eq!((calls.reads(), calls.writes()), (20, 0));
}

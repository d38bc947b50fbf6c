//! `/mcp` for clients of revision 2026-07-28.

use gatehouse_tests::{Client, Gatehouse, Person, Stateless};
use serde_json::{Value, json};

async fn client(gatehouse: &Gatehouse) -> Stateless {
    let tokens = Client::register(gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    Stateless::new(gatehouse.url("/mcp"), &tokens.access)
}

#[tokio::test]
async fn a_client_discovers_lists_and_calls_without_a_session() {
    let gatehouse = Gatehouse::start().await;
    let client = client(&gatehouse).await;
    let response = client.ask("server/discover", json!({})).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("mcp-session-id"));
    let discovered = gatehouse_tests::mcp::result(response).await;
    assert_eq!(
        discovered["supportedVersions"][0],
        gatehouse_tests::stateless::VERSION
    );
    let tools = client.result("tools/list", json!({})).await;
    assert_eq!(
        (&tools["resultType"], &tools["cacheScope"]),
        (&json!("complete"), &json!("public"))
    );
    let call = json!({ "name": "add", "arguments": { "a": 1, "b": 2 } });
    let sum = client.result("tools/call", call).await;
    assert_eq!(sum["structuredContent"], json!({ "sum": 3 }));
    assert_eq!(sum["resultType"], "complete");
}

#[tokio::test]
async fn a_call_costs_one_read_of_the_store_and_no_write() {
    let gatehouse = Gatehouse::start().await;
    let client = client(&gatehouse).await;
    let before = gatehouse.host.counters();
    for n in 0..10 {
        let call = json!({ "name": "add", "arguments": { "a": n, "b": 1 } });
        client.result("tools/call", call).await;
    }
    let calls = gatehouse.host.counters().since(&before);
    assert_eq!((calls.reads(), calls.writes()), (10, 0));
}

#[tokio::test]
async fn a_request_is_refused_as_the_revision_says() {
    let gatehouse = Gatehouse::start().await;
    let client = client(&gatehouse).await;
    let call = client.request(
        "tools/call",
        json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }),
    );
    let refused = async |message: &Value, header: &str, value: &str| {
        let mut request = client.message(message).build().unwrap();
        request.headers_mut().insert(
            reqwest::header::HeaderName::try_from(header).unwrap(),
            value.parse().unwrap(),
        );
        let response = reqwest::Client::new().execute(request).await.unwrap();
        let status = response.status().as_u16();
        let answer = gatehouse_tests::mcp::answer(response).await;
        assert_eq!(answer["id"], 1, "{answer}");
        (status, answer["error"]["code"].as_i64().unwrap())
    };
    assert_eq!(refused(&call, "mcp-name", "getToken").await, (400, -32020));
    assert_eq!(
        refused(&call, "mcp-method", "tools/list").await,
        (400, -32020)
    );
    assert_eq!(
        refused(&call, "mcp-protocol-version", "v999.0.0").await,
        (400, -32020)
    );
    let mut later = call.clone();
    later["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "v999.0.0".into();
    assert_eq!(
        refused(&later, "mcp-protocol-version", "v999.0.0").await,
        (400, -32022)
    );
    let ping = client.request("ping", json!({}));
    assert_eq!(refused(&ping, "x-nothing", "1").await, (404, -32601));
    let mut bare = client.request("tools/list", json!({}));
    bare["params"] = json!({});
    assert_eq!(refused(&bare, "x-nothing", "1").await, (400, -32602));
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_for_the_model_to_mend() {
    let gatehouse = Gatehouse::start().await;
    let client = client(&gatehouse).await;
    let call = json!({ "name": "add", "arguments": { "a": "one" } });
    let result = client.result("tools/call", call).await;
    assert_eq!(result["isError"], true);
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("`a` has to be a number") && text.contains("`b` is missing"),
        "{text}"
    );
}

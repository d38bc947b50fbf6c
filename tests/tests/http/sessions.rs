//! Sessions at `/mcp`, over two machines.

use gatehouse_tests::sse::SseStream;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings};
use serde_json::json;

/// Two machines with the conformance tools, and one session that both know.
pub(crate) async fn two() -> (Gatehouse, host::Running, Mcp, Mcp) {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let other = gatehouse.another().await;
    let mut here = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    here.initialize_as("2025-11-25", json!({ "elicitation": {} }))
        .await;
    let there = here.at(format!("{}/mcp", other.url().trim_end_matches('/')));
    (gatehouse, other, here, there)
}

#[tokio::test]
async fn a_question_asked_by_one_machine_may_be_answered_at_another() {
    let (_gatehouse, other, here, there) = two().await;
    let arguments = json!({ "message": "Who are you?" });
    let response = here.try_call("test_elicitation", arguments).await;
    let mut stream = SseStream::of(response);
    let question = stream.message().await;
    assert_eq!(question["method"], "elicitation/create");
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": {
        "action": "accept", "content": { "username": "ann", "email": "ann@example.com" } } });
    assert_eq!(there.post(&answer).await.status(), 202);
    let response = stream.message().await;
    assert!(response["result"].is_object(), "{response}");
    drop(stream);
    other.shutdown().await;
}

#[tokio::test]
async fn a_session_that_was_ended_at_one_machine_is_over_at_another() {
    let (_gatehouse, other, here, there) = two().await;
    assert_eq!(there.request("ping", json!({})).await.status(), 200);
    assert_eq!(here.end().await.status(), 204);
    assert_eq!(there.request("ping", json!({})).await.status(), 404);
    other.shutdown().await;
}

#[tokio::test]
async fn a_streamed_call_and_a_get_stream_end_when_their_grant_is_revoked() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let registered = Client::register(&gatehouse).await;
    let tokens = registered.sign_in(&Person::new()).await;
    let mut mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    mcp.initialize_as("2025-11-25", json!({})).await;
    let mut listening = SseStream::of(mcp.listen().await);
    let response = mcp.try_call("slow_compute", json!({ "seconds": 50 })).await;
    let mut call = SseStream::of(response);
    assert_eq!(registered.revoke(&tokens.refresh).await.status(), 200);
    let last = loop {
        let message = call.message().await;
        if message["method"].is_null() {
            break message;
        }
    };
    assert_eq!(last["error"]["code"], -32000, "{last}");
    call.end().await;
    listening.end().await;
}

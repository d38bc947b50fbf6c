//! The streams that sessions at `/mcp` open with GET, over two machines.

use crate::sessions::two;
use gatehouse_tests::{Client, Mcp, Person, SseStream};
use serde_json::{Value, json};

const WATCHED: &str = "test://watched-resource";

/// The method of the next message of a stream.
async fn method(stream: &mut SseStream) -> Value {
    stream.message().await["method"].take()
}

#[tokio::test]
async fn what_changes_at_one_machine_is_told_on_the_stream_at_another() {
    let (_gatehouse, other, here, there) = two().await;
    let params = json!({ "uri": WATCHED });
    let subscribed = here.request("resources/subscribe", params.clone()).await;
    assert_eq!(gatehouse_tests::mcp::result(subscribed).await, json!({}));
    let mut stream = SseStream::of(there.listen().await);
    here.call("test_trigger_tool_change", json!({})).await;
    assert_eq!(
        method(&mut stream).await,
        "notifications/tools/list_changed"
    );
    here.call("test_trigger_resource_change", json!({})).await;
    let listed = "notifications/resources/list_changed";
    assert_eq!(method(&mut stream).await, listed);
    let updated = stream.message().await;
    assert_eq!(updated["method"], "notifications/resources/updated");
    assert_eq!(updated["params"]["uri"], WATCHED);
    there.request("resources/unsubscribe", params).await;
    here.call("test_trigger_resource_change", json!({})).await;
    here.call("test_trigger_prompt_change", json!({})).await;
    assert_eq!(method(&mut stream).await, listed);
    let prompts = "notifications/prompts/list_changed";
    assert_eq!(method(&mut stream).await, prompts);
    drop(stream);
    other.shutdown().await;
}

#[tokio::test]
async fn of_several_streams_of_a_session_the_newest_is_told_and_the_others_end() {
    let (_gatehouse, other, here, there) = two().await;
    let mut first = SseStream::of(here.listen().await);
    let mut second = SseStream::of(there.listen().await);
    here.call("test_trigger_tool_change", json!({})).await;
    let changed = "notifications/tools/list_changed";
    assert_eq!(method(&mut second).await, changed);
    first.end().await;
    let mut third = SseStream::of(here.listen().await);
    there.call("test_trigger_tool_change", json!({})).await;
    assert_eq!(method(&mut third).await, changed);
    second.end().await;
    drop(third);
    other.shutdown().await;
}

#[tokio::test]
async fn a_session_that_was_ended_has_no_stream_or_call_at_any_machine() {
    let (_gatehouse, other, here, there) = two().await;
    let call = here
        .try_call("slow_compute", json!({ "seconds": 50 }))
        .await;
    let mut call = SseStream::of(call);
    let mut stream = SseStream::of(there.listen().await);
    assert_eq!(there.end().await.status(), 204);
    for machine in [&here, &there] {
        assert_eq!(machine.listen().await.status(), 404);
        assert_eq!(machine.end().await.status(), 404);
    }
    // The call has no response, and the stream has nothing to tell.
    call.end().await;
    stream.end().await;
    other.shutdown().await;
}

#[tokio::test]
async fn another_persons_session_is_none_at_any_machine() {
    let (gatehouse, other, here, there) = two().await;
    gatehouse
        .descope
        .sign_in_as(descope_emulator::User::new("Eve", "eve@example.com"));
    let theirs = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    for machine in [&here, &there] {
        let stolen: Mcp = machine.with_token(&theirs.access);
        assert_eq!(stolen.request("ping", json!({})).await.status(), 404);
        assert_eq!(stolen.listen().await.status(), 404);
        assert_eq!(stolen.resume("changes.0").await.status(), 404);
        assert_eq!(stolen.end().await.status(), 404);
        assert_eq!(machine.request("ping", json!({})).await.status(), 200);
    }
    other.shutdown().await;
}

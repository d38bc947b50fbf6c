//! `subscriptions/listen` (2026-07-28), over two machines.

use gatehouse_tests::{Gatehouse, Settings, Stateless};
use serde_json::{Value, json};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

const WATCHED: &str = "test://watched-resource";

async fn start() -> (Gatehouse, Stateless) {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let client = Stateless::signed_in(&gatehouse).await;
    (gatehouse, client)
}

/// What a notification is of: it names the subscription that it belongs to.
fn method(message: &Value) -> &str {
    assert_eq!(message["params"]["_meta"][SUBSCRIPTION], 1, "{message}");
    message["method"].as_str().expect("a notification")
}

#[tokio::test]
async fn a_stream_tells_what_it_was_asked_for_wherever_that_changed_and_nothing_else() {
    let (gatehouse, here) = start().await;
    let other = gatehouse.another().await;
    let there = here.at(&other);
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": [WATCHED] });
    let (acknowledged, mut tools) = here.listen(wanted.clone()).await;
    assert_eq!(acknowledged, wanted);
    let (_, mut lists) = here.listen(json!({ "resourcesListChanged": true })).await;
    let strange = json!({ "resourceSubscriptions": ["test://another"] });
    let (_, mut strangers) = there.listen(strange).await;
    for tool in ["prompt", "tool", "resource", "tool"] {
        let tool = format!("test_trigger_{tool}_change");
        there.call(&tool, json!({})).await;
    }
    let changed = "notifications/tools/list_changed";
    assert_eq!(method(&tools.message().await), changed);
    let updated = tools.message().await;
    assert_eq!(method(&updated), "notifications/resources/updated");
    assert_eq!(updated["params"]["uri"], WATCHED);
    assert_eq!(method(&tools.message().await), changed);
    let listed = "notifications/resources/list_changed";
    assert_eq!(method(&lists.message().await), listed);
    // All of them end with their token, and nothing was to be told in between.
    gatehouse.pass(900);
    for stream in [&mut tools, &mut lists, &mut strangers] {
        let last = stream.message().await;
        assert_eq!((&last["id"], last["error"].is_null()), (&json!(1), true));
        assert_eq!(last["result"]["resultType"], "complete");
        assert_eq!(last["result"]["_meta"][SUBSCRIPTION], 1);
        stream.end().await;
    }
    other.shutdown().await;
}

#[tokio::test]
async fn what_never_changes_is_left_out_of_the_acknowledgement() {
    let gatehouse = Gatehouse::start().await;
    let client = Stateless::signed_in(&gatehouse).await;
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": [WATCHED] });
    let (acknowledged, _stream) = client.listen(wanted).await;
    assert_eq!(acknowledged, json!({}));
    let params = json!({ "notifications": {} });
    let message = client.request("subscriptions/listen", params);
    let mut request = client.message(&message).build().unwrap();
    let json = "application/json".parse().unwrap();
    request.headers_mut().insert("accept", json);
    let refused = reqwest::Client::new().execute(request).await.unwrap();
    assert_eq!(refused.status(), 406);
}

#[tokio::test]
async fn a_stream_without_news_says_that_it_lives() {
    let (_gatehouse, client) = start().await;
    let (_, mut stream) = client.listen(json!({ "toolsListChanged": true })).await;
    stream.comment().await;
    client.call("test_trigger_tool_change", json!({})).await;
    let changed = "notifications/tools/list_changed";
    assert_eq!(method(&stream.message().await), changed);
}

//! GET `/mcp`, and what a session listens for.

use super::session_client::Client;
use super::*;

fn subscribe(method: &str, uri: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":2,"method":"resources/{method}","params":{{"uri":"{uri}"}}}}"#
    )
}

#[test]
fn a_resource_can_be_listened_for_where_there_are_resources_to_read() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        for method in ["subscribe", "unsubscribe", "unsubscribe"] {
            let answer = client.post(subscribe(method, "test:one")).await;
            assert_eq!(answer.json().await["result"], serde_json::json!({}));
        }
        let long = subscribe("subscribe", &"x".repeat(4096));
        let answer = client.post(long).await;
        assert_eq!(answer.json().await["error"]["code"], -32602);
        let poor = fixture.token(&["secret"]).await;
        let client = Client::initialize(fixture, &poor, "2025-11-25").await;
        let answer = client.post(subscribe("subscribe", "test:one")).await;
        assert_eq!(answer.status, 403);
    });
}

#[test]
fn a_stream_for_which_nothing_could_ever_come_is_refused() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-06-18").await;
        let answer = client.send("GET", &[], "").await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "POST, DELETE, OPTIONS")
        );
        let unknown = Client {
            session: "nonsense".into(),
            ..client
        };
        assert_eq!(unknown.send("GET", &[], "").await.status, 404);
    });
}

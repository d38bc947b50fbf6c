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

/// Calls the tool that changes something.
async fn change(client: &Client<'_>) {
    let answer = client.post(plain_call("changes")).await;
    assert_eq!(answer.status, 200);
}

fn method(message: Option<&Value>) -> &str {
    message.map_or("", |message| message["method"].as_str().unwrap())
}

#[test]
fn a_get_stream_tells_what_changes_and_of_resources_those_that_were_subscribed_to() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-06-18").await;
        client.post(subscribe("subscribe", "test:two")).await;
        let mut stream = client.send("GET", &[], "").await.stream();
        change(&client).await;
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.push(stream.message().await.unwrap());
        }
        assert_eq!(method(seen.first()), "notifications/tools/list_changed");
        assert_eq!(method(seen.last()), "notifications/resources/updated");
        assert_eq!(seen[1]["params"]["uri"], "test:two");
        client.post(subscribe("unsubscribe", "test:two")).await;
        change(&client).await;
        change(&client).await;
        for _ in 0..2 {
            let message = stream.message().await;
            assert_eq!(method(message.as_ref()), "notifications/tools/list_changed");
        }
    });
}

#[test]
fn a_get_stream_ends_with_its_session() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-06-18").await;
        let mut stream = client.send("GET", &[], "").await.stream();
        assert_eq!(client.send("DELETE", &[], "").await.status, 204);
        assert_eq!(stream.message().await, None);
        let unknown = Client {
            session: "nonsense".into(),
            ..client
        };
        assert_eq!(unknown.send("GET", &[], "").await.status, 404);
        let other = Client::initialize(fixture, &token, "2025-06-18").await;
        let html = [("accept", "text/html")];
        assert_eq!(other.send("GET", &html, "").await.status, 406);
    });
}

#[test]
fn what_changes_between_two_connections_is_told_on_the_second() {
    let fixture = Fixture::with(&[("stream_seconds", "5")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let client = Client::initialize(&fixture, &token, "2025-11-25").await;
        let mut stream = client.send("GET", &[], "").await.stream();
        let first = stream.next().await.unwrap().id.unwrap();
        assert_eq!(stream.message().await, None);
        change(&client).await;
        let mut stream = client.resume(&first).await.stream();
        let message = stream.message().await;
        assert_eq!(method(message.as_ref()), "notifications/tools/list_changed");
    });
}

#[test]
fn of_several_streams_of_a_session_the_newest_is_told_and_the_others_end() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let twin = fixture.twin();
        let there = Client {
            fixture: &twin,
            token: token.clone(),
            session: client.session.clone(),
        };
        let mut first = client.send("GET", &[], "").await.stream();
        let mut second = there.send("GET", &[], "").await.stream();
        let other = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut others = other.send("GET", &[], "").await.stream();
        change(&client).await;
        assert_eq!(first.message().await, None);
        for stream in [&mut second, &mut others] {
            let message = stream.message().await;
            assert_eq!(method(message.as_ref()), "notifications/tools/list_changed");
        }
        // One that is told nothing ends as well.
        let _third = client.send("GET", &[], "").await;
        assert_eq!(second.message().await, None);
    });
}

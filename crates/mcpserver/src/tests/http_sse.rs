//! `/sse` and `/messages`.

use super::*;
use crate::Environment;
use crate::stream::mailbox::SESSION_TTL;
use std::time::Duration;

/// A token of another person's, without a grant of ours.
const BOBS: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";

/// A client with its stream open.
struct Client<'f> {
    fixture: &'f Fixture,
    authorization: String,
    endpoint: String,
    body: Body,
    text: String,
}

impl<'f> Client<'f> {
    async fn connect(fixture: &'f Fixture, token: &str) -> Client<'f> {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let answer = fixture.send("GET", "/sse", &headers, "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        let mut client = Client {
            fixture,
            endpoint: String::new(),
            body: answer.body,
            text: String::new(),
            authorization,
        };
        client.read().await;
        let event = client.text.split_off(0);
        let endpoint = event.strip_prefix("event: endpoint\ndata: ").unwrap();
        client.endpoint = endpoint.trim().to_owned();
        assert!(client.endpoint.starts_with("/messages?sessionId="));
        client
    }

    /// Reads one frame of the stream.
    async fn read(&mut self) {
        let frame = self.body.frame().await.unwrap().unwrap();
        let data = frame.into_data().unwrap();
        self.text.push_str(std::str::from_utf8(&data).unwrap());
    }

    /// The next message of the stream.
    async fn message(&mut self) -> Value {
        loop {
            if let Some(message) = messages(&self.text).into_iter().next() {
                self.text.clear();
                return message;
            }
            self.read().await;
        }
    }

    async fn post(&self, body: &str) -> u16 {
        let headers = [("authorization", self.authorization.as_str())];
        let answer = self
            .fixture
            .send("POST", &self.endpoint, &headers, body.to_owned())
            .await;
        answer.status
    }
}

fn run<F: AsyncFnOnce(&Fixture, Client<'_>)>(test: F) {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture
            .token_with(&["tools"], |claims| claims.exp = 900_000)
            .await;
        let client = Client::connect(&fixture, &token).await;
        test(&fixture, client).await;
    });
}

#[test]
fn what_is_posted_is_answered_on_the_stream() {
    run(async |_, mut client| {
        assert_eq!(client.post(&initialize("2024-11-05")).await, 202);
        let message = client.message().await;
        assert_eq!(message["result"]["protocolVersion"], "2024-11-05");
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(client.post(initialized).await, 202);
        assert_eq!(client.post(&plain_call("echo")).await, 202);
        assert_eq!(
            client.message().await["result"]["content"][0]["text"],
            r#"{"x":1}"#
        );
        assert_eq!(client.post("{}").await, 202);
        assert_eq!(client.message().await["error"]["code"], -32600);
        assert_eq!(client.post("{").await, 400);
    });
}

#[test]
fn what_changes_is_told_on_the_stream() {
    run(async |_, mut client| {
        assert_eq!(client.post(&initialize("2024-11-05")).await, 202);
        client.message().await;
        assert_eq!(client.post(&plain_call("changes")).await, 202);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let message = client.message().await;
            seen.push(message.get("method").cloned());
        }
        assert!(seen.contains(&Some("notifications/tools/list_changed".into())));
    });
}

#[test]
fn progress_comes_before_the_response() {
    run(async |_, mut client| {
        assert_eq!(client.post(&call("steps")).await, 202);
        assert_eq!(client.message().await["params"]["progress"], 1.0);
        assert_eq!(client.message().await["params"]["progress"], 2.0);
        assert!(client.message().await["result"].is_object());
    });
}

#[test]
fn the_session_speaks_the_revision_it_negotiated() {
    run(async |_, mut client| {
        assert_eq!(client.post(&plain_call("refuses")).await, 202);
        assert_eq!(client.message().await["error"]["code"], -32602);
        assert_eq!(client.post(&initialize("2025-11-25")).await, 202);
        client.message().await;
        assert_eq!(client.post(&plain_call("refuses")).await, 202);
        assert_eq!(client.message().await["result"]["isError"], true);
    });
}

#[test]
fn a_client_of_a_later_revision_is_told_on_the_stream_and_goes_on() {
    run(async |_, mut client| {
        let discover = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#;
        assert_eq!(client.post(discover).await, 202);
        assert_eq!(client.message().await["error"]["code"], -32601);
        assert_eq!(client.post(&initialize("2026-07-28")).await, 202);
        let message = client.message().await;
        assert_eq!(message["result"]["protocolVersion"], "2025-11-25");
    });
}

#[test]
fn a_slow_call_does_not_hold_its_post_and_a_large_result_arrives() {
    run(async |fixture, mut client| {
        let before = fixture.environment.now();
        assert_eq!(client.post(&call("pauses")).await, 202);
        assert!(fixture.environment.now() - before < 10);
        assert_eq!(client.message().await["method"], "notifications/progress");
        assert!(client.message().await["result"].is_object());
        assert_eq!(client.post(&plain_call("large")).await, 202);
        let message = client.message().await;
        let text = message["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(text.len(), 600_000);
    });
}

#[test]
fn an_idle_stream_says_that_it_lives_and_keeps_its_session() {
    run(async |fixture, mut client| {
        for _ in 0..20 {
            client.text.clear();
            client.read().await;
            assert_eq!(client.text, ": keep-alive\n\n");
        }
        assert!(fixture.environment.now() > START + SESSION_TTL);
        // The slowest pace by now: a look a second with the grant in one step, and the heartbeat.
        let (reads, writes) = fixture.server.context.store.backend().operations();
        let before = fixture.environment.now();
        client.read().await;
        client.text.clear();
        let seconds = (fixture.environment.now() - before) as u32;
        let now = fixture.server.context.store.backend().operations();
        assert!(now.0 - reads <= seconds + 3 && now.1 - writes <= 1);
        assert_eq!(client.post(PING).await, 202);
        assert_eq!(client.message().await["id"], "a");
    });
}

#[test]
fn a_session_ends_with_its_stream_and_leaves_nothing() {
    run(async |fixture, client| {
        client.post(PING).await;
        let Client {
            endpoint,
            authorization,
            body,
            ..
        } = client;
        drop(body);
        while fixture.environment.working() > 0 {
            fixture.environment.sleep(Duration::from_secs(1)).await;
        }
        let headers = [("authorization", authorization.as_str())];
        let answer = fixture.send("POST", &endpoint, &headers, PING).await;
        assert_eq!(answer.status, 404);
        let keys = fixture.keys().await;
        assert!(keys.iter().all(|key| !key.contains("sse:")), "{keys:?}");
    });
}

#[test]
fn only_its_own_caller_posts_to_a_session() {
    run(async |fixture, client| {
        let bobs = format!("Bearer {BOBS}");
        let headers = [("authorization", bobs.as_str())];
        let endpoint = &client.endpoint;
        let answer = fixture.send("POST", endpoint, &headers, PING).await;
        assert_eq!(answer.status, 404);
        let answer = fixture.send("POST", endpoint, &[], PING).await;
        assert_eq!(answer.status, 401);
        for path in ["/messages", "/messages?sessionId=nonsense"] {
            let headers = [("authorization", client.authorization.as_str())];
            let answer = fixture.send("POST", path, &headers, PING).await;
            assert_eq!(answer.status, 404);
        }
    });
}

#[test]
fn a_missing_scope_is_answered_to_the_post() {
    run(async |_, client| {
        assert_eq!(client.post(&call("credential")).await, 403);
    });
}

#[test]
fn only_get_opens_a_stream_and_only_post_brings_messages() {
    run(async |fixture, client| {
        let headers = [("authorization", client.authorization.as_str())];
        let answer = fixture.send("POST", "/sse", &headers, PING).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "GET, OPTIONS")
        );
        let answer = fixture.send("GET", &client.endpoint, &headers, "").await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "POST, OPTIONS")
        );
        let headers = [headers[0], ("accept", "application/json")];
        let answer = fixture.send("GET", "/sse", &headers, "").await;
        assert_eq!(answer.status, 406);
    });
}

#[test]
fn a_stream_outlives_its_token_and_ends_soon_after_its_grant() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let mut client = Client::connect(&fixture, &token).await;
        while fixture.environment.now() < START + 1000 {
            client.read().await;
        }
        fixture.end_grants().await;
        let before = fixture.environment.now();
        while client.body.frame().await.is_some() {}
        assert!(fixture.environment.now() - before <= 4);
        let keys = fixture.keys().await;
        assert!(keys.iter().all(|key| !key.contains("sse:")), "{keys:?}");
    });
}

#[test]
fn a_stream_of_a_token_without_a_grant_ends_soon_after_the_token() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let mut client = Client::connect(&fixture, BOBS).await;
        while client.body.frame().await.is_some() {}
        let lived = fixture.environment.now() - START;
        assert!((600..=604).contains(&lived), "{lived}");
    });
}

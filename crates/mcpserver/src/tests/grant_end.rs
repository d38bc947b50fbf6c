//! Work ends with the grant, or the presented token, that it was begun with.

use super::session_client::Client;
use super::stateless::{message, send};
use super::*;
use crate::Environment;
use serde_json::json;
use std::time::Duration;

/// A token of the provider's, which ends 600 seconds after it was first shown.
const BOBS: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";

/// Waits for the end of all spawned work, for so many seconds at most.
async fn ended_within(fixture: &Fixture, seconds: u64) {
    let before = fixture.environment.now();
    while fixture.environment.working() > 0 {
        assert!(fixture.environment.now() <= before + seconds);
        fixture.environment.sleep(Duration::from_millis(100)).await;
    }
}

fn is_cancelled(message: &Value) {
    assert_eq!(message["error"]["code"], -32000, "{message}");
    let text = message["error"]["message"].as_str().unwrap();
    assert!(text.contains("the authorization it was made with has ended"));
}

#[test]
fn a_streamed_call_ends_with_an_error_when_its_grant_ends() {
    run(async |fixture, token| {
        for tool in ["pauses", "hangs"] {
            let token = fixture.token(&["tools"]).await;
            let client = Client::initialize(fixture, &token, "2025-11-25").await;
            let mut stream = client.stream(call(tool)).await;
            if tool == "pauses" {
                let first = stream.message().await.unwrap();
                assert_eq!(first["method"], "notifications/progress");
            }
            fixture.end_grants().await;
            is_cancelled(&stream.message().await.unwrap());
            assert_eq!(stream.message().await, None);
            ended_within(fixture, 2).await;
        }
        drop(token);
    });
}

#[test]
fn a_call_that_says_nothing_ends_with_its_grant_whatever_it_accepts() {
    run(async |fixture, _| {
        for accept in ["application/json", "application/json, text/event-stream"] {
            let token = fixture.token(&["tools"]).await;
            let hangs = message("tools/call", json!({"name": "hangs"}), json!({}));
            let headers = [("accept", accept)];
            let before = fixture.environment.now();
            let waiting = send(fixture, &token, &headers, &hangs);
            let ending = async {
                fixture.environment.sleep(Duration::from_secs(2)).await;
                fixture.end_grants().await;
            };
            let (answer, ()) = futures::join!(waiting, ending);
            is_cancelled(&answer.json().await);
            assert!(fixture.environment.now() <= before + 4);
        }
    });
}

#[test]
fn a_batch_and_a_resource_that_is_read_end_with_the_grant() {
    run(async |fixture, _| {
        let read =
            r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test:hangs"}}"#;
        let batch = format!("[{}]", plain_call("hangs"));
        for (revision, body) in [("2025-03-26", batch.as_str()), ("2025-06-18", read)] {
            let token = fixture.token(&["tools"]).await;
            let before = fixture.environment.now();
            let revision = [("mcp-protocol-version", revision)];
            let waiting = fixture.post(&token, &revision, body);
            let ending = async {
                fixture.environment.sleep(Duration::from_secs(2)).await;
                fixture.end_grants().await;
            };
            let (answer, ()) = futures::join!(waiting, ending);
            let answer = answer.json().await;
            is_cancelled(answer.get(0).unwrap_or(&answer));
            assert!(fixture.environment.now() <= before + 4);
        }
    });
}

#[test]
fn a_question_to_the_client_ends_with_its_grant() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(plain_call("asks")).await;
        stream.message().await.unwrap();
        fixture.end_grants().await;
        is_cancelled(&stream.message().await.unwrap());
        ended_within(fixture, 2).await;
    });
}

#[test]
fn a_get_stream_of_a_session_ends_within_seconds_of_its_grant() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-06-18").await;
        let mut stream = client.send("GET", &[], "").await.stream();
        fixture.end_grants().await;
        assert_eq!(stream.message().await, None);
        ended_within(fixture, 2).await;
        assert!(fixture.environment.now() <= START + 3);
    });
}

#[test]
fn a_resumed_stream_ends_within_seconds_of_its_grant() {
    let fixture = Fixture::with(&[("stream_seconds", "1")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let client = Client::initialize(&fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(call("pauses")).await;
        let first = stream.next().await.unwrap().id.unwrap();
        while stream.next().await.is_some() {}
        let mut stream = client.resume(&first).await.stream();
        fixture.end_grants().await;
        while stream.next().await.is_some() {}
        ended_within(&fixture, 3).await;
    });
}

#[test]
fn a_client_that_does_not_read_holds_no_call_beyond_its_grant() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let unread = client.stream(call("chatters")).await;
        fixture.environment.sleep(Duration::from_secs(3)).await;
        assert_eq!(fixture.environment.working(), 1);
        fixture.end_grants().await;
        ended_within(fixture, 3).await;
        drop(unread);
    });
}

#[test]
fn work_of_a_presented_token_ends_with_the_token() {
    let fixture = Fixture::with(&[("call_timeout", "3600")]);
    fixture.environment.run(async {
        let client = Client::initialize(&fixture, BOBS, "2025-11-25").await;
        let mut stream = client.stream(call("hangs")).await;
        is_cancelled(&stream.message().await.unwrap());
        let lived = fixture.environment.now() - START;
        assert!((600..=602).contains(&lived), "{lived}");
    });
}

#[test]
fn a_call_outlives_its_access_token_where_its_grant_lives() {
    let fixture = Fixture::with(&[("call_timeout", "3600")]);
    fixture.environment.run(async {
        let short_lived = |claims: &mut access_token::Claims| claims.exp = START + 5;
        let token = fixture.token_with(&["tools"], short_lived).await;
        let pauses = message("tools/call", json!({"name": "pauses"}), json!({}));
        let events = send(&fixture, &token, &[], &pauses).await.events().await;
        assert!(events.last().unwrap()["result"].is_object());
    });
}

#[test]
fn a_silent_call_ends_with_its_grant_however_long_that_is_trusted() {
    let fixture = Fixture::with(&[("grant_check", "60")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let before = fixture.environment.now();
        let headers = [("mcp-protocol-version", "2025-06-18")];
        let call = plain_call("hangs");
        let waiting = fixture.post(&token, &headers, &call);
        let ending = async {
            fixture.environment.sleep(Duration::from_secs(2)).await;
            fixture.end_grants().await;
        };
        let (answer, ()) = futures::join!(waiting, ending);
        is_cancelled(answer.events().await.last().unwrap());
        assert!(fixture.environment.now() <= before + 4);
    });
}

#[test]
fn a_call_that_lasts_reads_its_grant_once_a_second() {
    run(async |fixture, token| {
        let backend = fixture.server.context.store.backend();
        let (reads, writes) = backend.operations();
        let answer = fixture.post(&token, &[], &plain_call("pauses")).await;
        assert!(answer.events().await[0]["result"].is_object());
        let (more, as_many) = backend.operations();
        assert!((38..=41).contains(&(more - reads)), "{}", more - reads);
        assert_eq!(as_many, writes);
    });
}

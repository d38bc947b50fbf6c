//! Streams that outlive their connection.

use super::session_client::{Client, answer_to, cancelled};
use super::*;
use crate::Environment;
use std::time::Duration;

fn run<F: AsyncFnOnce(&Fixture, String)>(test: F) {
    let fixture = Fixture::with(&[("stream_seconds", "5")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        test(&fixture, token).await;
    });
}

#[test]
fn a_stream_is_closed_in_time_and_gone_on_with_where_it_was_left() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(call("pauses")).await;
        let first = stream.next().await.unwrap();
        assert_eq!(first.data.as_deref(), Some(""));
        assert!(first.retry.is_some());
        let mut seen = Vec::new();
        let mut last = first.id.unwrap();
        let mut connections = 1;
        loop {
            match stream.next().await {
                Some(event) => {
                    last = event.id.unwrap_or(last);
                    let data = event.data.unwrap_or_default();
                    if !data.is_empty() {
                        seen.push(serde_json::from_str::<Value>(&data).unwrap());
                    }
                }
                None if seen.last().is_some_and(|last| last.get("result").is_some()) => break,
                None => {
                    connections += 1;
                    stream = client.resume(&last).await.stream();
                }
            }
        }
        // It takes forty seconds.
        assert!((8..12).contains(&connections), "{connections}");
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0]["params"]["progress"], 1.0);
        assert_eq!(seen[1]["result"]["content"][0]["text"], "paused");
    });
}

#[test]
fn a_client_that_was_cut_off_gets_the_events_it_has_not_seen() {
    run(async |fixture, token| {
        for revision in ["2025-03-26", "2025-11-25"] {
            let client = Client::initialize(fixture, &token, revision).await;
            let mut stream = client.stream(call("pauses")).await;
            let first = stream.next().await.unwrap();
            assert!(first.id.is_some());
            drop(stream);
            let mut stream = client.resume(&first.id.unwrap()).await.stream();
            // Until the time is over, or to the end.
            let mut seen = Vec::new();
            while let Some(message) = stream.message().await {
                seen.push(message);
            }
            if revision == "2025-03-26" {
                // Connections of this revision are not closed on purpose.
                assert_eq!(seen[0]["result"]["content"][0]["text"], "paused");
            } else {
                assert_eq!(seen[0]["params"]["progress"], 1.0);
            }
        }
    });
}

#[test]
fn a_question_is_asked_and_answered_over_several_connections() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(plain_call("asks")).await;
        let first = stream.next().await.unwrap().id.unwrap();
        let question = stream.message().await.unwrap();
        assert_eq!(stream.message().await, None);
        let mut stream = client.resume(&first).await.stream();
        assert_eq!(stream.message().await.unwrap(), question);
        client
            .post(answer_to(&question, r#"{"action":"accept"}"#))
            .await;
        assert!(stream.message().await.unwrap()["result"].is_object());
    });
}

#[test]
fn an_event_id_is_good_for_its_person_and_session_alone() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(call("pauses")).await;
        let id = stream.next().await.unwrap().id.unwrap();
        let other = Client::initialize(fixture, &token, "2025-11-25").await;
        assert_eq!(other.resume(&id).await.status, 400);
        let bobs = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        let bob = Client::initialize(fixture, bobs, "2025-11-25").await;
        assert_eq!(bob.resume(&id).await.status, 400);
        for id in [".", "nonsense", &id[1..], &format!("{id}9999999999")] {
            assert_eq!(client.resume(id).await.status, 400, "{id}");
        }
        client.post(cancelled("1")).await;
    });
}

#[test]
fn nothing_is_stored_for_a_stream_that_keeps_its_connection() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let before = fixture.server.context.store.backend().operations().1;
        let mut stream = client.stream(call("steps")).await;
        while stream.next().await.is_some() {}
        let after = fixture.server.context.store.backend().operations().1;
        assert_eq!(before, after);
    });
}

#[test]
fn a_stream_that_no_client_comes_back_to_leaves_nothing() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let stream = client.stream(call("pauses")).await;
        drop(stream);
        fixture.environment.sleep(Duration::from_secs(60)).await;
        assert_eq!(fixture.environment.working(), 0);
        let streams = async || {
            let mut keys = fixture.keys().await;
            keys.retain(|key| key.contains("mcp-stream"));
            keys.len()
        };
        assert!(streams().await > 0);
        fixture.environment.advance(2 * 3600);
        let now = fixture.environment.now();
        fixture
            .server
            .context
            .store
            .sweep(now, 100_000)
            .await
            .unwrap();
        assert_eq!(streams().await, 0);
    });
}

#[test]
fn without_stream_seconds_streams_are_plain() {
    super::run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(call("steps")).await;
        let event = stream.next().await.unwrap();
        assert_eq!((event.id, event.retry), (None, None));
    });
}

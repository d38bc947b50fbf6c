//! Questions to clients with sessions.

use super::session_client::{Client, answer_to, cancelled};
use super::*;
use crate::Environment;
use std::time::Duration;

const ACCEPTED: &str = r#"{"action":"accept","content":{}}"#;

/// Keys of the store that a session has left.
async fn left(fixture: &Fixture) -> Vec<String> {
    let mut keys = fixture.keys().await;
    keys.retain(|key| key.contains("mcp-"));
    keys
}

#[test]
fn a_question_goes_out_on_the_stream_and_its_answer_comes_by_another_post() {
    run(async |fixture, token| {
        for revision in ["2025-06-18", "2025-11-25"] {
            let client = Client::initialize(fixture, &token, revision).await;
            let mut stream = client.stream(plain_call("asks")).await;
            let question = stream.message().await.unwrap();
            assert_eq!(question["method"], "elicitation/create");
            assert_eq!(question["params"]["message"], "?");
            let answer = client.post(answer_to(&question, ACCEPTED)).await;
            assert_eq!(answer.status, 202);
            let response = stream.message().await.unwrap();
            assert_eq!(response["id"], 1);
            let text = response["result"]["content"][0]["text"].as_str().unwrap();
            assert_eq!(text, format!("{ACCEPTED} seen"));
            assert_eq!(stream.message().await, None);
            assert_eq!(left(fixture).await, [""; 0]);
        }
    });
}

#[test]
fn a_client_that_cannot_be_asked_gets_an_error_instead() {
    run(async |fixture, token| {
        // Elicitation is of later revisions.
        let older = Client::initialize(fixture, &token, "2025-03-26").await;
        let newer = Client::initialize(fixture, &token, "2025-11-25").await;
        let only_json = [("accept", "application/json")];
        for answer in [
            older.post(plain_call("asks")).await,
            newer.send("POST", &only_json, plain_call("asks")).await,
            fixture.post(&token, &[], &plain_call("asks")).await,
        ] {
            assert_eq!(answer.json().await["error"]["code"], -32600);
        }
    });
}

#[test]
fn an_answer_is_taken_from_the_person_who_was_asked_alone() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(plain_call("asks")).await;
        let question = stream.message().await.unwrap();
        let bobs = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        let forged = answer_to(&question, r#"{"action":"forged"}"#);
        assert_eq!(fixture.post(bobs, &[], &forged).await.status, 202);
        assert_eq!(left(fixture).await, [""; 0]);
        let made_up = r#"{"jsonrpc":"2.0","id":"made-up","result":{}}"#;
        assert_eq!(client.post(made_up).await.status, 202);
        assert_eq!(left(fixture).await, [""; 0]);
        client.post(answer_to(&question, ACCEPTED)).await;
        // The first answer is the answer.
        client.post(forged).await;
        let response = stream.message().await.unwrap().to_string();
        assert!(response.contains("accept") && !response.contains("forged"));
    });
}

#[test]
fn an_answer_that_is_too_large_is_refused() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(plain_call("asks")).await;
        let question = stream.message().await.unwrap();
        let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(300 * 1024));
        assert_eq!(client.post(answer_to(&question, &large)).await.status, 400);
        client.post(answer_to(&question, ACCEPTED)).await;
        assert!(stream.message().await.unwrap()["result"].is_object());
    });
}

#[test]
fn a_client_that_answers_too_late_gets_an_error() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(plain_call("asks")).await;
        let question = stream.message().await.unwrap();
        fixture.environment.advance(899);
        fixture.environment.sleep(Duration::from_secs(2)).await;
        let response = stream.message().await.unwrap();
        assert_eq!(response["error"]["code"], -32603);
        let answer = answer_to(&question, ACCEPTED);
        let late = fixture.post(&token, &[], &answer);
        // The token has ended by then, or the question has.
        assert!(matches!(late.await.status, 202 | 401));
        assert_eq!(left(fixture).await, [""; 0]);
    });
}

#[test]
fn waiting_for_an_answer_ends_when_the_request_is_cancelled_or_the_client_gone() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = client.stream(plain_call("asks")).await;
        stream.message().await.unwrap();
        assert_eq!(client.post(cancelled("1")).await.status, 202);
        assert_eq!(stream.message().await, None);
        let other = Client::initialize(fixture, &token, "2025-11-25").await;
        let mut stream = other.stream(plain_call("asks")).await;
        stream.message().await.unwrap();
        drop(stream);
        fixture.environment.sleep(Duration::from_secs(40)).await;
        assert_eq!(fixture.environment.working(), 0);
    });
}

#[test]
fn answers_that_no_call_takes_out_are_bounded_by_person() {
    run(async |fixture, token| {
        let mut statuses = Vec::new();
        for _ in 0..130 {
            let client = Client::initialize(fixture, &token, "2025-11-25").await;
            let mut stream = client.stream(plain_call("asks")).await;
            let question = stream.message().await.unwrap();
            // The call is gone before its answer comes.
            fixture.environment.kill();
            let answer = client.post(answer_to(&question, ACCEPTED)).await;
            statuses.push(answer.status);
        }
        assert_eq!(statuses[..120], [202; 120]);
        assert!(statuses.contains(&429));
    });
}

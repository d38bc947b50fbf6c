//! Calls and refused requests leave the events of docs/events.md.

use super::session_client::Client;
use super::stateless::{message, send};
use super::*;
use crate::Environment;
use serde_json::json;
use std::time::Duration;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER_TRACE: &str = "11111111111111111111111111111111";

fn traceparent(trace: &str) -> String {
    format!("00-{trace}-00f067aa0ba902b7-01")
}

/// All events so far, without their times.
fn events(fixture: &Fixture) -> Vec<Value> {
    let text = fixture.environment.log_text();
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let events = lines.map(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        assert!(event.as_object_mut().unwrap().remove("time").is_some());
        event
    });
    events.collect()
}

/// The newest event.
fn newest(fixture: &Fixture) -> Value {
    events(fixture).pop().unwrap_or_default()
}

#[test]
fn a_call_is_an_event_with_its_caller_and_its_trace_and_no_argument() {
    run(async |fixture, token| {
        let header = traceparent(TRACE);
        let traced = [("traceparent", header.as_str())];
        let body = plain_call("echo").replace("\"x\":1", "\"x\":\"argument-of-ann\"");
        assert_eq!(fixture.post(&token, &traced, &body).await.status, 200);
        let event = newest(fixture);
        assert_eq!(event["event"], "tool_call");
        assert_eq!(event["tool"], "echo");
        assert_eq!(event["outcome"], "ok");
        assert_eq!(event["client_id"], "client");
        assert_eq!(event["subject"], "ann");
        assert_eq!(event["trace_id"], TRACE);
        assert!(event["grant_id"].is_string() && event["duration_ms"].is_u64());
        assert!(!fixture.environment.log_text().contains("argument-of-ann"));

        let mut call = message("tools/call", json!({"name": "echo"}), json!({}));
        call["params"]["_meta"]["traceparent"] = traceparent(OTHER_TRACE).into();
        assert_eq!(send(fixture, &token, &traced, &call).await.status, 200);
        assert_eq!(newest(fixture)["trace_id"], OTHER_TRACE);
        for invalid in [json!(1), json!("nothing"), json!(null)] {
            call["params"]["_meta"]["traceparent"] = invalid;
            assert_eq!(send(fixture, &token, &traced, &call).await.status, 200);
            assert_eq!(newest(fixture)["trace_id"], TRACE);
        }
        assert_eq!(events(fixture).len(), 5);
    });
}

#[test]
fn every_call_leaves_one_event_that_says_what_became_of_it() {
    run(async |fixture, token| {
        for (tool, outcome) in [
            ("echo", "ok"),
            ("denied-softly", "tool_error"),
            ("refuses", "invalid_arguments"),
            ("strict", "invalid_arguments"),
            ("no-such-tool", "unknown_tool"),
            ("fails", "failed"),
            ("garbage", "failed"),
            ("vanishes", "failed"),
            ("hangs", "timeout"),
            ("credential", "insufficient_scope"),
            ("task-only", "missing_capability"),
        ] {
            let before = events(fixture).len();
            let answer = fixture.post(&token, &[], &plain_call(tool)).await;
            answer.bytes().await;
            let events = events(fixture);
            let calls = events[before..].iter();
            let outcomes: Vec<_> = calls
                .filter(|event| event["event"] == "tool_call")
                .map(|event| (event["tool"].clone(), event["outcome"].clone()))
                .collect();
            assert_eq!(outcomes, [(json!(tool), json!(outcome))]);
        }
        let timeout = events(fixture);
        let timeout = timeout.iter().find(|event| event["outcome"] == "timeout");
        let duration = &timeout.unwrap()["duration_ms"];
        assert!(duration.as_u64().unwrap() >= 60_000, "{duration}");
    });
}

#[test]
fn a_call_that_was_given_up_or_lost_its_grant_is_an_event() {
    run(async |fixture, token| {
        let client = Client::initialize(fixture, &token, "2025-11-25").await;
        let stream = client.stream(call("hangs")).await;
        drop(stream);
        fixture.environment.sleep(Duration::from_secs(30)).await;
        assert_eq!(newest(fixture)["outcome"], "cancelled");
        let mut stream = client.stream(call("hangs")).await;
        fixture.end_grants().await;
        while stream.message().await.is_some() {}
        assert_eq!(newest(fixture)["outcome"], "grant_ended");
        assert_eq!(events(fixture).len(), 2);
    });
}

#[test]
fn each_round_of_a_tool_that_asks_is_an_event() {
    run(async |fixture, token| {
        let capabilities = json!({"elicitation": {"form": {}}});
        let mut asked = message("tools/call", json!({"name": "asks"}), capabilities);
        let answer = send(fixture, &token, &[], &asked).await.json().await;
        assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
        assert_eq!(newest(fixture)["outcome"], "input_required");
        let params = &mut asked["params"];
        params["requestState"] = answer["result"]["requestState"].clone();
        params["inputResponses"] = json!({"name": {"action": "accept", "content": {}}});
        send(fixture, &token, &[], &asked).await.json().await;
        assert_eq!(newest(fixture)["outcome"], "ok");
        assert_eq!(events(fixture).len(), 2);
    });
}

#[test]
fn a_refused_request_is_an_event_and_what_clients_try_out_is_none() {
    run(async |fixture, token| {
        fixture.send("POST", "/mcp", &[], PING).await;
        fixture
            .send(
                "GET",
                "/mcp",
                &[("authorization", &format!("Bearer {token}"))],
                "",
            )
            .await;
        assert_eq!(events(fixture), Vec::<Value>::new());

        let header = traceparent(TRACE);
        let traced = [("traceparent", header.as_str())];
        fixture.post("nonsense", &traced, PING).await;
        let refusal = newest(fixture);
        assert_eq!(
            refusal,
            json!({"event": "refusal", "endpoint": "/mcp", "error": "invalid_token",
                "reason": "The token is malformed.", "trace_id": TRACE,
                "parent_id": "00f067aa0ba902b7"})
        );

        let other = |claims: &mut access_token::Claims| claims.iss = "https://other.example".into();
        let other = fixture.token_with(&["tools"], other).await;
        fixture.post(&other, &[], PING).await;
        let refusal = newest(fixture);
        assert_eq!(refusal["reason"], "The token was issued by another server.");
        assert_eq!(refusal["subject"], "ann");
        assert_eq!(refusal["client_id"], "client");
        assert!(refusal["grant_id"].is_string());

        fixture.post(&token, &[], &plain_call("credential")).await;
        let refusal = newest(fixture);
        assert_eq!(refusal["error"], "insufficient_scope");
        assert_eq!(refusal["subject"], "ann");
        assert_eq!(refusal["client_id"], "client");
        assert!(
            refusal["reason"]
                .as_str()
                .unwrap()
                .ends_with("It needs: tools secret.")
        );

        let page = [("origin", "https://evil.example")];
        fixture.post(&token, &page, PING).await;
        assert_eq!(newest(fixture)["error"], "forbidden");
        fixture
            .post(&token, &[("content-type", "text/plain")], PING)
            .await;
        assert_eq!(newest(fixture)["error"], "unsupported_media_type");
        fixture
            .post(&token, &[("mcp-session-id", "gone")], PING)
            .await;
        assert_eq!(newest(fixture)["error"], "not_found");
        fixture.post(&token, &[], "{").await;
        assert_eq!(newest(fixture)["error"], "bad_request");
    });
}

#[test]
fn only_the_kinds_that_the_variable_names_are_written() {
    let fixture = Fixture::with(&[("events", "refusal")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        fixture.post(&token, &[], &plain_call("echo")).await;
        assert_eq!(events(&fixture), Vec::<Value>::new());
        fixture.post("nonsense", &[], PING).await;
        assert_eq!(events(&fixture).len(), 1);
    });
}

#[test]
fn a_refused_holder_of_a_providers_token_is_named() {
    let fixture = Fixture::with(&[("allowed", "subject:another")]);
    fixture.environment.run(async {
        let bobs = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        assert_eq!(fixture.post(bobs, &[], PING).await.status, 403);
        let refusal = newest(&fixture);
        assert_eq!(refusal["error"], "insufficient_scope");
        assert_eq!(refusal["subject"], "bob");
        assert!(refusal.get("client_id").is_none());
    });
}

//! Sessions: requests to the client, cancellation, log levels, the end.

use super::*;
use crate::Environment;
use crate::transport::sessions::Sessions;
use http_body_util::BodyExt;
use mcp::ClientCapabilities;
use serde_json::{Value, json};
use std::time::Duration;

/// A client with a session.
struct Client<'a> {
    fixture: &'a Fixture,
    token: String,
    session: String,
}

impl<'a> Client<'a> {
    async fn begin(fixture: &'a Fixture, capabilities: Value) -> Self {
        let token = fixture.token(&["tools"]).await;
        let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": capabilities,
            "clientInfo": {"name": "t", "version": "1"}}});
        let answer = fixture.post(&token, &[], &message.to_string()).await;
        let session = answer.header("mcp-session-id").to_owned();
        Self {
            fixture,
            token,
            session,
        }
    }

    async fn post(&self, message: &Value) -> Answer {
        let headers = [("mcp-session-id", self.session.as_str())];
        self.fixture
            .post(&self.token, &headers, &message.to_string())
            .await
    }

    async fn request(&self, method: &str, params: Value) -> Answer {
        self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
            .await
    }

    async fn call(&self, tool: &str) -> Answer {
        self.request("tools/call", json!({"name": tool, "arguments": {}}))
            .await
    }

    async fn end(&self) -> u16 {
        let authorization = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("mcp-session-id", self.session.as_str()),
        ];
        self.fixture
            .send("DELETE", "/mcp", &headers, "")
            .await
            .status
    }
}

/// The next message of a stream; `None` at its end. Comments are passed over.
async fn next(body: &mut Body) -> Option<Value> {
    loop {
        let frame = body.frame().await?.unwrap().into_data().unwrap();
        if let Some(message) = messages(std::str::from_utf8(&frame).unwrap()).pop() {
            return Some(message);
        }
    }
}

fn within<F: AsyncFnOnce(&Fixture)>(test: F) {
    let fixture = Fixture::new();
    fixture.environment.run(test(&fixture));
}

#[test]
fn a_client_is_asked_on_the_stream_and_answers_by_a_request_of_its_own() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({"elicitation": {}})).await;
        let mut stream = client.call("asks").await.body;
        let question = next(&mut stream).await.unwrap();
        assert_eq!(question["method"], "elicitation/create");
        let answer = json!({"jsonrpc": "2.0", "id": question["id"],
            "result": {"action": "accept", "content": {"n": 1}}});
        assert_eq!(client.post(&answer).await.status, 202);
        let response = next(&mut stream).await.unwrap();
        assert_eq!(response["id"], 1);
        let text = response["result"]["content"][0]["text"].as_str().unwrap();
        assert!(
            text.contains(r#""n":1"#) && text.ends_with("seen"),
            "{text}"
        );
        assert_eq!(next(&mut stream).await, None);
        let left = fixture.keys().await;
        assert!(
            !left
                .iter()
                .any(|key| key.starts_with("gatehouse:mcp-answer:")),
            "{left:?}"
        );
    });
}

#[test]
fn an_answer_of_another_person_or_to_no_question_changes_nothing() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({"elicitation": {}})).await;
        let mut stream = client.call("asks").await.body;
        let question = next(&mut stream).await.unwrap();
        let answer =
            |id: &Value, who: &str| json!({"jsonrpc": "2.0", "id": id, "result": {"who": who}});
        // A token that the provider knows is bob's.
        let bob = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        let foreign = answer(&question["id"], "bob");
        assert_eq!(
            fixture.post(bob, &[], &foreign.to_string()).await.status,
            202
        );
        let made_up = answer(&json!("x"), "x");
        assert_eq!(client.post(&made_up).await.status, 202);
        let right = answer(&question["id"], "ann");
        assert_eq!(client.post(&right).await.status, 202);
        let response = next(&mut stream).await.unwrap().to_string();
        assert!(
            response.contains("ann") && !response.contains("bob"),
            "{response}"
        );
    });
}

#[test]
fn a_client_that_refuses_to_answer_ends_the_request_with_an_error() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({"elicitation": {}})).await;
        let mut stream = client.call("asks").await.body;
        let question = next(&mut stream).await.unwrap();
        let refusal = json!({"jsonrpc": "2.0", "id": question["id"],
            "error": {"code": -1, "message": "no"}});
        assert_eq!(client.post(&refusal).await.status, 202);
        let response = next(&mut stream).await.unwrap();
        assert_eq!(response["error"]["code"], -32603);
    });
}

#[test]
fn a_client_that_cannot_answer_is_not_asked() {
    within(async |fixture| {
        let silent = Client::begin(fixture, json!({})).await;
        assert_eq!(
            silent.call("asks").await.json().await["error"]["code"],
            -32600
        );
        let client = Client::begin(fixture, json!({"elicitation": {}})).await;
        let headers = [
            ("mcp-session-id", client.session.as_str()),
            ("accept", "application/json"),
        ];
        let call = plain_call("asks");
        let answer = fixture.post(&client.token, &headers, &call);
        assert_eq!(answer.await.json().await["error"]["code"], -32600);
    });
}

#[test]
fn a_call_that_needs_nothing_but_its_state_is_made_again_and_not_without_end() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        let again = client.call("again").await.events().await;
        assert_eq!(again[0]["result"]["content"][0]["text"], "again");
        let endless = client.call("endless").await.events().await;
        assert_eq!(endless[0]["error"]["code"], -32603);
    });
}

#[test]
fn a_prompt_and_a_resource_ask_as_a_tool_does() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({"elicitation": {}})).await;
        for (method, params) in [
            (
                "prompts/get",
                json!({"name": "asks", "arguments": {"topic": "x"}}),
            ),
            ("resources/read", json!({"uri": "test:asks"})),
        ] {
            let mut stream = client.request(method, params).await.body;
            let question = next(&mut stream).await.unwrap();
            let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"a": 1}});
            assert_eq!(client.post(&answer).await.status, 202);
            let response = next(&mut stream).await.unwrap();
            assert!(response["result"].is_object(), "{method}: {response}");
        }
    });
}

#[test]
fn a_session_that_was_ended_is_not_found_any_more() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        let ping = || client.request("ping", json!({}));
        assert_eq!(ping().await.status, 200);
        assert_eq!(client.end().await, 204);
        assert_eq!(ping().await.status, 404);
        assert_eq!(client.end().await, 404);
        let other = Client::begin(fixture, json!({})).await;
        assert_eq!(other.request("ping", json!({})).await.status, 200);
    });
}

#[test]
fn a_session_that_was_ended_elsewhere_is_not_found_after_grant_check_seconds() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        let twin = fixture.twin();
        let elsewhere = Client {
            fixture: &twin,
            token: client.token.clone(),
            session: client.session.clone(),
        };
        let ping = async |client: &Client<'_>| client.request("ping", json!({})).await.status;
        assert_eq!(ping(&elsewhere).await, 200);
        assert_eq!(client.end().await, 204);
        assert_eq!((ping(&client).await, ping(&elsewhere).await), (404, 200));
        fixture.environment.advance(1);
        assert_eq!(ping(&elsewhere).await, 404);
    });
}

#[test]
fn a_burst_of_calls_in_a_session_costs_two_reads_a_second_and_no_write() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        client.call("echo").await;
        let operations = || fixture.server.context.store.backend().operations();
        for _ in 0..3 {
            fixture.environment.advance(1);
            let before = operations();
            for _ in 0..20 {
                client.call("echo").await;
            }
            let after = operations();
            assert_eq!((after.0 - before.0, after.1 - before.1), (2, 0));
        }
    });
}

#[test]
fn log_messages_reach_a_session_from_the_level_on_that_it_has_set() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        let set = async |level: &str| {
            let answer = client.request("logging/setLevel", json!({"level": level}));
            answer.await.json().await
        };
        assert_eq!(
            client.call("echo").await.header("content-type"),
            "application/json"
        );
        assert_eq!(set("info").await["result"], json!({}));
        let events = client.call("echo").await.events().await;
        assert_eq!(events[0]["method"], "notifications/message");
        assert_eq!(set("error").await["result"], json!({}));
        assert_eq!(
            client.call("echo").await.header("content-type"),
            "application/json"
        );
        assert_eq!(set("loud").await["error"]["code"], -32602);
    });
}

#[test]
fn a_cancelled_call_ends_without_a_response() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        let mut stream = client.call("pauses").await.body;
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": 1, "reason": "enough"}});
        assert_eq!(client.post(&cancel).await.status, 202);
        assert_eq!(next(&mut stream).await, None);
        // Another session's request of that id goes on.
        let other = Client::begin(fixture, json!({})).await;
        let mut stream = other.call("pauses").await.body;
        assert_eq!(client.post(&cancel).await.status, 202);
        assert!(next(&mut stream).await.is_some());
    });
}

#[test]
fn what_a_client_can_be_asked_fits_into_its_session() {
    within(async |fixture| {
        let capabilities = json!({"elicitation": {"form": {}, "url": {}}, "roots": {}});
        let client = Client::begin(fixture, capabilities.clone()).await;
        let keys = &fixture.server.context.config.keys;
        let found = Sessions::new()
            .find(keys, "ann", &client.session, START)
            .unwrap();
        assert_eq!(found.capabilities, ClientCapabilities::read(&capabilities));
    });
}

#[test]
fn a_call_ends_with_its_session_and_without_a_response() {
    within(async |fixture| {
        for tool in ["pauses", "hangs"] {
            let client = Client::begin(fixture, json!({})).await;
            let mut stream = client.call(tool).await.body;
            assert_eq!(fixture.environment.working(), 1);
            assert_eq!(client.end().await, 204);
            assert_eq!(next(&mut stream).await, None);
            assert_eq!(fixture.environment.working(), 0);
        }
    });
}

#[test]
fn a_call_that_says_nothing_ends_when_its_client_goes_away() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({})).await;
        let answer = client.call("hangs").await;
        let before = fixture.environment.now();
        drop(answer);
        while fixture.environment.working() > 0 {
            fixture.environment.sleep(Duration::from_secs(1)).await;
        }
        assert!(fixture.environment.now() - before <= 20);
    });
}

#[test]
fn what_is_asked_in_a_later_round_has_to_be_answerable_as_well() {
    within(async |fixture| {
        let client = Client::begin(fixture, json!({"elicitation": {}})).await;
        let params = json!({"uri": "test:asks-more"});
        let mut stream = client.request("resources/read", params).await.body;
        let question = next(&mut stream).await.unwrap();
        let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {}});
        assert_eq!(client.post(&answer).await.status, 202);
        let response = next(&mut stream).await.unwrap();
        assert_eq!(response["error"]["code"], -32600, "{response}");
    });
}

#[test]
fn cancellations_are_bounded_by_person_and_not_by_session() {
    run(async |fixture, token| {
        let mut ids = 0;
        for _ in 0..3 {
            let client = session_client::Client::initialize(fixture, &token, "2025-11-25").await;
            for _ in 0..100 {
                ids += 1;
                let cancelled = session_client::cancelled(&ids.to_string());
                assert_eq!(client.post(cancelled).await.status, 202);
            }
        }
        let keys = fixture.keys().await;
        let kept = keys.iter().filter(|key| key.contains("mcp-cancelled:"));
        // The clock may have begun another minute.
        assert!((120..=240).contains(&kept.count()), "{keys:?}");
        let limits: Vec<_> = keys
            .iter()
            .filter(|key| key.contains("cancel-limit:"))
            .collect();
        assert!(limits.len() <= 2, "{limits:?}");
    });
}

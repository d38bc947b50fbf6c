//! Requests that need no session (2026-07-28).

use super::*;
use crate::Environment;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const VERSION: &str = "2026-07-28";

/// A message with the `_meta` that every request has, and capabilities of the client.
pub(super) fn message(method: &str, params: Value, capabilities: Value) -> Value {
    let mut message = json!({"jsonrpc": "2.0", "id": "q", "method": method, "params": params});
    let meta = &mut message["params"]["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = VERSION.into();
    meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    message
}

pub(super) async fn send(
    fixture: &Fixture,
    token: &str,
    headers: &[(&str, &str)],
    message: &Value,
) -> Answer {
    let name = &message["params"];
    let name = ["name", "uri", "taskId"]
        .iter()
        .find_map(|member| name[member].as_str());
    let mut all = vec![
        ("mcp-protocol-version", VERSION),
        ("mcp-method", message["method"].as_str().unwrap_or("")),
        ("mcp-name", name.unwrap_or("")),
    ];
    all.retain(|(usual, _)| !headers.iter().any(|(given, _)| given == usual));
    all.extend(headers);
    fixture.post(token, &all, &message.to_string()).await
}

pub(super) async fn ask(fixture: &Fixture, token: &str, method: &str, params: Value) -> Value {
    let message = message(method, params, json!({}));
    let answer = send(fixture, token, &[], &message).await;
    assert_eq!(answer.status, 200, "{method}");
    let answer = answer.json().await;
    assert_eq!(answer["id"], "q");
    answer
}

/// The status and the code of an error, which names its request.
pub(super) async fn refused(
    fixture: &Fixture,
    token: &str,
    headers: &[(&str, &str)],
    message: &Value,
) -> (u16, i64) {
    let answer = send(fixture, token, headers, message).await;
    let status = answer.status;
    let answer = answer.json().await;
    assert_eq!(answer["id"], "q", "{answer}");
    (status, answer["error"]["code"].as_i64().unwrap())
}

#[test]
fn everything_is_answered_without_a_session_and_says_what_it_is() {
    run(async |fixture, token| {
        let discovered = ask(fixture, &token, "server/discover", json!({})).await;
        let result = &discovered["result"];
        assert_eq!(result["supportedVersions"][0], VERSION);
        assert!(result["capabilities"]["logging"].is_object());
        for (method, params, member, is_kept) in [
            ("server/discover", json!({}), "capabilities", true),
            ("tools/list", json!({}), "tools", true),
            ("prompts/list", json!({}), "prompts", true),
            ("resources/list", json!({}), "resources", true),
            (
                "resources/templates/list",
                json!({}),
                "resourceTemplates",
                true,
            ),
            (
                "resources/read",
                json!({"uri": "test:one"}),
                "contents",
                true,
            ),
            (
                "prompts/get",
                json!({"name": "ask", "arguments": {"topic": "x"}}),
                "messages",
                false,
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "ask"}, "argument": {"name": "topic", "value": "x"}}),
                "completion",
                false,
            ),
            (
                "tools/call",
                json!({"name": "echo", "arguments": {"x": 1}}),
                "content",
                false,
            ),
        ] {
            let answer = ask(fixture, &token, method, params).await;
            let result = &answer["result"];
            assert_eq!(result["resultType"], "complete", "{method}: {answer}");
            assert!(!result[member].is_null(), "{method}: {answer}");
            assert_eq!(result["ttlMs"].is_u64(), is_kept, "{method}");
            assert_eq!(result["cacheScope"].is_string(), is_kept, "{method}");
            let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
            let is_discovered = method == "server/discover";
            assert_eq!(server["name"], "fixture", "{method}");
            assert_eq!(server["title"], "Fixture", "{method}");
            assert_eq!(server["websiteUrl"].is_string(), is_discovered, "{method}");
        }
        assert!(discovered.to_string().len() < 1000);
    });
}

#[test]
fn a_call_costs_one_read_of_the_store_and_no_write() {
    run(async |fixture, token| {
        let call = json!({"name": "echo", "arguments": {"x": 1}});
        ask(fixture, &token, "tools/call", call.clone()).await;
        fixture.environment.advance(1);
        let (reads, writes) = fixture.server.context.store.backend().operations();
        ask(fixture, &token, "tools/call", call).await;
        let after = fixture.server.context.store.backend().operations();
        assert_eq!(after, (reads + 1, writes));
    });
}

#[test]
fn headers_that_do_not_say_what_the_body_says_are_refused() {
    run(async |fixture, token| {
        let call = message("tools/call", json!({"name": "echo"}), json!({}));
        for headers in [
            [("mcp-protocol-version", "2027-01-01")],
            [("mcp-protocol-version", "")],
            [("mcp-method", "tools/list")],
            [("mcp-method", "")],
            [("mcp-name", "steps")],
            [("mcp-name", "")],
        ] {
            assert_eq!(
                refused(fixture, &token, &headers, &call).await,
                (400, -32020)
            );
        }
        let mut later = call.clone();
        later["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2027-01-01".into();
        assert_eq!(refused(fixture, &token, &[], &later).await, (400, -32020));
        let headers = [("mcp-protocol-version", "2027-01-01")];
        assert_eq!(
            refused(fixture, &token, &headers, &later).await,
            (400, -32022)
        );
    });
}

#[test]
fn what_a_request_has_to_say_of_itself_is_not_left_out() {
    run(async |fixture, token| {
        for left_out in ["protocolVersion", "clientCapabilities"] {
            let mut message = message("server/discover", json!({}), json!({}));
            let meta = message["params"]["_meta"].as_object_mut().unwrap();
            meta.remove(&format!("io.modelcontextprotocol/{left_out}"));
            assert_eq!(refused(fixture, &token, &[], &message).await, (400, -32602));
        }
        let mut bare = message("server/discover", json!({}), json!({}));
        bare["params"] = json!({});
        assert_eq!(refused(fixture, &token, &[], &bare).await, (400, -32602));
    });
}

#[test]
fn a_method_that_there_is_not_or_no_longer_is_not_found() {
    run(async |fixture, token| {
        for method in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "no/such",
        ] {
            let message = message(method, json!({}), json!({}));
            assert_eq!(
                refused(fixture, &token, &[], &message).await,
                (404, -32601),
                "{method}"
            );
        }
    });
}

#[test]
fn notifications_are_taken_and_responses_are_not() {
    run(async |fixture, token| {
        let notification = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
        assert_eq!(send(fixture, &token, &[], &notification).await.status, 202);
        let later = [("mcp-protocol-version", "2027-01-01")];
        assert_eq!(
            send(fixture, &token, &later, &notification).await.status,
            400
        );
        let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
        assert_eq!(send(fixture, &token, &[], &response).await.status, 400);
        let batch = json!([message("tools/list", json!({}), json!({}))]);
        let headers = [("mcp-protocol-version", VERSION)];
        assert_eq!(
            fixture
                .post(&token, &headers, &batch.to_string())
                .await
                .status,
            400
        );
    });
}

#[test]
fn an_old_client_begins_a_session_on_the_same_endpoint() {
    run(async |fixture, token| {
        let answer = fixture.post(&token, &[], &initialize(VERSION)).await;
        assert!(!answer.header("mcp-session-id").is_empty());
        let message = answer.json().await;
        assert_eq!(message["result"]["protocolVersion"], "2025-11-25");
    });
}

#[test]
fn a_missing_scope_is_403_and_names_the_request() {
    run(async |fixture, token| {
        let call = message("tools/call", json!({"name": "credential"}), json!({}));
        let answer = send(fixture, &token, &[], &call).await;
        assert_eq!(answer.status, 403);
        assert!(
            answer
                .header("www-authenticate")
                .contains("insufficient_scope")
        );
        assert_eq!(answer.json().await["id"], "q");
    });
}

#[test]
fn arguments_that_do_not_fit_never_reach_the_tool_and_are_for_the_model() {
    run(async |fixture, token| {
        for (arguments, words) in [
            (json!({"count": "x"}), "`count` has to be an integer"),
            (json!({"count": 1, "other": 1}), "there is no `other`"),
            (json!({}), "`count` is missing"),
        ] {
            let call = json!({"name": "strict", "arguments": arguments});
            let answer = ask(fixture, &token, "tools/call", call).await;
            assert_eq!(answer["result"]["isError"], true);
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            assert!(text.contains(words), "{text}");
        }
        let twice = message(
            "tools/call",
            json!({"name": "strict", "arguments": {"count": 1}}),
            json!({}),
        );
        let twice = twice
            .to_string()
            .replace(r#"{"count":1}"#, r#"{"count":1,"count":2}"#);
        let headers = [
            ("mcp-protocol-version", VERSION),
            ("mcp-method", "tools/call"),
            ("mcp-name", "strict"),
        ];
        let answer = fixture.post(&token, &headers, &twice).await.json().await;
        assert!(answer.to_string().contains("twice"), "{answer}");
    });
}

#[test]
fn structured_content_that_does_not_fit_is_an_error_of_the_server() {
    run(async |fixture, token| {
        let good = json!({"name": "strict", "arguments": {"count": 1}});
        let answer = ask(fixture, &token, "tools/call", good).await;
        assert_eq!(answer["result"]["structuredContent"], json!({"count": 1}));
        for count in [2, 3] {
            let call = json!({"name": "strict", "arguments": {"count": count}});
            let answer = ask(fixture, &token, "tools/call", call).await;
            assert_eq!(answer["error"]["code"], -32603);
        }
        let log = fixture.environment.log_text();
        assert!(
            log.contains("structured content that does not fit"),
            "{log}"
        );
        assert!(log.contains("no structured content"), "{log}");
    });
}

#[test]
fn a_tool_whose_schema_is_not_taken_is_left_out_and_the_log_says_why() {
    run(async |fixture, token| {
        let list = ask(fixture, &token, "tools/list", json!({})).await;
        assert!(!list.to_string().contains("foreign"));
        assert!(list.to_string().contains("strict"));
        let log = fixture.environment.log_text();
        assert!(log.contains("the tool foreign is left out"), "{log}");
        assert!(log.contains("nothing is ever fetched"), "{log}");
    });
}

#[test]
fn arguments_that_headers_repeat_are_the_same_there() {
    run(async |fixture, token| {
        let call = |region: Value| {
            let params = json!({"name": "regional", "arguments": {"region": region}});
            message("tools/call", params, json!({}))
        };
        let eu = call("eu".into());
        for good in ["eu", "=?base64?ZXU=?="] {
            let headers = [("mcp-param-region", good)];
            assert_eq!(send(fixture, &token, &headers, &eu).await.status, 200);
        }
        for bad in ["us", "=?base64?ZXU?="] {
            let headers = [("mcp-param-region", bad)];
            assert_eq!(refused(fixture, &token, &headers, &eu).await, (400, -32020));
        }
        assert_eq!(refused(fixture, &token, &[], &eu).await, (400, -32020));
        assert_eq!(
            send(fixture, &token, &[], &call(Value::Null)).await.status,
            200
        );
    });
}

#[test]
fn log_messages_reach_only_the_caller_that_asked_for_their_level() {
    run(async |fixture, token| {
        let logged = async |level: Option<&str>| {
            let mut call = message("tools/call", json!({"name": "echo"}), json!({}));
            if let Some(level) = level {
                call["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = level.into();
            }
            let answer = send(fixture, &token, &[], &call).await;
            if answer.header("content-type") == "application/json" {
                return Vec::new();
            }
            let mut events = answer.events().await;
            events.retain(|event| event["method"] == "notifications/message");
            events
        };
        assert_eq!(logged(None).await.len(), 0);
        assert_eq!(logged(Some("error")).await.len(), 0);
        assert_eq!(logged(Some("debug")).await[0]["params"]["level"], "info");
        let mut call = message("tools/call", json!({"name": "echo"}), json!({}));
        call["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = "loud".into();
        assert_eq!(refused(fixture, &token, &[], &call).await, (400, -32602));
    });
}

#[test]
fn progress_streams_and_the_result_comes_last() {
    run(async |fixture, token| {
        let mut call = message("tools/call", json!({"name": "steps"}), json!({}));
        call["params"]["_meta"]["progressToken"] = "p".into();
        let events = send(fixture, &token, &[], &call).await.events().await;
        let (last, before) = events.split_last().unwrap();
        assert!(
            before
                .iter()
                .all(|event| event["method"] == "notifications/progress")
        );
        assert_eq!(
            (before.len(), &last["result"]["resultType"]),
            (2, &json!("complete"))
        );
    });
}

#[test]
fn a_client_that_closes_its_stream_cancels_the_call() {
    run(async |fixture, token| {
        let mut call = message("tools/call", json!({"name": "pauses"}), json!({}));
        call["params"]["_meta"]["progressToken"] = 1.into();
        let answer = send(fixture, &token, &[], &call).await;
        assert_eq!(fixture.environment.working(), 1);
        drop(answer);
        for _ in 0..100 {
            if fixture.environment.working() == 0 {
                return;
            }
            fixture.environment.sleep(Duration::from_secs(1)).await;
        }
        panic!("the call goes on");
    });
}

/// Asks and gives back the result, which is one of questions.
async fn asked(fixture: &Fixture, token: &str, method: &str, params: Value) -> Value {
    let message = message(method, params, json!({"elicitation": {}}));
    let answer = send(fixture, token, &[], &message).await.json().await;
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    assert_eq!(answer["result"].get("ttlMs"), None);
    answer["result"].clone()
}

#[test]
fn a_question_is_answered_by_asking_again_with_its_state() {
    run(async |fixture, token| {
        for (method, params) in [
            (
                "tools/call",
                json!({"name": "asks", "arguments": {"x": 1, "y": [1.5, null]}}),
            ),
            ("resources/read", json!({"uri": "test:asks"})),
            ("prompts/get", json!({"name": "asks"})),
        ] {
            let question = asked(fixture, &token, method, params.clone()).await;
            assert_eq!(
                question["inputRequests"]["name"]["method"],
                "elicitation/create"
            );
            let mut again = params.clone();
            again["requestState"] = question["requestState"].clone();
            // Without an answer, or with another's, it is asked again.
            asked(fixture, &token, method, again.clone()).await;
            again["inputResponses"] = json!({"other": {"action": "accept"}});
            asked(fixture, &token, method, again.clone()).await;
            again["inputResponses"]["name"] =
                json!({"action": "accept", "content": {"name": "Ann"}});
            let message = message(method, again, json!({"elicitation": {}}));
            let answer = send(fixture, &token, &[], &message).await.json().await;
            assert_eq!(
                answer["result"]["resultType"], "complete",
                "{method}: {answer}"
            );
            assert!(answer.to_string().contains("Ann") && answer.to_string().contains("seen"));
        }
    });
}

#[test]
fn a_state_is_good_for_its_person_its_request_and_its_time_alone() {
    run(async |fixture, token| {
        let params = json!({"name": "asks", "arguments": {"x": 1}});
        let question = asked(fixture, &token, "tools/call", params.clone()).await;
        let state = question["requestState"].as_str().unwrap();
        let outcome = async |token: &str, method: &str, mut params: Value, state: &str| {
            params["requestState"] = state.into();
            params["inputResponses"] = json!({"name": {"action": "accept"}});
            let message = message(method, params, json!({"elicitation": {}}));
            let answer = send(fixture, token, &[], &message).await;
            assert_eq!(answer.status, 200);
            let answer = answer.json().await;
            answer["error"]["code"].as_i64()
        };
        assert_eq!(
            outcome(&token, "tools/call", params.clone(), state).await,
            None
        );
        let mut tampered = state.to_owned();
        tampered.replace_range(20..21, if &state[20..21] == "A" { "B" } else { "A" });
        for state in [&tampered, &format!("{state}-TAMPERED"), "", "nonsense"] {
            assert_eq!(
                outcome(&token, "tools/call", params.clone(), state).await,
                Some(-32602)
            );
        }
        let other = json!({"name": "asks", "arguments": {"x": 2}});
        assert_eq!(
            outcome(&token, "tools/call", other, state).await,
            Some(-32602)
        );
        let other = json!({"uri": "test:asks"});
        assert_eq!(
            outcome(&token, "resources/read", other, state).await,
            Some(-32602)
        );
        let bob = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        assert_eq!(
            outcome(bob, "tools/call", params.clone(), state).await,
            Some(-32602)
        );
        fixture.environment.advance(900);
        let later = fixture
            .token_with(&["tools"], |claims| claims.exp += 10_000)
            .await;
        assert_eq!(
            outcome(&later, "tools/call", params, state).await,
            Some(-32602)
        );
    });
}

#[test]
fn a_client_is_never_asked_what_it_did_not_say_it_can_answer() {
    run(async |fixture, token| {
        for (method, params) in [
            ("tools/call", json!({"name": "asks"})),
            ("resources/read", json!({"uri": "test:asks"})),
            ("prompts/get", json!({"name": "asks"})),
        ] {
            let message = message(method, params, json!({"sampling": {}}));
            let answer = send(fixture, &token, &[], &message).await;
            assert_eq!(answer.status, 400);
            let error = answer.json().await["error"].clone();
            assert_eq!(error["code"], -32021);
            assert!(error["data"]["requiredCapabilities"]["elicitation"].is_object());
        }
    });
}

#[test]
fn a_message_and_a_call_have_the_limits_that_are_configured() {
    let fixture = Fixture::with(&[("message_limit", "2000"), ("call_timeout", "2")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let large = json!({"name": "echo", "arguments": {"x": "x".repeat(2000)}});
        let large = message("tools/call", large, json!({}));
        assert_eq!(send(&fixture, &token, &[], &large).await.status, 413);
        let before = fixture.environment.now();
        let answer = ask(&fixture, &token, "tools/call", json!({"name": "hangs"})).await;
        assert_eq!(answer["error"]["code"], -32603);
        assert!(fixture.environment.now() - before < 10);
    });
}

#[test]
fn a_silent_call_becomes_a_stream_and_ends_with_its_client() {
    run(async |fixture, token| {
        let call = message("tools/call", json!({"name": "hangs"}), json!({}));
        let answer = send(fixture, &token, &[], &call).await;
        assert_eq!(answer.header("content-type"), "text/event-stream");
        let before = fixture.environment.now();
        drop(answer);
        while fixture.environment.working() > 0 {
            fixture.environment.sleep(Duration::from_secs(1)).await;
        }
        assert!(fixture.environment.now() - before <= 20);
        // Who stays is told that it took too long.
        let events = send(fixture, &token, &[], &call).await.events().await;
        assert_eq!(events[0]["error"]["code"], -32603);
        // Who takes no stream waits.
        let plain = [("accept", "application/json")];
        let answer = send(fixture, &token, &plain, &call).await;
        assert_eq!(answer.json().await["error"]["code"], -32603);
    });
}

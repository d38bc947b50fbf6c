//! `/mcp`.

use super::*;
use mcp::Revision;
use serde_json::json;

#[test]
fn a_client_begins_a_session_lists_the_tools_and_calls_one() {
    run(async |fixture, token| {
        for revision in Revision::ALL.into_iter().filter(|one| !one.is_stateless()) {
            let answer = fixture
                .post(&token, &[], &initialize(revision.as_str()))
                .await;
            assert_eq!(answer.status, 200);
            let session = answer.header("mcp-session-id").to_owned();
            assert!(!session.is_empty());
            let message = answer.json().await;
            assert_eq!(message["result"]["protocolVersion"], revision.as_str());
            let headers = [
                ("mcp-session-id", session.as_str()),
                ("mcp-protocol-version", revision.as_str()),
            ];
            let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
            let answer = fixture.post(&token, &headers, initialized).await;
            assert_eq!(answer.status, 202);
            assert!(answer.bytes().await.is_empty());
            let list = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
            let message = fixture.post(&token, &headers, list).await.json().await;
            assert_eq!(message["result"]["tools"][0]["name"], "echo");
            let message = fixture
                .post(&token, &headers, &plain_call("echo"))
                .await
                .json()
                .await;
            assert_eq!(
                message,
                json!({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"x\":1}"}]}})
            );
        }
    });
}

#[test]
fn an_unknown_revision_is_answered_with_the_newest() {
    run(async |fixture, token| {
        let answer = fixture.post(&token, &[], &initialize("2031-01-01")).await;
        let message = answer.json().await;
        assert_eq!(message["result"]["protocolVersion"], "2025-11-25");
    });
}

#[test]
fn a_session_that_is_unknown_or_another_persons_is_not_found() {
    run(async |fixture, token| {
        let answer = fixture.post(&token, &[], &initialize("2025-06-18")).await;
        let session = answer.header("mcp-session-id").to_owned();
        let headers = [("mcp-session-id", session.as_str())];
        assert_eq!(fixture.post(&token, &headers, PING).await.status, 200);
        let bobs = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        let answer = fixture.post(bobs, &headers, PING).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json().await["error"]["code"], -32001);
        let unknown = [("mcp-session-id", "nonsense")];
        assert_eq!(fixture.post(&token, &unknown, PING).await.status, 404);
        let again = fixture
            .post(&token, &unknown, &initialize("2025-06-18"))
            .await;
        assert_eq!(again.status, 200);
        fixture.environment.advance(1);
        assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
    });
}

#[test]
fn what_the_transport_does_not_take_is_refused_by_its_status() {
    run(async |fixture, token| {
        let status = async |headers: &[(&str, &str)], body: &str| {
            fixture.post(&token, headers, body).await.status
        };
        assert_eq!(status(&[("content-type", "text/plain")], PING).await, 415);
        assert_eq!(status(&[("content-type", "")], PING).await, 415);
        assert_eq!(status(&[("accept", "text/html")], PING).await, 406);
        assert_eq!(status(&[], "{").await, 400);
        assert_eq!(status(&[], "1").await, 400);
        assert_eq!(status(&[], &" ".repeat(1024 * 1024 + 1)).await, 413);
        let announced = [("content-length", "1048577")];
        assert_eq!(status(&announced, PING).await, 413);
        let length = PING.len().to_string();
        assert_eq!(status(&[("content-length", &length)], PING).await, 200);
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let sessionless = "POST, DELETE, OPTIONS";
        for (method, allowed) in [
            ("GET", sessionless),
            ("DELETE", sessionless),
            ("PUT", "GET, POST, DELETE, OPTIONS"),
        ] {
            let answer = fixture.send(method, "/mcp", &headers, "").await;
            assert_eq!((answer.status, answer.header("allow")), (405, allowed));
        }
    });
}

#[test]
fn an_error_of_the_protocol_is_answered_as_json_rpc_has_it() {
    run(async |fixture, token| {
        let code = async |body: &str| {
            let answer = fixture.post(&token, &[], body).await;
            answer.json().await["error"]["code"].clone()
        };
        assert_eq!(code("{").await, -32700);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#).await, -32600);
        assert_eq!(
            code(r#"{"jsonrpc":"2.0","id":1,"method":"tasks/list"}"#).await,
            -32601
        );
        assert_eq!(
            code(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#).await,
            -32602
        );
        assert_eq!(code(&call("unknown")).await, -32602);
    });
}

#[test]
fn a_tool_that_goes_wrong_costs_its_caller_an_error_and_others_nothing() {
    run(async |fixture, token| {
        for tool in ["garbage", "fails"] {
            let message = fixture.call(&token, tool).await;
            assert_eq!(message["error"]["code"], -32603, "{tool}");
            assert!(!message.to_string().contains("for the log"));
        }
        assert!(fixture.environment.log_text().contains("for the log"));
        let hangs = fixture.post(&token, &[], &plain_call("hangs")).await;
        assert_eq!(hangs.events().await[0]["error"]["code"], -32603);
        let answer = fixture.post(&token, &[], &plain_call("vanishes")).await;
        assert_eq!(answer.json().await["error"]["code"], -32603);
        let answer = fixture.post(&token, &[], &plain_call("echo")).await;
        assert!(answer.json().await["result"].is_object());
    });
}

#[test]
fn bad_arguments_are_for_the_model_where_the_revision_says_so() {
    run(async |fixture, token| {
        let answer = async |revision| {
            let headers = [("mcp-protocol-version", revision)];
            let answer = fixture.post(&token, &headers, &plain_call("refuses")).await;
            answer.json().await
        };
        let older = answer("2025-06-18").await;
        assert_eq!(older["error"]["code"], -32602);
        let newer = answer("2025-11-25").await;
        assert_eq!(newer["result"]["isError"], true);
        assert!(newer.to_string().contains("mend this"));
    });
}

#[test]
fn progress_streams_in_order_and_the_response_comes_last() {
    run(async |fixture, token| {
        let events = fixture
            .post(&token, &[], &call("steps"))
            .await
            .events()
            .await;
        let progress: Vec<_> = events[..events.len() - 1]
            .iter()
            .map(|event| event["params"]["progress"].as_f64().unwrap())
            .collect();
        assert_eq!(progress, [1.0, 2.0]);
        assert_eq!(events[0]["params"]["progressToken"], "p");
        assert_eq!(events[2]["result"]["content"][0]["text"], "steps");
        assert_eq!(events.len(), 3);
    });
}

#[test]
fn who_wants_no_progress_or_no_stream_gets_json() {
    run(async |fixture, token| {
        let plain = fixture.post(&token, &[], &plain_call("steps")).await;
        assert!(plain.json().await["result"].is_object());
        let json = [("accept", "application/json")];
        let answer = fixture.post(&token, &json, &call("steps")).await;
        assert!(answer.json().await["result"].is_object());
        let stream = [("accept", "text/event-stream")];
        let events = fixture.post(&token, &stream, PING).await.events().await;
        assert_eq!(events, [json!({"jsonrpc":"2.0","id":"a","result":{}})]);
    });
}

#[test]
fn a_stream_that_is_silent_says_that_it_lives() {
    run(async |fixture, token| {
        let answer = fixture.post(&token, &[], &call("pauses")).await;
        let text = String::from_utf8(answer.bytes().await.to_vec()).unwrap();
        assert_eq!(text.matches(": keep-alive\n\n").count(), 2);
        assert_eq!(messages(&text).len(), 2);
    });
}

#[test]
fn a_client_that_leaves_cancels_its_call() {
    run(async |fixture, token| {
        let answer = fixture.post(&token, &[], &call("pauses")).await;
        assert_eq!(fixture.environment.working(), 1);
        drop(answer);
        for _ in 0..100 {
            if fixture.environment.working() == 0 {
                return;
            }
            crate::Environment::sleep(&fixture.environment, std::time::Duration::from_secs(1))
                .await;
        }
        panic!("the call goes on");
    });
}

#[test]
fn a_batch_is_answered_in_one_array_by_2025_03_26_alone() {
    run(async |fixture, token| {
        let batch = format!(
            r#"[{PING},{{"jsonrpc":"2.0","method":"notifications/initialized"}},{},1,{}]"#,
            call("echo"),
            initialize("2025-03-26"),
        );
        let answer = fixture.post(&token, &[], &batch).await;
        let responses = answer.json().await;
        assert_eq!(responses.as_array().unwrap().len(), 4);
        assert_eq!(responses[0]["id"], "a");
        assert!(responses[1]["result"].is_object());
        assert_eq!(responses[2]["error"]["code"], -32600);
        assert_eq!(responses[3]["error"]["code"], -32600);
        let quiet = r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#;
        assert_eq!(fixture.post(&token, &[], quiet).await.status, 202);
        let headers = [("mcp-protocol-version", "2025-06-18")];
        assert_eq!(fixture.post(&token, &headers, &batch).await.status, 400);
    });
}

//! Messages of clients that write JSON in their own way: empty objects as `[]`, made-up
//! cursors, members of another type; and the responses to them.

use gatehouse_tests::mcp::answer;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, Stateless};
use serde_json::{Value, json};

/// The revisions with sessions.
const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// What no error may say: words of serde, and names of types of this program.
const FOREIGN: [&str; 10] = [
    "struct",
    "sequence",
    "expected",
    "Wire",
    "enum",
    "variant",
    "missing field",
    "at line",
    "serde",
    "invalid type",
];

async fn token(gatehouse: &Gatehouse) -> String {
    let client = Client::register(gatehouse).await;
    client.sign_in(&Person::new()).await.access
}

async fn in_session(gatehouse: &Gatehouse, token: &str, revision: &str) -> Mcp {
    let mut mcp = Mcp::new(gatehouse.url("/mcp"), Some(token));
    mcp.initialize(revision).await;
    mcp
}

#[tokio::test]
async fn an_empty_array_is_an_empty_object_and_no_other_array_is_one() {
    let gatehouse = Gatehouse::start().await;
    let token = token(&gatehouse).await;
    for revision in REVISIONS {
        let mcp = in_session(&gatehouse, &token, revision).await;
        for params in [
            json!([]),
            json!({ "_meta": [] }),
            json!({ "cursor": null, "_meta": [] }),
        ] {
            let answer = answer(mcp.request("tools/list", params.clone()).await).await;
            assert!(answer["result"]["tools"].is_array(), "{params}: {answer}");
        }
        let me = json!({ "name": "getUserInfo", "arguments": [], "_meta": [] });
        let called = answer(mcp.request("tools/call", me).await).await;
        assert!(called["result"]["content"].is_array(), "{called}");
        for (method, params, codes) in [
            ("tools/list", json!([1]), [-32600, -32602]),
            ("tools/list", json!([[]]), [-32600, -32602]),
            ("tools/list", json!("{}"), [-32600, -32602]),
            ("tools/call", json!(["add"]), [-32600, -32602]),
            (
                "tools/call",
                json!({ "name": "add", "arguments": [1, 2] }),
                [-32602; 2],
            ),
            (
                "tools/call",
                json!({ "name": "add", "arguments": "{}" }),
                [-32602; 2],
            ),
            (
                "tools/call",
                json!({ "name": "add", "arguments": {}, "_meta": ["t"] }),
                [-32602; 2],
            ),
        ] {
            let refused = answer(mcp.request(method, params.clone()).await).await;
            let code = refused["error"]["code"].as_i64().unwrap_or_default();
            assert!(codes.contains(&code), "{params}: {refused}");
        }
    }
    let mcp = Stateless::new(gatehouse.url("/mcp"), &token);
    let empty = json!({ "name": "getUserInfo", "arguments": [] });
    let called = mcp.result("tools/call", empty).await;
    assert!(called["content"].is_array(), "{called}");
    for arguments in [json!([1]), json!([{}]), json!(1)] {
        let refused = mcp
            .ask(
                "tools/call",
                json!({ "name": "add", "arguments": arguments }),
            )
            .await;
        assert_eq!(answer(refused).await["error"]["code"], -32602);
    }
    let mut php = mcp.request("tools/list", json!({}));
    php["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!([]);
    let listed = answer(mcp.message(&php).send().await.unwrap()).await;
    assert!(listed["result"]["tools"].is_array(), "{listed}");
}

#[tokio::test]
async fn a_cursor_that_was_not_given_is_invalid_in_every_revision_and_list() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let token = token(&gatehouse).await;
    let lists = [
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    ];
    let cursors = [
        json!("nonsense"),
        json!(""),
        json!("MQ=="),
        json!(1),
        json!({}),
        json!(["a"]),
    ];
    for method in lists {
        for cursor in &cursors {
            let params = json!({ "cursor": cursor });
            let mut answers = Vec::new();
            for revision in REVISIONS {
                let mcp = in_session(&gatehouse, &token, revision).await;
                answers.push(answer(mcp.request(method, params.clone()).await).await);
            }
            let mcp = Stateless::new(gatehouse.url("/mcp"), &token);
            answers.push(answer(mcp.ask(method, params).await).await);
            for answer in answers {
                assert_eq!(
                    answer["error"]["code"], -32602,
                    "{method} {cursor}: {answer}"
                );
                let message = answer["error"]["message"].as_str().unwrap();
                assert!(message.contains("ursor"), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn no_error_has_words_of_the_program_in_it() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let token = token(&gatehouse).await;
    let session = in_session(&gatehouse, &token, "2025-11-25").await;
    let stateless = Stateless::new(gatehouse.url("/mcp"), &token);
    let wrong = [
        json!(1),
        json!("x"),
        json!(true),
        json!([1]),
        json!({ "x": [1] }),
    ];
    let requests = [
        ("tools/call", &["name", "arguments", "_meta"][..]),
        ("prompts/get", &["name", "arguments"]),
        ("resources/read", &["uri"]),
        ("resources/list", &["cursor"]),
        ("completion/complete", &["ref", "argument", "context"]),
        ("logging/setLevel", &["level"]),
        ("resources/subscribe", &["uri"]),
        ("initialize", &["protocolVersion", "capabilities"]),
        ("subscriptions/listen", &["notifications"]),
        ("tasks/get", &["taskId"]),
        (
            "tasks/update",
            &["taskId", "inputResponses", "requestState"],
        ),
    ];
    let good = json!({
        "name": "x", "arguments": {}, "uri": "test://x", "level": "info", "taskId": "x",
        "ref": { "type": "ref/prompt", "name": "x" }, "argument": { "name": "a", "value": "" },
        "protocolVersion": "2025-11-25", "notifications": {},
    });
    let mut errors = 0;
    for (method, members) in requests {
        let mut all: Vec<Value> = vec![json!({})];
        for member in members {
            for value in &wrong {
                let mut params = good.clone();
                params[*member] = value.clone();
                all.push(params);
            }
        }
        for params in all {
            let in_session = session.request(method, params.clone()).await;
            let mut answers = vec![in_session.text().await.unwrap()];
            let is_a_stream =
                method == "subscriptions/listen" && params["notifications"].is_object();
            if !is_a_stream {
                // Wrong by itself, or with all that belongs in there beside what is wrong.
                let message = match params.get("_meta") {
                    Some(meta) if !meta.is_object() => {
                        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
                    }
                    _ => stateless.request(method, params.clone()),
                };
                let request = stateless.message(&message);
                answers.push(request.send().await.unwrap().text().await.unwrap());
            }
            for answer in answers {
                if !answer.contains("\"error\":{\"code\"") {
                    continue;
                }
                errors += 1;
                for foreign in FOREIGN {
                    assert!(!answer.contains(foreign), "{method} {params}: {answer}");
                }
            }
        }
    }
    assert!(errors > 100, "{errors}");
    for (path, body) in [
        ("/register", json!([1])),
        ("/register", json!({ "jwks": 1, "redirect_uris": {} })),
    ] {
        let refused = reqwest::Client::new().post(gatehouse.url(path)).json(&body);
        let text = refused.send().await.unwrap().text().await.unwrap();
        assert!(
            FOREIGN.iter().all(|foreign| !text.contains(foreign)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn initialize_begins_a_session_whatever_the_version_header_says() {
    let gatehouse = Gatehouse::start().await;
    let token = token(&gatehouse).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&token));
    for (asked, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        for header in [
            "2026-07-28",
            "2027-01-01",
            "1999-01-01",
            "undefined",
            "",
            "2025-06-18",
        ] {
            let message = json!({
                "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                    "protocolVersion": asked,
                    "capabilities": [],
                    "clientInfo": { "name": "tests", "version": "1" },
                },
            });
            let request = mcp.message(&message).header("mcp-protocol-version", header);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{asked} {header}");
            assert!(response.headers().contains_key("mcp-session-id"));
            let result = gatehouse_tests::mcp::result(response).await;
            assert_eq!(result["protocolVersion"], agreed, "{asked} {header}");
        }
    }
    // What is wrong with it is told as that revision tells it.
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": [] });
    let request = mcp
        .message(&message)
        .header("mcp-protocol-version", "2026-07-28");
    let refused = answer(request.send().await.unwrap()).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

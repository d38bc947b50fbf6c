//! Requests of the remote server to the caller's client.

use crate::testing::{Reply, Script, Seen, call, error_text, server};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tools_export::{Answer, Call, InputRequired};

/// Returns the call of the next round.
fn next(name: &str, asked: &InputRequired, answers: &[(&str, Value)]) -> Call {
    let mut call = call(name);
    call.context.state.clone_from(&asked.state);
    call.context.answers = answers
        .iter()
        .map(|(id, result)| Answer {
            id: (*id).to_owned(),
            result: result.to_string(),
        })
        .collect();
    call
}

#[test]
fn a_stateless_server_asks_in_its_result_and_gets_the_answers_with_its_state() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let params = &seen.body["params"];
        let result = match params["inputResponses"]["name"]["content"]["name"].as_str() {
            Some(name) if params["requestState"] == "opaque" => {
                json!({"resultType": "complete", "content": [{"type": "text", "text": name}]})
            }
            Some(_) => json!({"resultType": "complete", "content": [], "isError": true}),
            None => json!({
                "resultType": "input_required",
                "inputRequests": {"name": {"method": "elicitation/create", "params": {"message": "?"}}},
                "requestState": "opaque",
            }),
        };
        (seen.method() == "tools/call").then(|| seen.result(result))
    }));
    let client = script.client(&[]);
    let asked = script.asked(&client, call("add"));
    assert_eq!(
        (&*asked.requests[0].id, &*asked.requests[0].method),
        ("name", "elicitation/create")
    );
    let answer = json!({"action": "accept", "content": {"name": "Ada"}});
    let output = script.output(&client, next("add", &asked, &[("name", answer)]));
    assert_eq!(output, tools_export::Output::text("Ada"));
    let seen = script.seen();
    let capabilities =
        &seen[1].body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(capabilities["elicitation"], json!({"form": {}, "url": {}}));
}

/// A server of before whose tool asks each of these messages in turn, and says what it was answered.
struct Asker {
    script: Script,
    /// Calls that got as far as their first question.
    begun: Arc<AtomicU32>,
}

fn asker(messages: &'static [&'static str], hint: bool) -> Asker {
    asker_of(
        move |number| messages.get(number).map(|message| (*message).to_owned()),
        hint,
    )
}

/// The replies of a script are written in advance, so the tool's stream is made of what earlier answers were known when the call came.
fn asker_of(message: impl Fn(usize) -> Option<String> + Send + 'static, hint: bool) -> Asker {
    let begun = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&begun);
    let script = Script::new(server("2025-11-25", move |seen| {
        let tool = json!({"name": "add", "inputSchema": {"type": "object"}, "annotations": {"idempotentHint": hint}});
        match seen.method() {
            "tools/list" => Some(seen.result(json!({"tools": [tool]}))),
            "tools/call" => {
                counted.fetch_add(1, Relaxed);
                let questions = (0..).map_while(&message).take(50).enumerate();
                let questions: Vec<Value> = questions
                    .map(|(number, message)| json!({
                        "jsonrpc": "2.0", "id": format!("q{number}"), "method": "elicitation/create",
                        "params": {"message": message, "requestedSchema": {}, "_meta": {"at": seen.body["id"]}},
                    }))
                    .collect();
                Some(seen.stream(
                    &questions,
                    Some(json!({"content": [{"type": "text", "text": "done"}]})),
                ))
            }
            _ => None,
        }
    }));
    Asker { script, begun }
}

/// Returns the answers that were seen, by the ids of the server's requests.
fn answers(seen: &[Seen]) -> Vec<(String, Value)> {
    seen.iter()
        .filter(|seen| seen.body.get("result").is_some() && seen.body.get("method").is_none())
        .map(|seen| {
            (
                seen.body["id"].as_str().unwrap_or_default().to_owned(),
                seen.body["result"].clone(),
            )
        })
        .collect()
}

#[test]
fn a_question_ends_the_round_and_is_answered_in_the_next_call() {
    let Asker { script, begun } = asker(&["Name?", "Age?"], true);
    let client = script.client(&[]);
    let asked = script.asked(&client, call("add"));
    let params: Value = serde_json::from_str(&asked.requests[0].params).unwrap();
    assert_eq!(params, json!({"message": "Name?", "requestedSchema": {}}));
    script.settle();
    assert!(
        script
            .methods()
            .iter()
            .any(|method| method == "notifications/cancelled"),
        "the first call is over"
    );
    let ada = json!({"action": "accept", "content": {"name": "Ada"}});
    let asked = script.asked(&client, next("add", &asked, &[("question", ada.clone())]));
    assert!(asked.requests[0].params.contains("Age?"));
    script.settle();
    assert_eq!(answers(&script.seen()), [("q0".to_owned(), ada.clone())]);
    let age = json!({"action": "decline"});
    let output = script.output(&client, next("add", &asked, &[("question", age.clone())]));
    assert!(!output.is_error);
    assert_eq!(
        answers(&script.seen()),
        [("q0".to_owned(), ada), ("q1".to_owned(), age)]
    );
    assert_eq!(begun.load(Relaxed), 3);
}

#[test]
fn a_call_that_may_not_be_repeated_asks_no_one_and_is_logged() {
    let Asker { script, begun } = asker(&["Charge the card?"], false);
    log_line::capture();
    let output = script.output(&script.client(&[]), call("add"));
    assert!(!output.is_error);
    let seen = script.seen();
    let refused = seen
        .iter()
        .find(|seen| seen.body.get("error").is_some())
        .unwrap();
    assert_eq!(refused.body["id"], "q0");
    assert!(
        refused.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("made again")
    );
    assert_eq!(begun.load(Relaxed), 1);
    assert!(log_line::captured().contains("name it in the variable repeat"));
}

#[test]
fn the_operator_can_say_which_calls_may_be_made_again() {
    let Asker { script, .. } = asker(&["Name?"], false);
    script.asked(&script.client(&[("repeat", "other a*")]), call("add"));
}

#[test]
fn an_answer_goes_to_no_other_question() {
    let number = Arc::new(Mutex::new(0));
    let Asker { script, .. } = asker_of(
        move |at| {
            let mut number = number.lock().unwrap();
            *number += 1;
            (at == 0).then(|| format!("Question {number}?"))
        },
        true,
    );
    let client = script.client(&[]);
    let asked = script.asked(&client, call("add"));
    let again = script.asked(
        &client,
        next("add", &asked, &[("question", json!({"action": "accept"}))]),
    );
    assert_ne!(asked.requests[0].params, again.requests[0].params);
    assert!(answers(&script.seen()).is_empty());
}

#[test]
fn a_server_that_asks_without_end_is_told_so() {
    let Asker { script, .. } = asker_of(|at| Some(format!("Question {at}?")), true);
    let client = script.client(&[]);
    let mut asked = script.asked(&client, call("add"));
    let yes = json!({"action": "accept"});
    for _ in 1..32 {
        asked = script.asked(&client, next("add", &asked, &[("question", yes.clone())]));
    }
    let output = script.output(&client, next("add", &asked, &[("question", yes)]));
    assert!(!output.is_error, "{output:?}");
    let refused = script
        .seen()
        .into_iter()
        .filter(|seen| seen.body.get("error").is_some())
        .count();
    assert_eq!(refused, 50 - 32);
}

#[test]
fn a_stateless_server_that_asks_without_end_is_left() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let result =
            json!({"resultType": "input_required", "requestState": seen.body["id"].to_string()});
        (seen.method() == "tools/call").then(|| seen.result(result))
    }));
    let client = script.client(&[]);
    let mut asked = script.asked(&client, call("add"));
    for _ in 1..32 {
        asked = script.asked(&client, next("add", &asked, &[]));
    }
    assert!(script.output(&client, next("add", &asked, &[])).is_error);
}

#[test]
fn a_url_of_a_question_is_opened_and_the_call_then_made_again() {
    let mut calls = 0;
    let script: Script = Script::new(server("2025-11-25", move |seen| {
        if seen.method() != "tools/call" {
            return None;
        }
        calls += 1;
        let question = json!({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {
            "mode": "url", "elicitationId": format!("{calls}"), "url": "https://x.example", "message": "Sign in"}});
        let questions = if calls == 1 { &[question][..] } else { &[] };
        Some(seen.stream(questions, Some(json!({"content": []}))))
    }));
    let client = script.client(&[("repeat", "add")]);
    let first = script.asked(&client, call("add"));
    let accepted = next("add", &first, &[("question", json!({"action": "accept"}))]);
    let output = script.output(&client, accepted);
    assert!(!output.is_error, "{output:?}");
    assert!(
        answers(&script.seen()).is_empty(),
        "the server knows by itself"
    );
    let declined = next("add", &first, &[("question", json!({"action": "decline"}))]);
    assert!(error_text(&script.output(&client, declined)).contains("did not open"));
}

#[test]
fn what_the_client_cannot_be_asked_is_refused_and_the_call_goes_on() {
    let Asker { script, .. } = asker(&["Name?"], true);
    let mut call = call("add");
    call.context.capabilities.elicits_forms = false;
    assert!(!script.output(&script.client(&[]), call).is_error);
    let seen = script.seen();
    let refused = seen
        .iter()
        .find(|seen| seen.body.get("error").is_some())
        .unwrap();
    assert_eq!(refused.body["error"]["code"], -32602);
}

#[test]
fn a_ping_is_answered_and_what_is_unknown_refused() {
    let script: Script = Script::new(server("2025-11-25", |seen| {
        let requests = [
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": "x", "method": "shell/run", "params": {}}),
        ];
        (seen.method() == "tools/call")
            .then(|| seen.stream(&requests, Some(json!({"content": []}))))
    }));
    script.output(&script.client(&[]), call("add"));
    let seen = script.seen();
    let answers: Vec<_> = seen
        .iter()
        .filter(|seen| seen.body.get("method").is_none())
        .collect();
    assert_eq!(
        answers[0].body,
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
    assert_eq!(
        (&answers[1].body["id"], &answers[1].body["error"]["code"]),
        (&json!("x"), &json!(-32601))
    );
    assert!(
        answers
            .iter()
            .all(|seen| seen.header("mcp-session-id") == Some("session-1"))
    );
}

#[test]
fn a_stateless_server_cannot_ask_on_a_stream() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "?"}});
        (seen.method() == "tools/call")
            .then(|| seen.stream(&[request], Some(json!({"content": []}))))
    }));
    assert!(!script.output(&script.client(&[]), call("add")).is_error);
    assert_eq!(script.methods(), ["server/discover", "tools/call"]);
}

#[test]
fn a_person_who_has_to_open_a_url_is_sent_there_and_the_call_made_again() {
    let script: Script = Script::new(server("2025-11-25", |seen| {
        let elicitation = json!({"mode": "url", "elicitationId": "e", "url": "https://x.example", "message": "Sign in"});
        let error = json!({"code": -32042, "message": "Sign in first", "data": {"elicitations": [elicitation]}});
        let error = json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error});
        (seen.method() == "tools/call").then(|| Reply::json(&error))
    }));
    let client = script.client(&[]);
    let asked = script.asked(&client, call("add"));
    assert!(asked.requests[0].params.contains("https://x.example"));
    let accepted = next("add", &asked, &[("0", json!({"action": "accept"}))]);
    script.asked(&client, accepted);
    let calls = script
        .methods()
        .iter()
        .filter(|method| *method == "tools/call")
        .count();
    assert_eq!(calls, 2);
    let declined = next("add", &asked, &[("0", json!({"action": "decline"}))]);
    let output = script.output(&client, declined);
    assert!(error_text(&output).contains("did not open"));
    assert!(script.seen().is_empty(), "the call is not made again");
    let mut cannot = call("add");
    cannot.context.capabilities.elicits_urls = false;
    assert_eq!(error_text(&script.output(&client, cannot)), "Sign in first");
}

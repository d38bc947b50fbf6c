//! JSON-RPC 2.0 messages.

use mcp::jsonrpc::{Body, Id, Message, batch_response, error_response, parse, response};
use mcp::{CallParams, Error, InitializeParams, Revision};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A JSON-RPC body: whatever it is, the answer to it is JSON that repeats its id.
pub fn jsonrpc(data: &[u8]) {
    for revision in Revision::ALL {
        match parse(data, revision) {
            Ok(Body::Single(message)) => {
                check(&message, revision);
            }
            Ok(Body::Batch(messages)) => {
                assert!(revision.has_batches() && (1..=100).contains(&messages.len()));
                let answers: Vec<String> = messages
                    .iter()
                    .filter_map(|message| check(message, revision))
                    .collect();
                let batch = batch_response(&answers);
                let array: Vec<&RawValue> = serde_json::from_str(&batch).expect("an array");
                assert_eq!(array.len(), answers.len());
            }
            Err(error) => check_error(None, &error, revision),
        }
    }
}

/// The answer, if there is one.
fn check(message: &Message<'_>, revision: Revision) -> Option<String> {
    match message {
        Message::Request { id, params, .. } => {
            check_params(*params);
            check_error(Some(id), &Error::internal(), revision);
            assert!(is_text_or_number(id.as_json()));
            let answer = response(id, "{}");
            assert_eq!(fields(&answer)["id"].get(), id.as_json());
            Some(answer)
        }
        Message::Notification { params, .. } => {
            check_params(*params);
            None
        }
        Message::Response { .. } => None,
        Message::Invalid { id, error } => {
            check_error(id.as_ref(), error, revision);
            Some(error_response(id.as_ref(), error, revision))
        }
    }
}

fn check_error(id: Option<&Id>, error: &Error, revision: Revision) {
    let text = error_response(id, error, revision);
    let answer = fields(&text);
    assert_eq!(answer["jsonrpc"].get(), "\"2.0\"");
    let error: Value = serde_json::from_str(answer["error"].get()).expect("JSON of ours");
    assert!(error["code"].is_i64() && error["message"].is_string());
    match id {
        Some(id) => assert_eq!(answer["id"].get(), id.as_json()),
        None => assert!(answer.get("id").is_none_or(|id| id.get() == "null")),
    }
}

fn check_params(params: Option<&RawValue>) {
    if let Some(params) = params {
        fields(params.get());
    }
    match CallParams::read(params) {
        Ok(call) => {
            fields(call.arguments);
            if let Some(token) = call.progress_token {
                assert!(is_text_or_number(token), "{token}");
            }
        }
        Err(error) => assert_eq!(error.code.number(), -32602),
    }
    if let Err(error) = InitializeParams::read(params) {
        assert_eq!(error.code.number(), -32602);
    }
}

fn is_text_or_number(json: &str) -> bool {
    json.starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'))
}

/// The fields of a JSON object, each as it is written: a number may be larger than any that we know.
fn fields(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("no JSON object ({error}): {json}"))
}

//! Whose a session is, and how long it lives.

use crate::environment::SendError;
use crate::testing::{Reply, Script, call, caller, server};
use serde_json::json;
use tools_export::{Credential, LogLevel};

fn of(subject: &str) -> tools_export::Call {
    let mut call = call("add");
    call.context.caller = caller(subject);
    call
}

/// Returns the sessions of calls that were seen.
fn sessions<const IDLE: u64>(script: &Script<IDLE>) -> Vec<String> {
    let seen = script.seen().into_iter();
    let calls = seen.filter(|seen| seen.method() == "tools/call");
    calls
        .map(|seen| seen.header("mcp-session-id").unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_session_is_of_one_caller_and_one_set_of_capabilities() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[]);
    let mut silent = of("ada");
    silent.context.capabilities.elicits_forms = false;
    for call in [of("ada"), of("bob"), of("ada"), silent, of("bob")] {
        script.output(&client, call);
    }
    let expected = [
        "session-1",
        "session-2",
        "session-1",
        "session-3",
        "session-2",
    ];
    assert_eq!(sessions(&script), expected);
}

#[test]
fn a_session_declares_what_its_callers_client_can_be_asked() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let mut call = of("ada");
    call.context.capabilities.samples = false;
    call.context.capabilities.samples_with_tools = false;
    script.output(&script.client(&[]), call);
    let seen = script.seen();
    let declared = &seen[1].body["params"]["capabilities"];
    assert_eq!(
        *declared,
        json!({"elicitation": {"form": {}, "url": {}}, "roots": {}})
    );
}

#[test]
fn a_session_that_the_server_does_not_know_any_more_is_made_again_once() {
    let unknown: [fn(&crate::testing::Seen) -> Reply; 3] = [
        |seen| seen.error(404, -32001, "Session not found"),
        |_| Reply::accepted().status(404),
        |_| {
            Reply::text("application/json", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No valid session ID"}}"#).status(400)
        },
    ];
    for unknown in unknown {
        let script: Script = Script::new(server("2025-11-25", move |seen| {
            let is_first = seen.header("mcp-session-id") == Some("session-1");
            // It works once, and is then forgotten.
            (is_first && seen.method() == "tools/call" && seen.body["id"].as_u64() > Some(3))
                .then(|| unknown(seen))
        }));
        let client = script.client(&[]);
        assert!(!script.output(&client, of("ada")).is_error);
        assert!(!script.output(&client, of("ada")).is_error);
        assert_eq!(sessions(&script), ["session-1", "session-1", "session-2"]);
    }
}

#[test]
fn a_session_that_is_never_known_is_made_again_only_once() {
    let script: Script = Script::new(server("2025-11-25", |seen| {
        (seen.method() == "tools/call").then(|| Reply::accepted().status(404))
    }));
    let client = script.client(&[]);
    assert!(script.output(&client, of("ada")).is_error);
    assert_eq!(sessions(&script).len(), 1, "a new one is not made again");
}

#[test]
fn an_idle_session_ends_and_the_server_is_told() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[("credentials", "secret"), ("secret", "s3cret")]);
    script.output(&client, of("ada"));
    script.wait(8);
    script.output(&client, of("ada"));
    assert_eq!(sessions(&script).len(), 2);
    script.settle();
    let seen = script.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method(), "DELETE");
    assert_eq!(seen[0].header("mcp-session-id"), Some("session-1"));
    assert_eq!(seen[0].header("authorization"), Some("Bearer s3cret"));
    assert_eq!(script.now(), 18, "ten seconds after its last use");
    script.output(&client, of("ada"));
    assert_eq!(sessions(&script), ["session-2"]);
}

#[test]
fn where_an_instance_ends_with_its_call_so_does_the_session() {
    let script: Script<0> = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[]);
    script.output(&client, of("ada"));
    script.settle();
    let methods = script.methods();
    assert_eq!(methods.last().map(String::as_str), Some("DELETE"));
    assert_eq!(script.now(), 0);
    // All lists are fetched in one.
    script
        .run(tools_export::Provider::describe(&client))
        .unwrap();
    script.settle();
    let methods = script.methods();
    assert_eq!(
        methods
            .iter()
            .filter(|method| *method == "initialize")
            .count(),
        1,
        "{methods:?}"
    );
    assert_eq!(methods.last().map(String::as_str), Some("DELETE"));
}

#[test]
fn where_a_caller_waits_for_the_end_of_a_session_it_takes_a_second_at_most() {
    let script: Script<0> = Script::new(server("2025-11-25", |seen| {
        (seen.method() == "DELETE").then(|| Reply::failed(SendError::TimedOut))
    }));
    script.output(&script.client(&[]), of("ada"));
    script.settle();
    assert_eq!(script.now(), 1);
}

#[test]
fn an_instance_keeps_so_many_sessions_and_ends_the_oldest() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[]);
    for number in 0..65 {
        script.output(&client, of(&format!("person {number}")));
        // Each is used at a time of its own.
        script.run(crate::environment::Environment::sleep(
            &script,
            std::time::Duration::from_millis(1),
        ));
    }
    let deleted: Vec<_> = script
        .seen()
        .into_iter()
        .filter(|seen| seen.method() == "DELETE")
        .collect();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].header("mcp-session-id"), Some("session-1"));
}

#[test]
fn a_server_without_sessions_is_initialized_once_and_not_told_of_an_end() {
    let script: Script = Script::new(|seen| match seen.method() {
        "server/discover" => seen.error(400, -32600, "no"),
        "initialize" => seen.result(json!({"protocolVersion": "2025-06-18", "capabilities": {}})),
        "tools/call" => seen.result(json!({"content": []})),
        _ => Reply::accepted(),
    });
    let client = script.client(&[]);
    script.output(&client, of("ada"));
    script.output(&client, of("ada"));
    script.settle();
    let expected = [
        "server/discover",
        "initialize",
        "notifications/initialized",
        "tools/call",
        "tools/call",
    ];
    assert_eq!(script.methods(), expected);
}

#[test]
fn a_refreshed_token_goes_on_in_the_persons_session() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[("credentials", "upstream")]);
    for token in ["first", "second"] {
        let mut call = of("ada");
        call.context.caller.credential = Some(Credential::Upstream(token.to_owned()));
        script.output(&client, call);
    }
    let seen = script.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.header("mcp-session-id"), Some("session-1"));
    assert_eq!(last.header("authorization"), Some("Bearer second"));
}

#[test]
fn the_level_of_log_messages_is_set_when_it_changes() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[]);
    for level in [
        None,
        Some(LogLevel::Info),
        Some(LogLevel::Info),
        Some(LogLevel::Error),
    ] {
        let mut call = of("ada");
        call.context.log_level = level;
        script.output(&client, call);
    }
    let seen = script.seen().into_iter();
    let levels: Vec<_> = seen
        .filter(|seen| seen.method() == "logging/setLevel")
        .collect();
    let levels: Vec<_> = levels
        .iter()
        .map(|seen| seen.body["params"]["level"].as_str())
        .collect();
    assert_eq!(levels, [Some("info"), Some("error")]);
}

#[test]
fn a_session_id_has_visible_characters_alone() {
    for id in ["with space", &"x".repeat(2000)] {
        let id = id.to_owned();
        let script: Script = Script::new(server("2025-11-25", move |seen| {
            let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
            (seen.method() == "initialize")
                .then(|| seen.result(result).header("mcp-session-id", &id))
        }));
        assert!(script.output(&script.client(&[]), of("ada")).is_error);
    }
}

//! The lifecycle of the remote server, and the revision of requests to it.

use crate::testing::{Reply, Script, Seen, call, error_text, server};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[test]
fn a_stateless_server_is_asked_without_a_session() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    let client = script.client(&[]);
    for _ in 0..2 {
        assert!(!script.output(&client, call("add")).is_error);
    }
    let seen = script.seen();
    let methods: Vec<_> = seen.iter().map(|seen| seen.method()).collect();
    assert_eq!(methods, ["server/discover", "tools/call", "tools/call"]);
    for seen in &seen {
        let meta = &seen.body["params"]["_meta"];
        assert_eq!(seen.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(
            meta["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        assert_eq!(seen.header("mcp-method"), Some(seen.method()));
        assert_eq!(
            seen.header("accept"),
            Some("application/json, text/event-stream")
        );
        assert_eq!(seen.header("mcp-session-id"), None);
    }
    assert_eq!(seen[1].header("mcp-name"), Some("add"));
    assert_eq!(seen[1].body["params"]["arguments"], json!({"a": 1}));
    assert_ne!(seen[1].body["id"], seen[2].body["id"]);
}

#[test]
fn a_server_of_before_is_asked_in_a_session_of_its_revision() {
    for (revision, header) in [
        ("2025-11-25", Some("2025-11-25")),
        ("2025-06-18", Some("2025-06-18")),
        ("2025-03-26", None),
    ] {
        let script: Script = Script::new(server(revision, |_| None));
        assert!(!script.output(&script.client(&[]), call("add")).is_error);
        let seen = script.seen();
        let methods: Vec<_> = seen.iter().map(|seen| seen.method()).collect();
        let expected = [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/call",
        ];
        assert_eq!(methods, expected);
        assert_eq!(seen[1].body["params"]["protocolVersion"], "2025-11-25");
        assert_eq!(seen[1].header("mcp-protocol-version"), None);
        for seen in &seen[2..] {
            assert_eq!(seen.header("mcp-protocol-version"), header);
            assert_eq!(seen.header("mcp-session-id"), Some("session-1"));
            assert_eq!(seen.header("mcp-method"), None);
        }
    }
}

#[test]
fn every_way_in_which_old_servers_refuse_the_question_leads_to_a_session() {
    let ways: [fn(&Seen) -> Reply; 7] = [
        |seen| seen.error(400, -32000, "Bad Request: Server not initialized"),
        |seen| seen.error(200, -32601, "Method not found"),
        |seen| seen.error(404, -32601, "Method not found"),
        |seen| seen.error(200, -32602, "Invalid request parameters"),
        |_| Reply::text("text/plain", "Missing session ID").status(400),
        |_| Reply::text("text/plain", "Unprocessable").status(422),
        |seen| seen.result(json!({"tools": []})),
    ];
    for way in ways {
        let script: Script = Script::new(server("2025-06-18", move |seen| {
            (seen.method() == "server/discover").then(|| way(seen))
        }));
        assert!(!script.output(&script.client(&[]), call("add")).is_error);
    }
}

#[test]
fn a_server_that_is_down_or_refuses_is_not_asked_in_another_way() {
    for status in [401, 403, 429, 500, 502, 503, 301] {
        let script: Script = Script::new(move |_| Reply::accepted().status(status));
        script.output(&script.client(&[]), call("add"));
        assert_eq!(script.methods(), ["server/discover"], "{status}");
    }
}

#[test]
fn a_server_names_the_revisions_that_it_speaks() {
    let unsupported = |supported: &'static [&'static str]| {
        let script: Script = Script::new(server("2025-06-18", move |seen| {
            let error = json!({"code": -32022, "message": "no", "data": {"supported": supported}});
            let error = json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error});
            (seen.method() == "server/discover").then(|| Reply::json(&error).status(400))
        }));
        script.output(&script.client(&[]), call("add"));
        script.methods().len()
    };
    assert_eq!(unsupported(&["2025-06-18"]), 4, "a session");
    assert_eq!(unsupported(&["2099-01-01"]), 1, "nothing in common");
    assert_eq!(unsupported(&[]), 1);
}

#[test]
fn an_error_that_only_stateless_servers_have_is_no_reason_for_a_session() {
    let script: Script =
        Script::new(|seen| seen.error(400, -32021, "A client is needed that elicits."));
    let output = script.output(&script.client(&[]), call("add"));
    assert_eq!(error_text(&output), "A client is needed that elicits.");
    assert_eq!(script.methods(), ["server/discover"]);
}

#[test]
fn a_server_that_does_not_take_a_revision_is_offered_an_older_one() {
    let script: Script = Script::new(server("2025-03-26", |seen| {
        let is_newer = seen.body["params"]["protocolVersion"] != "2025-03-26";
        (seen.method() == "initialize" && is_newer)
            .then(|| seen.error(200, -32602, "Unsupported protocol version"))
    }));
    assert!(!script.output(&script.client(&[]), call("add")).is_error);
    let offered: Vec<_> = script
        .seen()
        .into_iter()
        .filter(|seen| seen.method() == "initialize")
        .collect();
    let offered: Vec<_> = offered
        .iter()
        .map(|seen| seen.body["params"]["protocolVersion"].as_str())
        .collect();
    assert_eq!(
        offered,
        [Some("2025-11-25"), Some("2025-06-18"), Some("2025-03-26")]
    );
}

#[test]
fn a_revision_of_the_operators_is_not_asked_for() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    script.output(&script.client(&[("revision", "2026-07-28")]), call("add"));
    assert_eq!(script.methods(), ["tools/call"]);
    let script: Script = Script::new(server("2025-06-18", |_| None));
    script.output(&script.client(&[("revision", "2025-06-18")]), call("add"));
    let seen = script.seen();
    assert_eq!(seen[0].method(), "initialize");
    assert_eq!(seen[0].body["params"]["protocolVersion"], "2025-06-18");
}

fn nothing(_: &Seen) -> Option<Reply> {
    None
}

#[test]
fn a_server_that_knows_no_sessions_any_more_is_found_out_again() {
    let mut servers = [server("2025-06-18", nothing), server("2026-07-28", nothing)];
    let current = Arc::new(AtomicUsize::new(0));
    let chosen = Arc::clone(&current);
    let script: Script = Script::new(move |seen| servers[chosen.load(Relaxed)](seen));
    let client = script.client(&[]);
    for at in [0, 1] {
        current.store(at, Relaxed);
        script.wait(60);
        assert!(!script.output(&client, call("add")).is_error, "{at}");
    }
}

#[test]
fn a_server_that_changes_its_lifecycle_is_found_out_again() {
    // From stateless to sessions, and back.
    let mut servers = [server("2026-07-28", nothing), server("2025-06-18", nothing)];
    let current = Arc::new(AtomicUsize::new(0));
    let chosen = Arc::clone(&current);
    let script: Script = Script::new(move |seen| {
        let at = chosen.load(Relaxed);
        let is_modern_only = at == 0 && seen.header("mcp-method").is_none();
        if is_modern_only {
            return seen.error(400, -32020, "Mcp-Method is missing");
        }
        servers[at](seen)
    });
    let client = script.client(&[]);
    for at in [0, 1, 0, 1] {
        current.store(at, Relaxed);
        script.wait(60);
        let output = script.output(&client, call("add"));
        assert!(!output.is_error, "{at}: {output:?}");
    }
}

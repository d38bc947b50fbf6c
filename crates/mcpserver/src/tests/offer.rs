//! The offer of a tools component, and the log lines about it.

use super::stateless::ask;
use super::*;
use serde_json::json;
use std::sync::atomic::Ordering;

/// The lines of the log with this text.
fn lines(fixture: &Fixture, text: &str) -> Vec<String> {
    let log = fixture.environment.log_text();
    let lines = log.lines().filter(|line| line.contains(text));
    lines.map(str::to_owned).collect()
}

async fn called(fixture: &Fixture, token: &str, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    ask(fixture, token, "tools/call", params).await["result"].take()
}

#[test]
fn a_tool_whose_scope_is_not_in_scopes_is_named_once_per_instance() {
    run(async |fixture, token| {
        for _ in 0..3 {
            ask(fixture, &token, "tools/list", json!({})).await;
            fixture.call(&token, "changes").await;
            fixture.environment.advance(60);
        }
        let named = lines(fixture, "no one can use");
        assert_eq!(named.len(), 1, "{named:?}");
        for part in [
            "the tool unreachable",
            "scope nowhere",
            "SPIN_VARIABLE_SCOPES",
        ] {
            assert!(named[0].contains(part), "{named:?}");
        }
    });
}

#[test]
fn what_a_component_cannot_offer_is_in_the_log_once_and_costs_nothing_else() {
    run(async |fixture, token| {
        for _ in 0..3 {
            let list = ask(fixture, &token, "tools/list", json!({})).await;
            assert!(!list["result"]["tools"].as_array().unwrap().is_empty());
            fixture.call(&token, "changes").await;
            fixture.environment.advance(60);
        }
        assert_eq!(lines(fixture, "a tool is left out").len(), 1);
    });
}

#[test]
fn a_description_has_its_own_time_however_short_calls_have_to_be() {
    let fixture = Fixture::with(&[("call_timeout", "2")]);
    fixture.tools.describe_time.store(6, Ordering::Relaxed);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let list = ask(&fixture, &token, "tools/list", json!({})).await;
        assert!(list["result"]["tools"].is_array(), "{list}");
    });
}

#[test]
fn what_the_sandbox_refused_is_in_the_log_with_the_tool_and_what_to_add_where() {
    run(async |fixture, token| {
        for tool in ["denied", "denied-softly"] {
            for _ in 0..3 {
                fixture.call(&token, tool).await;
            }
            let named = lines(
                fixture,
                &format!("the tool {tool} seems to have met the sandbox"),
            );
            assert_eq!(named.len(), 1, "{named:?}");
            for part in [
                "spin.toml",
                "inherit_configuration",
                "allowed_outbound_hosts",
            ] {
                assert!(named[0].contains(part), "{named:?}");
            }
        }
        called(fixture, &token, "echo", json!({})).await;
        assert!(lines(fixture, "the tool echo").is_empty());
    });
}

#[test]
fn a_tool_sees_the_defaults_of_its_schema_and_what_was_sent_as_it_was() {
    run(async |fixture, token| {
        let seen = async |tool: &str, arguments: Value| {
            let result = called(fixture, &token, tool, arguments).await;
            let text = result["content"][0]["text"].as_str().unwrap();
            serde_json::from_str::<Value>(text).unwrap()
        };
        assert_eq!(seen("defaults", json!({})).await, json!({"count": 3}));
        let within = json!({"count": 3, "at": {"unit": "m"}});
        assert_eq!(seen("defaults", json!({"at": {}})).await, within);
        let own = json!({"count": 1, "at": {"unit": "km"}});
        assert_eq!(seen("defaults", own.clone()).await, own);
        // One that does not fit its own schema cannot be corrected by a caller.
        assert_eq!(seen("bad-default", json!({})).await, json!({}));
        let unfit = called(fixture, &token, "defaults", json!({"count": "x"})).await;
        assert_eq!(unfit["isError"], true);
    });
}

#[test]
fn what_is_offered_is_told_in_short_to_who_has_no_token() {
    run(async |fixture, _| {
        let answer = fixture.send("GET", "/offer", &[], "").await;
        assert_eq!(answer.status, 200);
        let summary = answer.json().await;
        assert!(summary["server"]["name"].is_string(), "{summary}");
        let tools = summary["tools"]["first"].as_array().unwrap();
        let echo = tools.iter().find(|tool| tool["name"] == "echo").unwrap();
        assert_eq!(echo["scopes"], json!(["tools"]));
        assert!(echo.get("inputSchema").is_none());
        assert_eq!(summary["tools"]["more"], 0);
    });
}

use super::*;
use crate::{
    Action, Decision, EndedBy, Events, Kind, Kinds, Outcome, PresentedCredential,
    RegistrationChange, SignInPurpose,
};
use serde_json::json;
use std::sync::Mutex;

/// Returns the lines that these events make of which `kinds` are written.
fn written(kinds: Kinds, record: impl FnOnce(&Events<'_>)) -> Vec<String> {
    let lines = Mutex::new(Vec::new());
    let write = |line: &str| {
        if let Ok(mut lines) = lines.lock() {
            lines.push(line.to_owned());
        }
    };
    record(&Events::new(kinds, 1_795_500_000, None, &write));
    lines.into_inner().unwrap_or_default()
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// One event of each kind.
fn one_of_each<'a>(scope: &'a [String]) -> Vec<Event<'a>> {
    vec![
        Event::SignIn {
            purpose: SignInPurpose::Client,
        },
        Event::Refusal {
            endpoint: "/token",
            error: "invalid_grant",
            reason: "the code is unknown",
        },
        Event::Consent {
            decision: Decision::AllowedAndRemembered,
            scope,
        },
        Event::Grant {
            client_name: "App",
            destination: "app.example",
            scope,
        },
        Event::Token {
            grant_type: "authorization_code",
            scope: "tools",
        },
        Event::Refresh { scope: "tools" },
        Event::Reuse {
            credential: PresentedCredential::RefreshToken,
            grant_ended: true,
        },
        Event::Revocation {
            by: EndedBy::Person,
            grants: 2,
        },
        Event::Registration {
            change: RegistrationChange::Created,
            client_name: "App",
        },
        Event::Administration {
            action: Action::EndGrants,
            count: 2,
        },
        Event::ToolCall {
            tool: "add",
            outcome: Outcome::Ok,
            duration_ms: 3,
        },
    ]
}

#[test]
fn an_event_is_one_json_object_with_whom_it_is_about() {
    let lines = written(Kinds::ALL, |events| {
        events.record(&Event::SignIn {
            purpose: SignInPurpose::Account,
        });
        events.client("c1").subject("p1").grant("g1");
        events.client("another");
        events.record(&Event::ToolCall {
            tool: "add",
            outcome: Outcome::ToolError,
            duration_ms: 12,
        });
    });
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].starts_with("{\"time\":\"2026-11-24T06:00:00Z\",\"event\":\"tool_call\",\"tool\"")
    );
    assert_eq!(
        parsed(&lines[0]),
        json!({"time": "2026-11-24T06:00:00Z", "event": "sign_in", "purpose": "account"})
    );
    assert_eq!(
        parsed(&lines[1]),
        json!({
            "time": "2026-11-24T06:00:00Z", "event": "tool_call", "tool": "add",
            "outcome": "tool_error", "duration_ms": 12,
            "client_id": "c1", "subject": "p1", "grant_id": "g1",
        })
    );
}

#[test]
fn a_traced_request_has_its_identifiers_in_every_event() {
    let value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = TraceContext::parse(value);
    let line = EventLine {
        now: 0,
        event: &Event::Refresh { scope: "" },
        client_id: None,
        subject: None,
        grant_id: None,
        trace: trace.as_ref(),
    };
    let line = parsed(&line.to_json());
    assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(line["parent_id"], "00f067aa0ba902b7");
}

#[test]
fn only_the_kinds_that_are_asked_for_are_written() {
    let scope = ["tools".to_owned()];
    for kind in Kind::ALL {
        let kinds = Kinds::parse(kind.name()).unwrap_or(Kinds::NONE);
        let lines = written(kinds, |events| {
            for event in one_of_each(&scope) {
                events.record(&event);
            }
        });
        let names: Vec<_> = lines
            .iter()
            .map(|line| parsed(line)["event"].clone())
            .collect();
        assert_eq!(names, [kind.name()]);
    }
}

#[test]
fn a_line_stays_json_whatever_the_strings_in_it_are() {
    for text in [
        "a\r\n{\"event\":\"forged\"}\u{1b}[2J\u{7f}\u{85}",
        "\u{202e}right to left\u{2066}",
        "Zoë 漢字 \u{1f600} \"quoted\" \\ done",
    ] {
        let lines = written(Kinds::ALL, |events| {
            events.client(text).record(&Event::ToolCall {
                tool: text,
                outcome: Outcome::UnknownTool,
                duration_ms: 0,
            });
        });
        assert_eq!(lines.len(), 1);
        assert!(
            !lines[0].chars().any(log_line::needs_escape),
            "{}",
            lines[0]
        );
        let line = parsed(&lines[0]);
        assert_eq!(line["tool"], text);
        assert_eq!(line["client_id"], text);
    }
}

#[test]
fn what_is_too_long_is_cut_and_the_line_stays_json() {
    for text in ["x".repeat(10_000), "\u{202e}".repeat(10_000)] {
        let lines = written(Kinds::ALL, |events| {
            events.client(&text).subject(&text).grant(&text);
            events.record(&Event::Refusal {
                endpoint: &text,
                error: &text,
                reason: &text,
            });
        });
        assert!(lines[0].len() <= MAX_LINE_BYTES);
        let line = parsed(&lines[0]);
        let reason = line["reason"].as_str().unwrap_or_default();
        assert!(reason.ends_with(CUT) && text.starts_with(reason.trim_end_matches(CUT)));
    }
}

#[test]
fn the_documentation_names_every_kind_and_member() {
    let documentation = include_str!("../../../../docs/events.md");
    let scope = ["tools".to_owned()];
    for event in one_of_each(&scope) {
        let Ok(Value::Object(members)) = serde_json::to_value(&event) else {
            panic!("{event:?}");
        };
        let kind = event.kind().name();
        let row = documentation
            .lines()
            .find(|line| line.starts_with(&format!("| `{kind}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/events.md has no row for {kind}"));
        for name in members.keys().filter(|name| *name != "event") {
            assert!(row.contains(&format!("`{name}`")), "{name} of {kind}");
        }
    }
}

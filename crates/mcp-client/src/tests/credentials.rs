//! Credentials of requests to the remote server.

use crate::testing::{Reply, Script, Seen, call, caller, error_text, server};
use serde_json::json;
use tools_export::{Credential, LogLevel, Provider};

fn with_token(token: &str) -> tools_export::Call {
    let mut call = call("add");
    call.context.caller.credential = Some(Credential::Upstream(token.to_owned()));
    call
}

#[test]
fn a_secret_goes_with_every_request_and_nothing_of_the_caller() {
    for revision in ["2026-07-28", "2025-11-25"] {
        let script: Script = Script::new(server(revision, |_| None));
        let values = [
            ("credentials", "secret"),
            ("secret", "s3cret"),
            ("secret_header", "X-Api-Key"),
        ];
        let client = script.client(&values);
        script.run(client.describe()).unwrap();
        script.output(&client, with_token("t0ken"));
        script.settle();
        for seen in script.seen() {
            assert_eq!(seen.header("x-api-key"), Some("s3cret"));
            let all = format!("{:?} {}", seen.headers, seen.body);
            for private in ["t0ken", "person", "example.com\"", "client\""] {
                assert!(!all.contains(private), "{private} in {all}");
            }
        }
    }
}

#[test]
fn without_credentials_nothing_authorizes() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    script.output(&script.client(&[]), with_token("t0ken"));
    let seen = script.seen();
    assert!(
        seen.iter()
            .all(|seen| seen.header("authorization").is_none())
    );
    assert!(!format!("{seen:?}").contains("t0ken"));
}

#[test]
fn a_persons_token_goes_with_their_own_requests_alone() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    let client = script.client(&[("credentials", "upstream"), ("secret", "s3cret")]);
    let offer = script.run(client.describe()).unwrap();
    assert!(offer.tools.iter().all(|tool| tool.wants_credential));
    assert!(offer.resources.unwrap().wants_credential);
    let seen = script.seen();
    assert!(
        seen.iter()
            .all(|seen| seen.header("authorization") == Some("Bearer s3cret"))
    );
    for (subject, token) in [("ada", "adas"), ("bob", "bobs"), ("ada", "adas")] {
        let mut call = with_token(token);
        call.context.caller.subject = subject.to_owned();
        script.output(&client, call);
        let bearer = format!("Bearer {token}");
        let seen = script.seen();
        assert!(!seen.is_empty());
        assert!(
            seen.iter()
                .all(|seen| seen.header("authorization") == Some(&bearer))
        );
    }
    script.settle();
    let deleted: Vec<_> = script
        .seen()
        .into_iter()
        .map(|seen| {
            let header = |name| seen.header(name).unwrap_or_default().to_owned();
            (header("mcp-session-id"), header("authorization"))
        })
        .collect();
    let of = |session: &str, bearer: &str| (session.to_owned(), format!("Bearer {bearer}"));
    assert_eq!(
        deleted,
        [
            of("session-1", "s3cret"),
            of("session-2", "adas"),
            of("session-3", "bobs")
        ]
    );
}

#[test]
fn a_caller_without_a_token_is_told_and_the_server_not_asked() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    let client = script.client(&[("credentials", "upstream")]);
    let output = script.output(&client, call("add"));
    assert!(error_text(&output).contains("sign in again"));
    let mut pasted = call("add");
    pasted.context.caller.credential = Some(Credential::Presented("Bearer t0ken".to_owned()));
    let output = script.output(&client, pasted);
    assert!(error_text(&output).contains("not sent on"));
    assert!(
        script
            .run(client.list_resources(caller("ada"), None))
            .is_err()
    );
    assert!(script.seen().is_empty());
}

#[test]
fn where_each_person_has_credentials_nothing_is_offered_that_comes_without() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    let offer = script
        .run(script.client(&[("credentials", "upstream")]).describe())
        .unwrap();
    assert!(offer.prompts.is_empty() && !offer.completes && !offer.changes.prompts);
    assert!(!script.methods().contains(&"prompts/list".to_owned()));
}

#[test]
fn no_credential_follows_a_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let script: Script = Script::new(move |_| {
            Reply::accepted()
                .status(status)
                .header("location", "https://evil.example/")
        });
        let client = script.client(&[("credentials", "secret"), ("secret", "s3cret")]);
        assert!(script.output(&client, call("add")).is_error);
        assert_eq!(script.seen().len(), 1);
    }
}

#[test]
fn neither_log_nor_errors_have_a_credential() {
    for status in [401, 403, 500] {
        let script: Script = Script::new(server("2025-11-25", move |seen| {
            (seen.method() == "tools/call").then(|| Reply::accepted().status(status))
        }));
        log_line::capture();
        let values = [("credentials", "upstream"), ("secret", "s3cret")];
        let output = script.output(&script.client(&values), with_token("t0ken"));
        let told = format!("{output:?} {}", log_line::captured());
        assert!(
            !told.contains("s3cret") && !told.contains("t0ken") && !told.contains("session-"),
            "{told}"
        );
    }
}

#[test]
fn credentials_that_the_server_repeats_are_taken_out() {
    let ways: [fn(&Seen, &str) -> Reply; 5] = [
        |seen, shown| seen.result(json!({"content": [{"type": "text", "text": shown}]})),
        |seen, shown| seen.error(200, -32000, shown),
        |seen, shown| seen.error(400, -32000, shown),
        |seen, shown| {
            let params = json!({"level": "info", "data": shown});
            let log =
                json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params});
            seen.stream(&[log], Some(json!({"content": []})))
        },
        |seen, shown| {
            let params = json!({"message": shown, "requestedSchema": {}});
            let question = json!({"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": params});
            seen.stream(&[question], Some(json!({"content": []})))
        },
    ];
    for way in ways {
        let script: Script = Script::new(server("2025-11-25", move |seen| {
            let shown = format!("{} s3cret", seen.header("authorization").unwrap());
            (seen.method() == "tools/call").then(|| way(seen, &shown))
        }));
        let values = [
            ("credentials", "upstream"),
            ("secret", "s3cret"),
            ("repeat", "add"),
        ];
        let mut call = with_token("t0ken-of-ada");
        call.context.log_level = Some(LogLevel::Info);
        log_line::capture();
        let events = script.call(&script.client(&values), call).unwrap();
        let told = format!("{events:?} {}", log_line::captured());
        assert!(told.contains("Bearer [credential] [credential]"), "{told}");
        assert!(
            !told.contains("t0ken") && !told.contains("s3cret"),
            "{told}"
        );
    }
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let tool = json!({"name": "add", "inputSchema": {"type": "object"},
            "description": seen.header("authorization")});
        (seen.method() == "tools/list").then(|| seen.result(json!({"tools": [tool]})))
    }));
    let values = [("credentials", "secret"), ("secret", "s3cret")];
    let offer = script.run(script.client(&values).describe()).unwrap();
    let description = offer.tools[0].description.as_deref();
    assert_eq!(description, Some("Bearer [credential]"));
}

#[test]
fn a_refused_person_is_told_that_it_is_their_token() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        (seen.method() == "tools/call")
            .then(|| Reply::json(&json!({"error": "invalid_token"})).status(401))
    }));
    let output = script.output(
        &script.client(&[("credentials", "upstream")]),
        with_token("t0ken"),
    );
    assert!(error_text(&output).contains("did not accept your token"));
}

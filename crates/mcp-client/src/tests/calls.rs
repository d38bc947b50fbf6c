//! Calls of tools, and requests for resources, prompts and completions.

use crate::environment::SendError;
use crate::testing::{Reply, Script, call, caller, context, error_text, server};
use serde_json::{Value, json};
use tools_export::{
    Argument, Changed, Completion, CompletionTarget, Event, Failure, LogLevel, PromptRequest,
    Prompting, Provider, Read, Reading, Steps,
};

const BOTH: [&str; 2] = ["2026-07-28", "2025-11-25"];

fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": format!("notifications/{method}"), "params": params})
}

#[test]
fn progress_and_log_messages_come_as_they_are_sent() {
    for revision in BOTH {
        let script: Script = Script::new(server(revision, |seen| {
            let token = &seen.body["params"]["_meta"]["progressToken"];
            let messages = [
                notification(
                    "progress",
                    json!({"progressToken": token, "progress": 1, "total": 2}),
                ),
                notification("message", json!({"level": "info", "data": "half"})),
                notification("message", json!({"level": "debug", "data": "detail"})),
                notification("tools/list_changed", json!({})),
                notification("unknown", json!({})),
            ];
            let result = json!({"content": [{"type": "text", "text": "done"}]});
            (seen.method() == "tools/call").then(|| seen.stream(&messages, Some(result)))
        }));
        let mut call = call("add");
        call.context.wants_progress = true;
        call.context.log_level = Some(LogLevel::Info);
        let events = script.call(&script.client(&[]), call).unwrap();
        assert!(
            matches!(
                &events[..],
                [Event::Progress(progress), Event::Log(log), Event::Changed(Changed::Tools), Event::Done(_)]
                    if progress.total == Some(2.0) && log.data == "\"half\""
            ),
            "{events:?}"
        );
    }
}

#[test]
fn progress_and_log_messages_are_requested_only_if_wanted() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    script.output(&script.client(&[]), call("add"));
    let seen = script.seen();
    let meta = seen[1].body["params"]["_meta"].as_object().unwrap();
    assert!(!meta.contains_key("progressToken"), "{meta:?}");
    assert!(
        !meta.contains_key("io.modelcontextprotocol/logLevel"),
        "{meta:?}"
    );
}

#[test]
fn a_marked_argument_is_repeated_in_a_header_and_looked_up_once_it_is_missed() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer", "x-mcp-header": "A"}}});
        match seen.method() {
            "tools/list" => {
                Some(seen.result(json!({"tools": [{"name": "add", "inputSchema": schema}]})))
            }
            "tools/call" if seen.header("mcp-param-a") != Some("1") => {
                Some(seen.error(400, -32020, "Mcp-Param-A is missing"))
            }
            _ => None,
        }
    }));
    let client = script.client(&[("prefix", "x_")]);
    assert!(!script.output(&client, call("x_add")).is_error);
    let methods = script.methods();
    assert_eq!(
        methods
            .iter()
            .filter(|method| *method == "tools/call")
            .count(),
        2
    );
    assert!(!script.output(&client, call("x_add")).is_error);
    assert_eq!(script.methods(), ["tools/call"], "it is known now");
}

#[test]
fn an_argument_that_is_missed_for_another_reason_is_not_sent_again() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        (seen.method() == "tools/call").then(|| seen.error(400, -32020, "no"))
    }));
    assert!(script.output(&script.client(&[]), call("add")).is_error);
    let methods = script.methods();
    assert_eq!(
        methods
            .iter()
            .filter(|method| *method == "tools/call")
            .count(),
        1
    );
}

#[test]
fn dropping_a_call_cancels_it() {
    for (revision, cancelled) in [("2026-07-28", false), ("2025-11-25", true)] {
        let script: Script = Script::new(server(revision, |seen| {
            let token = &seen.body["params"]["_meta"]["progressToken"];
            let progress = notification("progress", json!({"progressToken": token, "progress": 1}));
            (seen.method() == "tools/call").then(|| seen.stream(&[progress], None).endless())
        }));
        let client = script.client(&[]);
        let mut call = call("add");
        call.context.wants_progress = true;
        let mut steps = script.run(client.call_tool(call)).unwrap();
        assert!(matches!(script.run(steps.next()), Ok(Event::Progress(_))));
        let id = script.seen().last().unwrap().body["id"].clone();
        drop(steps);
        assert_eq!(script.given_up(), 1, "the response is read no further");
        script.settle();
        let seen = script.seen();
        let seen: Vec<_> = seen
            .iter()
            .filter(|seen| seen.method() == "notifications/cancelled")
            .collect();
        assert_eq!(!seen.is_empty(), cancelled, "{revision}");
        assert!(
            seen.iter()
                .all(|seen| seen.body["params"]["requestId"] == id)
        );
    }
}

#[test]
fn a_call_that_is_over_is_not_cancelled() {
    let script: Script = Script::new(server("2025-11-25", |_| None));
    script.output(&script.client(&[]), call("add"));
    script.settle();
    assert!(
        !script
            .methods()
            .iter()
            .any(|method| method == "notifications/cancelled")
    );
}

#[test]
fn a_call_ends_in_time_and_is_cancelled_however_the_server_is_silent() {
    let silences: [fn(&crate::testing::Seen) -> Reply; 3] = [
        |_| Reply::failed(SendError::TimedOut),
        |seen| seen.stream(&[], None).endless(),
        |_| Reply::text("application/json", "{").endless(),
    ];
    for silence in silences {
        let script: Script = Script::new(server("2025-11-25", move |seen| {
            (seen.method() == "tools/call").then(|| silence(seen))
        }));
        let output = script.output(&script.client(&[("timeout", "30")]), call("add"));
        assert!(
            error_text(&output).contains("did not answer in time"),
            "{output:?}"
        );
        assert_eq!(script.now(), 30);
        script.settle();
        assert!(
            script
                .methods()
                .iter()
                .any(|method| method == "notifications/cancelled")
        );
    }
}

#[test]
fn a_stream_that_breaks_off_goes_on_where_the_server_can_send_the_rest() {
    let script: Script = Script::new(server("2025-11-25", |seen| match seen.method() {
        "tools/call" => Some(Reply::events(["id: 7\nretry: 2000\ndata: \n\n".to_owned()]).broken()),
        "GET" if seen.header("last-event-id") == Some("7") => Some(Reply::events([
            "id: 8\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n".to_owned(),
        ])),
        "GET" if seen.header("last-event-id") == Some("8") => {
            let result = json!({"jsonrpc": "2.0", "id": 3, "result": {"content": []}});
            Some(Reply::events([format!("data: {result}\n\n")]))
        }
        _ => None,
    }));
    let output = script.output(&script.client(&[]), call("add"));
    assert!(!output.is_error, "{output:?}");
    assert_eq!(script.now(), 4, "the server said when to come back");
    let seen = script.seen();
    let get = seen.iter().find(|seen| seen.method() == "GET").unwrap();
    assert_eq!(get.header("mcp-session-id"), Some("session-1"));
    assert_eq!(get.header("accept"), Some("text/event-stream"));
}

#[test]
fn a_server_that_lets_its_client_poll_may_take_as_long_as_a_call_may() {
    let mut polls = 0;
    let script: Script = Script::new(server("2025-11-25", move |seen| match seen.method() {
        "tools/call" => Some(Reply::events(["id: 0\nretry: 2000\ndata: \n\n".to_owned()])),
        "GET" if polls < 200 => {
            polls += 1;
            Some(match polls % 3 {
                0 => Reply::failed(SendError::Unreachable("refused".to_owned())),
                1 => Reply::events([format!("id: {polls}\ndata: \n\n")]),
                // The connection breaks before the event is complete.
                _ => Reply::events(["id: 999\n".to_owned()]).broken(),
            })
        }
        "GET" => {
            assert_eq!(seen.header("last-event-id"), Some("199"));
            let result = json!({"jsonrpc": "2.0", "id": 3, "result": {"content": []}});
            Some(Reply::events([format!("data: {result}\n\n")]))
        }
        _ => None,
    }));
    let output = script.output(&script.client(&[("timeout", "600")]), call("add"));
    assert!(!output.is_error, "{output:?}");
    assert_eq!(script.now(), 402);
}

#[test]
fn a_stream_that_ends_without_a_result_is_an_error() {
    for revision in BOTH {
        for reply in [
            Reply::events(["data: \n\n".to_owned()]),
            Reply::events([String::new()]).broken(),
        ] {
            let script: Script = Script::new(server(revision, move |seen| {
                (seen.method() == "tools/call").then(|| reply.clone())
            }));
            assert!(script.output(&script.client(&[]), call("add")).is_error);
        }
    }
}

#[test]
fn errors_are_told_in_words_for_the_model_and_others_for_the_operator() {
    let failures: [(Reply, &str, &str); 10] = [
        (
            Reply::accepted().status(401),
            "refused this server",
            "refused the credentials (401",
        ),
        (
            Reply::accepted().status(403),
            "refused this server",
            "refused the credentials (403",
        ),
        (
            Reply::accepted().status(307),
            "The operator can see why",
            "a redirect",
        ),
        (
            Reply::accepted().status(429),
            "Try again later",
            "takes no requests now",
        ),
        (
            Reply::accepted().status(503),
            "Try again later",
            "takes no requests now",
        ),
        (
            Reply::accepted().status(500),
            "The operator can see why",
            "the status 500",
        ),
        (
            Reply::text("text/html", "<html>"),
            "The operator can see why",
            "neither JSON nor",
        ),
        (
            Reply::text("application/json", "<html>"),
            "The operator can see why",
            "is not JSON-RPC",
        ),
        (
            Reply::accepted(),
            "The operator can see why",
            "not answered",
        ),
        (
            Reply::failed(SendError::Denied("add it to the manifest".to_owned())),
            "Try again later",
            "add it to the manifest",
        ),
    ];
    for (reply, told, logged) in failures {
        let script: Script = Script::new(server("2026-07-28", move |seen| {
            (seen.method() == "tools/call").then(|| reply.clone())
        }));
        log_line::capture();
        let output = script.output(&script.client(&[]), call("add"));
        assert!(error_text(&output).contains(told), "{output:?}");
        assert!(
            !error_text(&output).contains("remote.example"),
            "{output:?}"
        );
        let log = log_line::captured();
        assert!(
            log.contains(logged) && log.contains("remote.example"),
            "{log}"
        );
    }
}

#[test]
fn the_servers_own_error_is_for_the_model() {
    for revision in BOTH {
        let script: Script = Script::new(server(revision, |seen| {
            (seen.method() == "tools/call").then(|| seen.error(200, -32602, "b is missing"))
        }));
        let output = script.output(&script.client(&[]), call("add"));
        assert_eq!(error_text(&output), "b is missing");
    }
}

#[test]
fn resources_are_listed_and_read_as_far_as_they_are_offered() {
    for revision in BOTH {
        let script: Script = Script::new(server(revision, |seen| {
            match seen.method() {
            "resources/list" => Some(seen.result(json!({
                "resources": [{"uri": "file:///a", "name": "a"}, {"uri": "secret:///b", "name": "b"}],
                "nextCursor": "2", "ttlMs": 1000, "cacheScope": "public",
            }))),
            "resources/read" if seen.body["params"]["uri"] == "file:///missing" => {
                Some(seen.error(200, -32002, "no such resource"))
            }
            "resources/read" => Some(seen.result(json!({"contents": [{"uri": "file:///a", "text": "x"}]}))),
            _ => None,
        }
        }));
        let client = script.client(&[("deny", "resource:secret:*")]);
        let page = script
            .run(client.list_resources(caller("ada"), Some("1".to_owned())))
            .unwrap();
        assert_eq!(page.resources.len(), 1);
        assert_eq!(page.next_cursor.as_deref(), Some("2"));
        assert!(page.freshness.unwrap().shared);
        assert_eq!(script.seen().last().unwrap().body["params"]["cursor"], "1");
        let read = |uri: &str| {
            script.run(client.read_resource(Read {
                uri: uri.to_owned(),
                context: context(),
            }))
        };
        assert!(
            matches!(read("file:///a"), Ok(Reading::Contents(contents)) if contents.parts.len() == 1)
        );
        assert_eq!(read("file:///missing").unwrap_err(), Failure::NotFound);
        script.seen();
        assert_eq!(read("secret:///b").unwrap_err(), Failure::NotFound);
        assert!(
            script.seen().is_empty(),
            "what is not offered is not asked for"
        );
    }
}

#[test]
fn prompts_and_completions_go_by_the_servers_names() {
    for revision in BOTH {
        let script: Script = Script::new(server(revision, |seen| match seen.method() {
            "prompts/get" => Some(seen.result(json!({
                "messages": [{"role": "user", "content": {"type": "text", "text": "a"}}],
            }))),
            "completion/complete" => {
                Some(seen.result(json!({"completion": {"values": ["paris"]}})))
            }
            _ => None,
        }));
        let client = script.client(&[("prefix", "crm_"), ("deny", "prompt:hidden")]);
        let get = |name: &str| {
            script.run(client.get_prompt(PromptRequest {
                name: name.to_owned(),
                arguments: vec![argument("a", "1")],
                context: context(),
            }))
        };
        assert!(matches!(get("crm_ask"), Ok(Prompting::Messages(_))));
        let seen = script.seen();
        let params = &seen.last().unwrap().body["params"];
        assert_eq!(
            (&params["name"], &params["arguments"]),
            (&json!("ask"), &json!({"a": "1"}))
        );
        assert_eq!(get("ask").unwrap_err(), Failure::NotFound);
        assert_eq!(get("crm_hidden").unwrap_err(), Failure::NotFound);
        let complete = |target| {
            script.run(client.complete(Completion {
                target,
                argument: argument("city", "p"),
                known: vec![argument("country", "fr")],
                caller: caller("ada"),
            }))
        };
        let completed = complete(CompletionTarget::Prompt("crm_ask".to_owned())).unwrap();
        assert_eq!(completed.values, ["paris"]);
        let seen = script.seen();
        let params = &seen.last().unwrap().body["params"];
        assert_eq!(params["ref"], json!({"type": "ref/prompt", "name": "ask"}));
        assert_eq!(params["context"], json!({"arguments": {"country": "fr"}}));
        let hidden = complete(CompletionTarget::Prompt("crm_hidden".to_owned()));
        assert_eq!(hidden.unwrap_err(), Failure::NotFound);
        complete(CompletionTarget::Resource("file:///{name}".to_owned())).unwrap();
    }
}

fn argument(name: &str, value: &str) -> Argument {
    Argument {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

#[test]
fn a_tool_that_is_not_offered_is_not_called() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    let client = script.client(&[("deny", "delete_*"), ("prefix", "crm_")]);
    for name in ["crm_delete_all", "add", "delete_all"] {
        assert_eq!(
            script.call(&client, call(name)).unwrap_err(),
            Failure::NotFound
        );
    }
    assert!(script.seen().is_empty());
}

#[test]
fn wrong_variables_are_told_to_the_operator_with_every_request() {
    let settings = crate::Settings::read(|_| None);
    let script: Script = Script::new(|_| Reply::accepted());
    let client = crate::Client::new(settings, script.clone());
    let failure = script.run(client.describe()).unwrap_err();
    assert!(
        matches!(&failure, Failure::Internal(text) if text.contains("url: it is missing")),
        "{failure:?}"
    );
    assert!(script.call(&client, call("add")).is_err());
}

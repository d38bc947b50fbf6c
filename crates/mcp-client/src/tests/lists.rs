//! Lists of the remote server: the offer made of them, and their freshness.

use crate::environment::SendError;
use crate::testing::{Reply, Script, call, server};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tools_export::{Failure, Offer, Provider};

fn describe(script: &Script, values: &[(&str, &'static str)]) -> Offer {
    script.run(script.client(values).describe()).unwrap()
}

fn names(offer: &Offer) -> Vec<&str> {
    offer.tools.iter().map(|tool| &*tool.name).collect()
}

#[test]
fn what_a_server_of_any_revision_has_is_offered() {
    for revision in ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"] {
        let script: Script = Script::new(server(revision, |_| None));
        let offer = describe(
            &script,
            &[
                ("prefix", "r."),
                ("scopes", "look=free prompt:*=prompts resource:*=files"),
            ],
        );
        assert_eq!(offer.server.name, "remote");
        assert_eq!(names(&offer), ["r.add", "r.look"]);
        assert_eq!(
            (&*offer.tools[0].scopes, &*offer.tools[1].scopes),
            (&["tools".to_owned()][..], &["free".to_owned()][..])
        );
        assert_eq!(
            (&*offer.prompts[0].name, &*offer.prompts[0].scopes),
            ("r.ask", &["prompts".to_owned()][..])
        );
        let resources = offer.resources.unwrap();
        assert_eq!(
            (resources.templates.len(), &*resources.scopes),
            (1, &["files".to_owned()][..])
        );
        let changes = offer.changes;
        assert!(offer.completes && changes.tools && changes.prompts && changes.resources);
    }
}

#[test]
fn a_server_is_not_asked_for_what_it_does_not_have() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let discovered =
            json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}});
        (seen.method() == "server/discover").then(|| seen.result(discovered))
    }));
    let offer = describe(&script, &[]);
    assert!(offer.resources.is_none() && offer.prompts.is_empty() && !offer.completes);
    assert_eq!(script.methods(), ["server/discover", "tools/list"]);
}

#[test]
fn a_server_that_has_resources_need_not_know_templates() {
    let script: Script = Script::new(server("2025-06-18", |seen| {
        (seen.method() == "resources/templates/list").then(|| seen.error(200, -32601, "no"))
    }));
    let resources = describe(&script, &[]).resources.unwrap();
    assert!(resources.templates.is_empty());
}

#[test]
fn lists_that_cannot_be_had_now_are_not_taken_for_empty() {
    for (method, status, code) in [
        ("prompts/list", 200, -32603),
        ("resources/templates/list", 500, -32603),
        ("tools/list", 200, -32601),
    ] {
        let script: Script = Script::new(server("2025-06-18", move |seen| {
            (seen.method() == method).then(|| seen.error(status, code, "no"))
        }));
        assert!(
            script.run(script.client(&[]).describe()).is_err(),
            "{method}"
        );
    }
}

fn templates(values: &[(&str, &'static str)]) -> Vec<String> {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let templates = ["{+x}", "{scheme}:x", "note:{name}", "file:///{+path}"];
        let templates = templates.map(|uri| json!({"uriTemplate": uri, "name": "n"}));
        (seen.method() == "resources/templates/list")
            .then(|| seen.result(json!({ "resourceTemplates": templates })))
    }));
    let templates = describe(&script, values).resources.unwrap().templates;
    let templates = templates.into_iter().map(|template| template.uri_template);
    templates.collect()
}

#[test]
fn a_template_of_any_scheme_is_left_out_unless_the_operator_allows_it() {
    log_line::capture();
    assert_eq!(templates(&[]), ["note:{name}", "file:///{+path}"]);
    assert!(log_line::captured().contains("“{+x}” may be a URI of any other server"));
    assert_eq!(templates(&[("allow", "resource:note:*")]), ["note:{name}"]);
    assert_eq!(templates(&[("allow", "resource:{+x}")]), ["{+x}"]);
}

#[test]
fn a_pattern_that_fits_nothing_is_in_the_log() {
    let script: Script = Script::new(server("2026-07-28", |_| None));
    log_line::capture();
    let values = [
        ("prefix", "r_"),
        ("allow", "add look prompt:* resource:any:*"),
        ("deny", "delete_* l*k"),
        ("scopes", "r_add=x add=y prompt:no*=z"),
    ];
    describe(&script, &values);
    let log = log_line::captured();
    let complaints: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("the pattern "))
        .map(|(_, complaint)| complaint.split(' ').next().unwrap())
        .collect();
    assert_eq!(complaints, ["delete_*", "r_add", "prompt:no*"], "{log}");
}

#[test]
fn all_pages_are_read_and_each_name_once() {
    let page = |seen: &crate::testing::Seen| {
        let number = seen.body["params"]["cursor"]
            .as_str()
            .map_or(0, |cursor| cursor.parse::<u32>().unwrap());
        let tool = |name: String| json!({"name": name, "inputSchema": {"type": "object"}});
        let mut result = json!({"tools": [tool(format!("t{number}")), tool("same".to_owned())]});
        if number < 2 {
            result["nextCursor"] = json!((number + 1).to_string());
        }
        seen.result(result)
    };
    let script: Script = Script::new(server("2026-07-28", move |seen| {
        (seen.method() == "tools/list").then(|| page(seen))
    }));
    log_line::capture();
    assert_eq!(names(&describe(&script, &[])), ["t0", "same", "t1", "t2"]);
    assert!(log_line::captured().contains("the second “same” in tools/list is left out"));
}

#[test]
fn one_tool_that_cannot_be_offered_costs_no_other() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let tools = json!([7, {"name": "no schema"}, {"name": "add", "inputSchema": {"type": "object"}}, null]);
        (seen.method() == "tools/list").then(|| seen.result(json!({ "tools": tools })))
    }));
    assert_eq!(names(&describe(&script, &[])), ["add"]);
}

#[test]
fn lists_are_kept_for_as_long_as_the_server_or_else_the_operator_says() {
    let fetches = |ttl: Option<u64>, list_ttl: &'static str, waits: [u64; 2]| {
        let script: Script = Script::new(server("2026-07-28", move |seen| {
            let mut result = json!({"tools": []});
            if let Some(ttl) = ttl {
                result["ttlMs"] = json!(ttl);
            }
            (seen.method() == "tools/list").then(|| seen.result(result))
        }));
        let client = script.client(&[("list_ttl", list_ttl)]);
        for wait in waits {
            script.wait(wait);
            script.run(client.describe()).unwrap();
        }
        script
            .methods()
            .iter()
            .filter(|method| *method == "tools/list")
            .count()
    };
    assert_eq!(fetches(None, "300", [0, 299]), 1);
    assert_eq!(fetches(None, "300", [0, 301]), 2);
    assert_eq!(fetches(Some(10_000), "300", [0, 11]), 2);
    assert_eq!(fetches(Some(0), "300", [0, 1]), 2);
    assert_eq!(
        fetches(Some(1_000_000), "300", [0, 301]),
        2,
        "no longer than the operator says"
    );
}

#[test]
fn old_lists_are_better_than_none() {
    let is_down = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&is_down);
    let script: Script = Script::new(server("2026-07-28", move |_| {
        let reply = || Reply::failed(SendError::Unreachable("refused".to_owned()));
        down.load(Relaxed).then(reply)
    }));
    let client = script.client(&[("list_ttl", "1")]);
    script.run(client.describe()).unwrap();
    is_down.store(true, Relaxed);
    script.wait(5);
    log_line::capture();
    assert_eq!(
        names(&script.run(client.describe()).unwrap()),
        ["add", "look"]
    );
    assert!(log_line::captured().contains("cannot be reached: refused"));
    let other = script.client(&[]);
    let failure = script.run(other.describe()).unwrap_err();
    assert_eq!(
        failure,
        Failure::Internal("remote.example cannot be reached: refused".to_owned())
    );
}

#[test]
fn a_list_that_has_changed_is_fetched_again() {
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        (seen.method() == "tools/call")
            .then(|| seen.stream(&[changed], Some(json!({"content": []}))))
    }));
    let client = script.client(&[]);
    script.run(client.describe()).unwrap();
    script.output(&client, call("add"));
    script.methods();
    script.run(client.describe()).unwrap();
    assert!(script.methods().contains(&"tools/list".to_owned()));
}

#[test]
fn lists_have_bounds_in_number_and_bytes() {
    let tool =
        |number: usize| json!({"name": format!("t{number}"), "inputSchema": {"type": "object"}});
    let many: Vec<Value> = (0..5000).map(tool).collect();
    let script: Script = Script::new(server("2026-07-28", move |seen| {
        (seen.method() == "tools/list").then(|| seen.result(json!({ "tools": many })))
    }));
    assert_eq!(describe(&script, &[]).tools.len(), 1000);
    // Pages without end, of which each is small.
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let id = seen.body["id"].to_string();
        (seen.method() == "tools/list").then(|| seen.result(json!({"tools": [], "nextCursor": id})))
    }));
    assert!(describe(&script, &[]).tools.is_empty());
    assert!(script.seen().len() < 110);
    let script: Script = Script::new(server("2026-07-28", |seen| {
        let result = json!({"tools": [], "nextCursor": seen.body["id"].to_string(), "x": "x".repeat(40_000)});
        (seen.method() == "tools/list").then(|| seen.result(result))
    }));
    let failure = script
        .run(script.client(&[("max_bytes", "100000")]).describe())
        .unwrap_err();
    assert!(
        matches!(&failure, Failure::Internal(text) if text.contains("100000 bytes")),
        "{failure:?}"
    );
}

#[test]
fn a_list_that_is_none_is_an_error() {
    for list in [
        json!({}),
        json!({"tools": {}}),
        json!({"tools": "add"}),
        json!([]),
    ] {
        let told = list.clone();
        let script: Script = Script::new(server("2025-06-18", move |seen| {
            (seen.method() == "tools/list").then(|| seen.result(told.clone()))
        }));
        assert!(script.run(script.client(&[]).describe()).is_err(), "{list}");
    }
}

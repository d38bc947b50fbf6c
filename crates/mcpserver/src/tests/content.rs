//! Resources, prompts and completions.

use super::*;
use serde_json::{Value, json};

async fn ask(fixture: &Fixture, token: &str, method: &str, params: Value) -> Value {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = fixture.post(token, &[], &message.to_string()).await;
    assert_eq!(answer.status, 200, "{method}");
    answer.json().await
}

#[test]
fn resources_come_in_pages_and_a_cursor_of_another_list_is_refused() {
    run(async |fixture, token| {
        let list = async |params| ask(fixture, &token, "resources/list", params).await;
        let first = list(json!({})).await;
        assert_eq!(first["result"]["resources"][0]["uri"], "test:one");
        let cursor = &first["result"]["nextCursor"];
        let second = list(json!({ "cursor": cursor })).await;
        assert_eq!(
            second["result"],
            json!({"resources": [{"uri": "test:two", "name": "two"}]})
        );
        assert_eq!(list(json!({"cursor": "x"})).await["error"]["code"], -32602);
        assert_eq!(list(json!({"cursor": 1})).await["error"]["code"], -32602);
    });
}

#[test]
fn an_unknown_resource_is_an_error_that_names_it() {
    run(async |fixture, token| {
        let read = async |uri| ask(fixture, &token, "resources/read", json!({"uri": uri})).await;
        let contents = &read("test:one").await["result"]["contents"];
        assert_eq!(contents, &json!([{"uri": "test:one", "text": "1"}]));
        let error = &read("test:none").await["error"];
        assert_eq!(
            (error["code"].clone(), error["data"].clone()),
            (json!(-32002), json!({"uri": "test:none"}))
        );
        let broken = read("test:broken").await;
        assert_eq!(broken["error"]["code"], -32603);
        assert!(!broken.to_string().contains("for the log"));
        assert!(fixture.environment.log_text().contains("for the log"));
    });
}

#[test]
fn a_prompt_needs_its_arguments_and_its_scopes() {
    run(async |fixture, token| {
        let get = async |params| ask(fixture, &token, "prompts/get", params).await;
        let prompts = ask(fixture, &token, "prompts/list", json!({})).await;
        assert_eq!(
            prompts["result"]["prompts"][0],
            json!({"name": "ask", "arguments": [{"name": "topic", "required": true}]})
        );
        let given = get(json!({"name": "ask", "arguments": {"topic": "x"}})).await;
        assert_eq!(given["result"]["messages"][0]["role"], "user");
        assert_eq!(get(json!({"name": "ask"})).await["error"]["code"], -32602);
        assert_eq!(get(json!({"name": "none"})).await["error"]["code"], -32602);
        let secret = json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get",
            "params": {"name": "secret", "arguments": {"topic": "x"}}});
        let refused = fixture.post(&token, &[], &secret.to_string()).await;
        assert_eq!(refused.status, 403);
        assert!(
            refused
                .header("www-authenticate")
                .contains("scope=\"tools secret\"")
        );
    });
}

#[test]
fn an_argument_is_completed_for_what_exists() {
    run(async |fixture, token| {
        let complete = async |name: &str| {
            let params = json!({"ref": {"type": "ref/prompt", "name": name},
                "argument": {"name": "topic", "value": "we"}});
            ask(fixture, &token, "completion/complete", params).await
        };
        assert_eq!(
            complete("ask").await["result"]["completion"],
            json!({"values": ["we…"], "hasMore": false})
        );
        assert_eq!(complete("none").await["error"]["code"], -32602);
    });
}

#[test]
fn what_is_offered_is_announced_and_nothing_else() {
    run(async |fixture, token| {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"}});
        let result = ask(fixture, &token, "initialize", params).await;
        assert_eq!(
            result["result"]["capabilities"],
            json!({"completions": {}, "logging": {}, "prompts": {},
                "resources": {"listChanged": true, "subscribe": true}, "tools": {"listChanged": true}})
        );
    });
}

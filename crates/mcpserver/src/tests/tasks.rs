//! Tasks: the extension `io.modelcontextprotocol/tasks` (SEP-2663).

use super::listen::Stream;
use super::stateless::{ask, message, refused, send};
use super::*;
use crate::Environment;
use serde_json::json;
use std::time::Duration;
use store::KeyValue;

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A token of another person's.
const BOBS: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";

fn capabilities() -> Value {
    json!({"extensions": {TASKS: {}}, "roots": {}})
}

fn request(method: &str, params: Value) -> Value {
    message(method, params, capabilities())
}

fn call_of(tool: &str, does: &str) -> Value {
    request(
        "tools/call",
        json!({"name": tool, "arguments": {"does": does}}),
    )
}

/// The result of a request.
async fn result(fixture: &Fixture, token: &str, message: &Value) -> Value {
    let answer = send(fixture, token, &[], message).await;
    assert_eq!(answer.status, 200);
    let mut answer = answer.json().await;
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].take()
}

/// Begins a task, and gives its id.
async fn begin(fixture: &Fixture, token: &str, does: &str) -> String {
    let created = result(fixture, token, &call_of("task", does)).await;
    assert_eq!(created["resultType"], "task", "{created}");
    assert_eq!(created["status"], "working");
    assert_eq!(created["ttlMs"], 3_600_000);
    for member in ["requestState", "inputRequests", "result", "error"] {
        assert!(created[member].is_null());
    }
    created["taskId"].as_str().unwrap().to_owned()
}

async fn get(fixture: &Fixture, token: &str, id: &str) -> Value {
    let task = result(fixture, token, &request("tasks/get", json!({"taskId": id}))).await;
    assert_eq!(
        (&task["resultType"], &task["taskId"]),
        (&json!("complete"), &json!(id))
    );
    task
}

/// The task once it does not work any more.
async fn settled(fixture: &Fixture, token: &str, id: &str) -> Value {
    loop {
        let task = get(fixture, token, id).await;
        if task["status"] != "working" {
            return task;
        }
        fixture.environment.sleep(Duration::from_millis(500)).await;
    }
}

async fn update(fixture: &Fixture, token: &str, id: &str, answers: Value) {
    let params = json!({"taskId": id, "inputResponses": answers});
    let acknowledged = result(fixture, token, &request("tasks/update", params)).await;
    assert_eq!(acknowledged["resultType"], "complete");
    assert!(acknowledged["taskId"].is_null());
}

async fn cancel(fixture: &Fixture, token: &str, id: &str) {
    let acknowledged = result(
        fixture,
        token,
        &request("tasks/cancel", json!({"taskId": id})),
    )
    .await;
    assert_eq!(acknowledged["resultType"], "complete");
    assert!(acknowledged["status"].is_null());
}

fn text(task: &Value) -> &str {
    assert_eq!(task["status"], "completed", "{task}");
    task["result"]["content"][0]["text"].as_str().unwrap()
}

#[test]
fn a_call_that_takes_its_time_becomes_a_task_and_any_instance_knows_it() {
    run(async |fixture, token| {
        let twin = fixture.twin();
        for (does, came_to) in [("pauses", "paused"), ("ends", "ended")] {
            let id = begin(fixture, &token, does).await;
            let task = settled(&twin, &token, &id).await;
            assert_eq!(text(&task), came_to);
            assert_eq!(
                task["createdAt"].as_str().unwrap().len(),
                "1970-01-01T00:16:40Z".len()
            );
            assert!(task["lastUpdatedAt"].as_str() >= task["createdAt"].as_str());
            assert_eq!(fixture.environment.working(), 0);
        }
        let id = begin(fixture, &token, "pauses").await;
        fixture.environment.sleep(Duration::from_secs(3)).await;
        let task = get(&twin, &token, &id).await;
        assert_eq!(
            (&task["status"], &task["statusMessage"]),
            (&json!("working"), &json!("began"))
        );
        // And one that does not even begin in time.
        begin(fixture, &token, "hangs").await;
    });
}

#[test]
fn what_ends_at_once_or_asks_first_is_no_task() {
    run(async |fixture, token| {
        let ended = result(fixture, &token, &call_of("task", "ends at once")).await;
        assert_eq!(ended["resultType"], "complete");
        assert_eq!(ended["content"][0]["text"], "ended");
        let asked = result(fixture, &token, &call_of("task", "asks first")).await;
        assert_eq!(asked["resultType"], "input_required");
        assert!(asked["taskId"].is_null());
        let mut again = call_of("task", "asks first");
        again["params"]["requestState"] = asked["requestState"].clone();
        again["params"]["inputResponses"] = json!({"a": {"roots": []}});
        let created = result(fixture, &token, &again).await;
        assert_eq!(created["resultType"], "task");
        let id = created["taskId"].as_str().unwrap();
        assert_eq!(
            text(&settled(fixture, &token, id).await),
            r#"a={"roots":[]}"#
        );
    });
}

#[test]
fn who_does_not_know_tasks_waits_or_is_refused() {
    run(async |fixture, token| {
        let waits = json!({"name": "task", "arguments": {"does": "ends"}});
        let ended = ask(fixture, &token, "tools/call", waits).await;
        assert_eq!(ended["result"]["content"][0]["text"], "ended");
        for (method, params) in [
            ("tools/call", json!({"name": "task-only"})),
            ("tasks/get", json!({"taskId": "x"})),
            ("tasks/update", json!({"taskId": "x", "inputResponses": {}})),
            ("tasks/cancel", json!({"taskId": "x"})),
            (
                "subscriptions/listen",
                json!({"notifications": {"taskIds": ["x"]}}),
            ),
        ] {
            let message = message(method, params, json!({}));
            let answer = send(fixture, &token, &[], &message).await;
            assert_eq!(answer.status, 400, "{method}");
            let error = answer.json().await["error"].take();
            assert_eq!(error["code"], -32021, "{method}");
            let missing = &error["data"]["requiredCapabilities"]["extensions"];
            assert_eq!(missing, &json!({TASKS: {}}), "{method}");
        }
        let older = fixture.post(&token, &[], &plain_call("task-only")).await;
        assert_eq!(older.json().await["error"]["code"], -32600);
        for method in ["tasks/result", "tasks/list"] {
            let message = request(method, json!({"taskId": "x"}));
            assert_eq!(refused(fixture, &token, &[], &message).await, (404, -32601));
        }
        let discovered = ask(fixture, &token, "server/discover", json!({})).await;
        let extensions = &discovered["result"]["capabilities"]["extensions"];
        assert_eq!(extensions, &json!({TASKS: {}}));
    });
}

#[test]
fn a_task_is_its_owners_alone_and_a_stranger_learns_nothing_of_it() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "asks").await;
        settled(fixture, &token, &id).await;
        let answer = async |token: &str, method: &str, id: &str| {
            let params = json!({"taskId": id, "inputResponses": {"a": {}, "b": {}}});
            let answer = send(fixture, token, &[], &request(method, params)).await;
            let answer = answer.json().await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
            answer
        };
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let of_another = answer(BOBS, method, &id).await;
            assert_eq!(of_another, answer(BOBS, method, "unknown").await);
            assert_eq!(of_another, answer(&token, method, &id[1..]).await);
        }
        let wanted = json!({"taskIds": [id]});
        let mut stream = Stream::open_with(BOBS, fixture, wanted, capabilities()).await;
        assert_eq!(stream.acknowledged().await, json!({}));
        assert_eq!(get(fixture, &token, &id).await["status"], "input_required");
        // What came of a tool takes the scope that the tool takes.
        let other = fixture.token(&["secret"]).await;
        let message = request("tasks/get", json!({"taskId": id}));
        assert_eq!(send(fixture, &other, &[], &message).await.status, 403);
        let mismatch = [("mcp-name", "another")];
        assert_eq!(
            refused(fixture, &token, &mismatch, &message).await,
            (400, -32020)
        );
    });
}

#[test]
fn questions_are_answered_one_by_one_and_another_instance_goes_on() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "asks").await;
        let task = settled(fixture, &token, &id).await;
        assert_eq!(task["status"], "input_required");
        let question = json!({"method": "roots/list", "params": {}});
        assert_eq!(task["inputRequests"], json!({"a": question, "b": question}));
        let twin = fixture.twin();
        update(&twin, &token, &id, json!({"a": {"n": 1}, "unknown": {}})).await;
        let task = get(fixture, &token, &id).await;
        assert_eq!(task["inputRequests"], json!({"b": question}));
        // An answer stays what it was.
        update(fixture, &token, &id, json!({"a": {"n": 2}})).await;
        fixture.environment.advance(600);
        update(&twin, &token, &id, json!({"b": {"n": 3}})).await;
        let task = settled(fixture, &token, &id).await;
        assert_eq!(text(&task), r#"a={"n":1} b={"n":3}"#);
        update(fixture, &token, &id, json!({"b": {"n": 4}})).await;
    });
}

#[test]
fn no_key_is_used_twice_and_only_so_many_rounds_are_run() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "asks twice").await;
        let first = settled(fixture, &token, &id).await;
        assert!(first["inputRequests"]["a"].is_object());
        update(fixture, &token, &id, json!({"a": {"n": 1}})).await;
        let second = settled(fixture, &token, &id).await;
        assert_eq!(second["inputRequests"].as_object().unwrap().len(), 1);
        assert!(second["inputRequests"]["a-2"].is_object());
        update(fixture, &token, &id, json!({"a": {"n": 2}})).await;
        assert_eq!(get(fixture, &token, &id).await["status"], "input_required");
        update(fixture, &token, &id, json!({"a-2": {"n": 3}})).await;
        assert_eq!(text(&settled(fixture, &token, &id).await), r#"a={"n":3}"#);
        let id = begin(fixture, &token, "asks nothing").await;
        assert_eq!(text(&settled(fixture, &token, &id).await), "");
        let id = begin(fixture, &token, "asks without end").await;
        assert_eq!(settled(fixture, &token, &id).await["status"], "failed");
        assert!(
            fixture
                .environment
                .log_text()
                .contains("it needs input too often")
        );
    });
}

#[test]
fn a_cancelled_call_ends_on_whichever_instance_it_runs() {
    run(async |fixture, token| {
        for does in ["pauses", "hangs"] {
            let id = begin(fixture, &token, does).await;
            let twin = fixture.twin();
            cancel(&twin, &token, &id).await;
            assert_eq!(get(&twin, &token, &id).await["status"], "cancelled");
            fixture.environment.sleep(Duration::from_secs(2)).await;
            assert_eq!(fixture.environment.working(), 0, "{does}");
            assert_eq!(get(fixture, &token, &id).await["status"], "cancelled");
            cancel(fixture, &token, &id).await;
        }
        let id = begin(fixture, &token, "ends").await;
        settled(fixture, &token, &id).await;
        cancel(fixture, &token, &id).await;
        assert_eq!(text(&get(fixture, &token, &id).await), "ended");
        let id = begin(fixture, &token, "asks").await;
        settled(fixture, &token, &id).await;
        cancel(fixture, &token, &id).await;
        update(fixture, &token, &id, json!({"a": {}, "b": {}})).await;
        assert_eq!(get(fixture, &token, &id).await["status"], "cancelled");
    });
}

#[test]
fn a_task_whose_runner_died_fails_and_stays_so() {
    run(async |fixture, _| {
        let long = |claims: &mut access_token::Claims| claims.exp = 900_000;
        let token = fixture.token_with(&["tools"], long).await;
        let id = begin(fixture, &token, "pauses").await;
        fixture.environment.sleep(Duration::from_secs(15)).await;
        fixture.environment.kill();
        let twin = fixture.twin();
        assert_eq!(get(&twin, &token, &id).await["status"], "working");
        fixture.environment.advance(45);
        for fixture in [&twin, fixture] {
            let task = get(fixture, &token, &id).await;
            assert_eq!(task["status"], "failed");
            let message = task["error"]["message"].as_str().unwrap();
            assert!(message.contains("stopped before it was done"));
        }
        // A question waits for as long as the task is there, and outlives every caller.
        let id = begin(fixture, &token, "asks").await;
        settled(fixture, &token, &id).await;
        fixture.environment.kill();
        fixture.environment.advance(3000);
        assert_eq!(get(&twin, &token, &id).await["status"], "input_required");
        fixture.environment.advance(600);
        let gone = request("tasks/get", json!({"taskId": id}));
        assert_eq!(refused(&twin, &token, &[], &gone).await, (200, -32602));
    });
}

#[test]
fn a_task_lives_as_long_as_its_call_runs() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "hangs").await;
        for _ in 0..10 {
            fixture.environment.sleep(Duration::from_secs(30)).await;
            assert_eq!(get(fixture, &token, &id).await["status"], "working");
        }
    });
}

#[test]
fn where_the_host_ends_requests_a_task_ends_as_a_call_does() {
    let fixture = Fixture::with(&[("stream_seconds", "5"), ("call_timeout", "5")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let id = begin(&fixture, &token, "hangs").await;
        let task = settled(&fixture, &token, &id).await;
        assert_eq!(task["status"], "failed");
        let message = &task["error"]["message"];
        assert_eq!(message, "The tool did not finish in time.");
        assert!(fixture.environment.now() <= START + 7);
        assert_eq!(fixture.environment.working(), 0);
    });
}

#[test]
fn an_error_fails_a_task_and_a_large_result_comes_whole() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "vanishes").await;
        let task = settled(fixture, &token, &id).await;
        assert_eq!(
            (&task["status"], &task["error"]["code"]),
            (&json!("failed"), &json!(-32603))
        );
        assert!(task["result"].is_null());
        let id = begin(fixture, &token, "is large").await;
        assert_eq!(text(&settled(fixture, &token, &id).await).len(), 600_000);
        let id = begin(fixture, &token, "is too large").await;
        let task = settled(fixture, &token, &id).await;
        assert_eq!(task["status"], "failed");
    });
}

#[test]
fn one_person_begins_so_many_tasks_and_then_waits() {
    run(async |fixture, token| {
        for _ in 0..240 {
            begin(fixture, &token, "ends").await;
        }
        let waited = result(fixture, &token, &call_of("task", "ends")).await;
        assert_eq!(waited["content"][0]["text"], "ended");
        let only = call_of("task-only", "ends");
        assert_eq!(refused(fixture, &token, &[], &only).await, (200, -32603));
        begin(fixture, BOBS, "ends").await;
    });
}

#[test]
fn a_task_tells_the_store_nothing_and_leaves_nothing_in_it() {
    run(async |fixture, token| {
        for does in ["ends", "asks", "is large"] {
            let id = begin(fixture, &token, does).await;
            settled(fixture, &token, &id).await;
        }
        let backend = fixture.server.context.store.backend();
        let of_tasks = |keys: Vec<String>| -> Vec<String> {
            keys.into_iter()
                .filter(|key| key.contains("task"))
                .collect()
        };
        let keys = of_tasks(fixture.keys().await);
        assert!(keys.len() > 10, "{keys:?}");
        for key in &keys {
            let value = backend.get(key).await.unwrap().unwrap();
            let value = String::from_utf8_lossy(&value).into_owned();
            for secret in ["\"does\"", "roots/list", "xxxxxxxxxxxx"] {
                assert!(!value.contains(secret), "{key}");
            }
            assert!(value.len() < 400_000 && !key.contains("ann"));
        }
        fixture.environment.advance(3 * 3600);
        let now = fixture.environment.now();
        while fixture
            .server
            .context
            .store
            .sweep(now, 10_000)
            .await
            .unwrap()
            .more
        {}
        assert_eq!(of_tasks(fixture.keys().await), Vec::<String>::new());
    });
}

#[test]
fn who_listens_is_told_what_becomes_of_a_task() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "asks").await;
        let wanted = json!({"taskIds": [id, "unknown"]});
        let twin = fixture.twin();
        let mut stream = Stream::open_with(&token, &twin, wanted, capabilities()).await;
        assert_eq!(stream.acknowledged().await, json!({"taskIds": [id]}));
        let mut next_task = async || {
            let notification = stream.next().await.unwrap();
            assert_eq!(notification["method"], "notifications/tasks");
            assert_eq!(notification["params"]["taskId"], id);
            notification["params"].clone()
        };
        let mut task = next_task().await;
        if task["status"] == "working" {
            task = next_task().await;
        }
        assert!(task["inputRequests"]["b"].is_object(), "{task}");
        update(fixture, &token, &id, json!({"a": {}, "b": {}})).await;
        let mut task = next_task().await;
        if task["status"] == "working" {
            task = next_task().await;
        }
        assert_eq!(text(&task), "a={} b={}");
    });
}

#[test]
fn a_task_is_cancelled_when_its_grant_ends_wherever_it_is_looked_at() {
    run(async |fixture, _| {
        for does in ["pauses", "hangs"] {
            let token = fixture.token(&["tools"]).await;
            let id = begin(fixture, &token, does).await;
            fixture.end_grants().await;
            fixture.environment.sleep(Duration::from_secs(3)).await;
            assert_eq!(fixture.environment.working(), 0, "{does}");
            // Signed in again.
            let token = fixture.token(&["tools"]).await;
            let task = get(&fixture.twin(), &token, &id).await;
            assert_eq!(task["status"], "cancelled");
        }
    });
}

#[test]
fn a_task_that_waits_for_answers_is_cancelled_with_its_grant_and_runs_no_more() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "asks").await;
        settled(fixture, &token, &id).await;
        fixture.end_grants().await;
        let token = fixture.token(&["tools"]).await;
        update(fixture, &token, &id, json!({"a": {}, "b": {}})).await;
        assert_eq!(fixture.environment.working(), 0);
        assert_eq!(get(fixture, &token, &id).await["status"], "cancelled");
    });
}

#[test]
fn a_task_that_another_grant_answered_ends_with_the_grant_that_began_it() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "asks, then hangs").await;
        settled(fixture, &token, &id).await;
        let before = fixture.keys().await;
        let other = fixture.token(&["tools"]).await;
        update(fixture, &other, &id, json!({"a": {}})).await;
        assert_eq!(get(fixture, &other, &id).await["status"], "working");
        let backend = fixture.server.context.store.backend();
        for key in before.iter().filter(|key| key.contains(":grant:")) {
            backend.delete(key).await.unwrap();
        }
        fixture.environment.sleep(Duration::from_secs(3)).await;
        assert_eq!(fixture.environment.working(), 0);
        assert_eq!(get(fixture, &other, &id).await["status"], "cancelled");
    });
}

#[test]
fn a_listener_is_told_of_no_task_whose_scopes_its_token_lacks() {
    run(async |fixture, token| {
        let id = begin(fixture, &token, "ends").await;
        settled(fixture, &token, &id).await;
        let narrow = fixture.token(&["secret"]).await;
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let params = json!({"taskId": id, "inputResponses": {}});
            let answer = send(fixture, &narrow, &[], &request(method, params)).await;
            assert_eq!(answer.status, 403, "{method}");
        }
        let wanted = json!({"taskIds": [id]});
        let mut stream = Stream::open_with(&narrow, fixture, wanted, capabilities()).await;
        assert_eq!(stream.acknowledged().await, json!({}));
        let next = stream.next().await.unwrap();
        assert!(next["method"].is_null(), "{next}");
    });
}

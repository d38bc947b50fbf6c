//! Tasks (the extension `io.modelcontextprotocol/tasks`), over two machines.

use gatehouse_tests::stateless::TASKS;
use gatehouse_tests::{Client, Gatehouse, Person, Settings, Stateless, Tokens};
use serde_json::{Value, json};
use std::time::Duration;

/// Polls for a state that has to come in the end.
const MAX_POLLS: u32 = 600;

async fn start() -> Gatehouse {
    Gatehouse::start_with(Settings::default().conformance_tools()).await
}

/// A client that knows tasks and answers questions.
fn client(gatehouse: &Gatehouse, tokens: &Tokens) -> Stateless {
    let capabilities = json!({ "extensions": { TASKS: {} }, "elicitation": {} });
    Stateless::new(gatehouse.url("/mcp"), &tokens.access).with_capabilities(capabilities)
}

/// The same, of a new person at the two machines.
async fn two() -> (Gatehouse, host::Running, Stateless, Stateless) {
    let gatehouse = start().await;
    let other = gatehouse.another().await;
    let registered = Client::register(&gatehouse).await;
    let here = client(&gatehouse, &registered.sign_in(&Person::new()).await);
    let there = here.at(&other);
    (gatehouse, other, here, there)
}

/// Begins a task, and gives its id.
async fn begin(client: &Stateless, tool: &str, arguments: Value) -> String {
    let created = client.call(tool, arguments).await;
    assert_eq!(created["resultType"], "task", "{created}");
    assert_eq!(created["status"], "working");
    created["taskId"].as_str().expect("an id").to_owned()
}

async fn get(client: &Stateless, id: &str) -> Value {
    client.result("tasks/get", json!({ "taskId": id })).await
}

/// The task once it does not work any more.
async fn settled(client: &Stateless, id: &str) -> Value {
    for _ in 0..MAX_POLLS {
        let task = get(client, id).await;
        if task["status"] != "working" {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the task works without end");
}

async fn answer(client: &Stateless, id: &str, answers: Value) {
    let params = json!({ "taskId": id, "inputResponses": answers });
    client.result("tasks/update", params).await;
}

/// The error that a request about a task is answered with.
async fn error(client: &Stateless, method: &str, id: &str) -> Value {
    let params = json!({ "taskId": id, "inputResponses": {} });
    let response = client.ask(method, params).await;
    let mut answer = gatehouse_tests::mcp::answer(response).await;
    assert!(answer["error"].is_object(), "{answer}");
    answer["error"].take()
}

#[tokio::test]
async fn a_task_of_one_machine_is_known_at_another_as_it_works_and_when_it_is_done() {
    let (_gatehouse, other, here, there) = two().await;
    let id = begin(&here, "slow_compute", json!({ "seconds": 2 })).await;
    assert_eq!(get(&there, &id).await["status"], "working");
    let wanted = json!({ "taskIds": [id] });
    let (acknowledged, mut stream) = there.listen(wanted.clone()).await;
    assert_eq!(acknowledged, wanted);
    let task = settled(&there, &id).await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["result"]["content"][0]["text"], "Computed for 2 s.");
    // Who listens is told of the same, as the last thing about it.
    loop {
        let told = stream.message().await;
        assert_eq!(told["method"], "notifications/tasks");
        assert_eq!(told["params"]["taskId"], id);
        if told["params"]["status"] != "working" {
            assert_eq!(told["params"]["result"], task["result"]);
            break;
        }
    }
    let failed = begin(&here, "failing_job", json!({})).await;
    let failed = settled(&there, &failed).await;
    assert_eq!(failed["result"]["isError"], true, "{failed}");
    drop(stream);
    other.shutdown().await;
}

#[tokio::test]
async fn questions_of_a_task_are_answered_one_by_one_at_any_machine() {
    let (_gatehouse, other, here, there) = two().await;
    let id = begin(&here, "multi_input", json!({})).await;
    let task = settled(&there, &id).await;
    assert_eq!(task["status"], "input_required");
    let asked = &task["inputRequests"];
    assert_eq!(asked["first"]["method"], "elicitation/create");
    assert_eq!(asked["second"]["method"], "elicitation/create");
    let named = json!({ "action": "accept", "content": { "name": "Ann" } });
    answer(&there, &id, json!({ "first": named })).await;
    let task = get(&here, &id).await;
    assert_eq!(task["status"], "input_required");
    assert_eq!(task["inputRequests"], json!({ "second": asked["second"] }));
    answer(&there, &id, json!({ "second": named })).await;
    let task = settled(&here, &id).await;
    assert_eq!(task["result"]["content"][0]["text"], "Both are known.");
    other.shutdown().await;
}

#[tokio::test]
async fn a_task_that_is_cancelled_at_another_machine_stops_where_it_runs() {
    let (gatehouse, other, here, there) = two().await;
    let id = begin(&here, "slow_compute", json!({ "seconds": 60 })).await;
    there.result("tasks/cancel", json!({ "taskId": id })).await;
    for client in [&here, &there] {
        assert_eq!(get(client, &id).await["status"], "cancelled");
    }
    // The instance that runs a task looks after it once a second, until it is over.
    for _ in 0..10 {
        let before = gatehouse.host.counters();
        tokio::time::sleep(Duration::from_secs(3)).await;
        if gatehouse.host.counters().since(&before).reads() == 0 {
            other.shutdown().await;
            return;
        }
    }
    panic!("it still runs");
}

#[tokio::test]
async fn a_task_whose_machine_stopped_fails_once_its_signs_of_life_are_missing() {
    let (gatehouse, other, here, there) = two().await;
    let id = begin(&here, "slow_compute", json!({ "seconds": 60 })).await;
    let gatehouse = gatehouse.restart().await;
    assert_eq!(get(&there, &id).await["status"], "working");
    gatehouse.pass(45);
    for client in [&there, &here] {
        let task = get(client, &id).await;
        assert_eq!(task["status"], "failed");
        let words = task["error"]["message"].as_str().unwrap();
        assert!(words.contains("stopped before it was done"), "{words}");
    }
    // A question waits for its answer, whatever becomes of the machine.
    let id = begin(&here, "confirm_delete", json!({ "filename": "a" })).await;
    settled(&here, &id).await;
    let gatehouse = gatehouse.restart().await;
    gatehouse.pass(600);
    let confirmed = json!({ "action": "accept", "content": { "confirm": true } });
    answer(&there, &id, json!({ "confirm": confirmed })).await;
    assert_eq!(settled(&here, &id).await["status"], "completed");
    other.shutdown().await;
}

#[tokio::test]
async fn a_task_is_its_persons_and_its_clients_alone() {
    let gatehouse = start().await;
    let registered = Client::register(&gatehouse).await;
    let another = Client::register(&gatehouse).await;
    let sign_in =
        async |registered: &Client| client(&gatehouse, &registered.sign_in(&Person::new()).await);
    let mine = sign_in(&registered).await;
    let id = begin(&mine, "confirm_delete", json!({ "filename": "a" })).await;
    assert_eq!(settled(&mine, &id).await["status"], "input_required");
    // Another sign-in of the same person with the same client is the same owner.
    let again = sign_in(&registered).await;
    assert_eq!(get(&again, &id).await["status"], "input_required");
    let my_other_client = sign_in(&another).await;
    gatehouse
        .descope
        .sign_in_as(descope_emulator::User::new("Eve", "eve@example.com"));
    let theirs = sign_in(&registered).await;
    for stranger in [&my_other_client, &theirs] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let refused = error(stranger, method, &id).await;
            assert_eq!(refused["code"], -32602);
            assert_eq!(refused, error(stranger, method, "unknown").await);
        }
        let (acknowledged, _) = stranger.listen(json!({ "taskIds": [id] })).await;
        assert_eq!(acknowledged, json!({}));
    }
    assert_eq!(get(&mine, &id).await["status"], "input_required");
}

#[tokio::test]
async fn a_task_is_gone_after_its_hour() {
    let gatehouse = start().await;
    let registered = Client::register(&gatehouse).await;
    let tokens = registered.sign_in(&Person::new()).await;
    let first = client(&gatehouse, &tokens);
    let id = begin(&first, "confirm_delete", json!({ "filename": "a" })).await;
    // What waits for an answer needs no sign of life.
    settled(&first, &id).await;
    let later = async |seconds| {
        gatehouse.pass(seconds);
        let response = registered.refresh(&tokens.refresh).await;
        client(&gatehouse, &Tokens::read(response).await)
    };
    let task = get(&later(3500).await, &id).await;
    assert_eq!(task["status"], "input_required", "{task}");
    let gone = error(&later(101).await, "tasks/get", &id).await;
    assert_eq!(gone["code"], -32602);
}

#[tokio::test]
async fn a_request_about_a_task_names_it_in_its_header() {
    let (_gatehouse, other, here, _) = two().await;
    let id = begin(&here, "confirm_delete", json!({ "filename": "a" })).await;
    let message = here.request("tasks/get", json!({ "taskId": id }));
    let mut request = here.message(&message).build().unwrap();
    let another = "another".parse().unwrap();
    request.headers_mut().insert("mcp-name", another);
    let response = reqwest::Client::new().execute(request).await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        gatehouse_tests::mcp::answer(response).await["error"]["code"],
        -32020
    );
    other.shutdown().await;
}

#[tokio::test]
async fn a_task_is_cancelled_when_its_grant_is_revoked() {
    let gatehouse = start().await;
    let registered = Client::register(&gatehouse).await;
    let tokens = registered.sign_in(&Person::new()).await;
    let first = client(&gatehouse, &tokens);
    let running = begin(&first, "slow_compute", json!({ "seconds": 60 })).await;
    let waiting = begin(&first, "confirm_delete", json!({ "filename": "a" })).await;
    assert_eq!(settled(&first, &waiting).await["status"], "input_required");
    let (_, mut stream) = first.listen(json!({ "taskIds": [waiting] })).await;
    assert_eq!(registered.revoke(&tokens.refresh).await.status(), 200);
    // Who listens is told no more, but that the stream is over.
    loop {
        let last = stream.message().await;
        if last["method"].is_null() {
            assert_eq!(last["result"]["resultType"], "complete", "{last}");
            break;
        }
    }
    stream.end().await;
    // The same person signs in again with the same client.
    let again = client(&gatehouse, &registered.sign_in(&Person::new()).await);
    for id in [running, waiting] {
        assert_eq!(settled(&again, &id).await["status"], "cancelled");
    }
}

#[tokio::test]
async fn a_listener_without_the_tools_scope_is_told_nothing_of_its_task() {
    let gatehouse = start().await;
    let registered = Client::register(&gatehouse).await;
    let person = Person::new();
    let wide = client(&gatehouse, &registered.sign_in_for(&person, "tools").await);
    let id = begin(&wide, "slow_compute", json!({ "seconds": 1 })).await;
    assert_eq!(settled(&wide, &id).await["status"], "completed");
    let narrow = registered.sign_in_for(&person, "upstream_token").await;
    let narrow = client(&gatehouse, &narrow);
    let response = narrow.ask("tasks/get", json!({ "taskId": id })).await;
    assert_eq!(response.status(), 403);
    let (acknowledged, _) = narrow.listen(json!({ "taskIds": [id] })).await;
    assert_eq!(acknowledged, json!({}));
}

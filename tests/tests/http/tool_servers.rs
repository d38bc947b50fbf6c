//! Tools components of their own, behind tool servers, which `mcp` calls.

use axum::Router;
use gatehouse_tests::stateless::TASKS;
use gatehouse_tests::{
    Client, Flavour, Gatehouse, Mcp, Origin, Person, Settings, SseStream, Stateless,
};
use serde_json::{Value, json};
use std::future::pending;

const FIXTURES: &str = "target/wasm32-wasip2/wasm/conformance_tools.wasm";

/// The composed tools, and the fixtures as a component of its own.
fn both() -> Settings {
    in_build(None)
}

/// The same in this build.
fn in_build(build: Option<Flavour>) -> Settings {
    let settings = Settings {
        flavour: build,
        ..Settings::default().variable("tools", "composed fixtures")
    };
    match build {
        None => settings.tool_server("fixtures", FIXTURES),
        // Its manifest has them.
        Some(_) => settings,
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

async fn tool_names(mcp: &Mcp) -> Vec<String> {
    let list = gatehouse_tests::mcp::answer(mcp.request("tools/list", json!({})).await).await;
    let tools = list["result"]["tools"].as_array().expect("tools");
    let names = tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"));
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn tools_of_the_composed_component_and_of_another_are_offered_as_one() {
    let gatehouse = Gatehouse::start_with(both()).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let names = tool_names(&mcp).await;
    for name in ["add", "greet", "test_simple_text"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?}");
    }
    let sum = mcp.call("add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(text(&sum), "3");
    let greeting = mcp.call("greet", json!({ "name": "Ada" })).await;
    assert_eq!(text(&greeting), "Hello, Ada!");
    let image = mcp.call("test_image_content", json!({})).await;
    assert_eq!(image["content"][0]["type"], "image");
    let failed = mcp.call("test_error_handling", json!({})).await;
    assert_eq!(failed["isError"], true);
    let read = json!({ "uri": "test://template/7/data" });
    let read = gatehouse_tests::mcp::answer(mcp.request("resources/read", read).await).await;
    let data = read["result"]["contents"][0]["text"].as_str().unwrap();
    assert!(data.contains("Data for 7"), "{read}");
}

#[tokio::test]
async fn two_components_with_one_name_each_have_it_with_their_ids_before_it() {
    let settings = both()
        .tool_server("others", FIXTURES)
        .variable("tools", "fixtures others");
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let names = tool_names(&mcp).await;
    assert!(
        names.iter().all(|name| name != "add" && name != "greet"),
        "{names:?}"
    );
    for name in ["fixtures_greet", "others_greet"] {
        let greeting = mcp.call(name, json!({ "name": "Ada" })).await;
        assert_eq!(text(&greeting), "Hello, Ada!", "{name}");
    }
}

#[tokio::test]
async fn progress_of_a_component_of_its_own_comes_while_its_call_runs() {
    let gatehouse = Gatehouse::start_with(both()).await;
    let client = Stateless::signed_in(&gatehouse).await;
    let mut message = client.request(
        "tools/call",
        json!({ "name": "ten_steps", "arguments": {} }),
    );
    message["params"]["_meta"]["progressToken"] = "steps".into();
    let mut stream = SseStream::of(client.message(&message).send().await.unwrap());
    for step in 1..=10 {
        let event = stream.message().await;
        assert_eq!(event["method"], "notifications/progress", "{step}: {event}");
    }
    assert!(stream.message().await["result"].is_object());
}

#[tokio::test]
async fn a_component_of_its_own_asks_the_client_and_goes_on() {
    let gatehouse = Gatehouse::start_with(both()).await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let client = Stateless::new(gatehouse.url("/mcp"), &tokens.access)
        .with_capabilities(json!({ "elicitation": {} }));
    let params = json!({ "name": "test_input_required_result_elicitation", "arguments": {} });
    let asked = client.result("tools/call", params.clone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let (id, _) = asked["inputRequests"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    let mut again = params;
    again["inputResponses"] = json!({ id: { "action": "accept", "content": { "name": "Ada" } } });
    if let Some(state) = asked.get("requestState") {
        again["requestState"] = state.clone();
    }
    let done = client.result("tools/call", again).await;
    assert!(text(&done).contains("Ada"), "{done}");
}

#[tokio::test]
async fn a_component_of_its_own_that_traps_costs_its_own_call_and_no_other() {
    let gatehouse = Gatehouse::start_with(both()).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    for _ in 0..3 {
        // A trap takes the tool server's instance with it, and not that of the MCP endpoint.
        let slow = mcp.call("add", json!({ "a": 1, "b": 2 }));
        let trapped = mcp.try_call("test_tool_that_panics", json!({}));
        let (slow, trapped) = tokio::join!(slow, trapped);
        assert_eq!(text(&slow), "3");
        assert_eq!(trapped.status(), 200);
        let answer = gatehouse_tests::mcp::answer(trapped).await;
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
    }
    let greeting = mcp.call("greet", json!({ "name": "Ada" })).await;
    assert_eq!(text(&greeting), "Hello, Ada!");
}

in_both_builds!(
    prompts_completions_rounds_tasks_and_changes_of_a_component_of_its_own_arrive,
    a_component_that_does_not_describe_itself_costs_its_own_tools_alone,
    a_call_of_a_component_of_its_own_that_hangs_ends_at_its_timeout,
);

async fn prompts_completions_rounds_tasks_and_changes_of_a_component_of_its_own_arrive(
    build: Option<Flavour>,
) {
    const WATCHED: &str = "test://watched-resource";
    let gatehouse = Gatehouse::start_with(in_build(build)).await;
    let client = Stateless::signed_in(&gatehouse).await;
    let capabilities = json!({ "extensions": { TASKS: {} }, "elicitation": {} });
    let client = client.with_capabilities(capabilities);

    let name = "test_prompt_with_arguments";
    let get = json!({ "name": name, "arguments": { "arg1": "one", "arg2": "two" } });
    let prompt = client.result("prompts/get", get).await;
    let message = prompt["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(
        message.contains("one") && message.contains("two"),
        "{prompt}"
    );

    let complete = json!({
        "ref": { "type": "ref/prompt", "name": name },
        "argument": { "name": "arg1", "value": "" },
    });
    let completion = client.result("completion/complete", complete).await;
    assert!(
        completion["completion"]["values"].is_array(),
        "{completion}"
    );

    let mut call = json!({ "name": "test_input_required_result_multi_round", "arguments": {} });
    for (question, content) in [
        ("step1", json!({ "name": "Ada" })),
        ("step2", json!({ "color": "green" })),
    ] {
        let asked = client.result("tools/call", call.clone()).await;
        assert!(asked["inputRequests"][question].is_object(), "{asked}");
        let accepted = json!({ "action": "accept", "content": content });
        call["inputResponses"] = json!({ question: accepted });
        call["requestState"] = asked["requestState"].clone();
    }
    let done = client.result("tools/call", call).await;
    assert_eq!(text(&done), "Your color is green.", "{done}");

    let wanted = json!({
        "toolsListChanged": true,
        "promptsListChanged": true,
        "resourceSubscriptions": [WATCHED],
    });
    let (acknowledged, mut stream) = client.listen(wanted.clone()).await;
    assert_eq!(acknowledged, wanted);
    for (kind, method) in [
        ("tool", "tools/list_changed"),
        ("prompt", "prompts/list_changed"),
        ("resource", "resources/updated"),
    ] {
        let tool = format!("test_trigger_{kind}_change");
        client.call(&tool, json!({})).await;
        let message = stream.message().await;
        assert_eq!(message["method"], format!("notifications/{method}"));
    }

    let begun = client.call("slow_compute", json!({ "seconds": 1 })).await;
    assert_eq!(begun["resultType"], "task", "{begun}");
    let wanted = json!({ "taskIds": [begun["taskId"]] });
    let (_, mut stream) = client.listen(wanted).await;
    loop {
        let told = stream.message().await;
        if told["params"]["status"] != "working" {
            assert_eq!(text(&told["params"]["result"]), "Computed for 1 s.");
            return;
        }
    }
}

async fn a_component_that_does_not_describe_itself_costs_its_own_tools_alone(
    build: Option<Flavour>,
) {
    // It has what a remote server has, which never answers.
    let remote = Router::new().fallback(pending::<()>);
    let remote = Origin::serve(remote).await;
    let settings = in_build(build)
        .tool_server(
            "hanging",
            "target/wasm32-wasip2/wasm/gatehouse_tools_mcp.wasm",
        )
        .granted(&[("url", remote.url())], &[remote.url()])
        .variable("tools", "hanging composed fixtures");
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let names = tool_names(&mcp).await;
    for name in ["add", "greet"] {
        assert!(names.iter().any(|other| other == name), "{name}: {names:?}");
    }
    let sum = mcp.call("add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(text(&sum), "3");
    let log = gatehouse.host.log().lines().join("\n");
    let reason = "the component hanging: did not describe its tools within 5 seconds";
    assert!(log.contains(reason), "{log}");
}

async fn a_call_of_a_component_of_its_own_that_hangs_ends_at_its_timeout(build: Option<Flavour>) {
    let gatehouse = Gatehouse::start_with(in_build(build).variable("call_timeout", "2")).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let hanging = mcp.try_call("slow_compute", json!({ "seconds": 60 })).await;
    let answer = gatehouse_tests::mcp::answer(hanging).await;
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    let message = &answer["error"]["message"];
    assert_eq!(message, "The tool did not finish in time.");
    let greeting = mcp.call("greet", json!({ "name": "Ada" })).await;
    assert_eq!(text(&greeting), "Hello, Ada!");
    let log = gatehouse.host.log().lines().join("\n");
    let reason = "the tool slow_compute did not finish in time";
    assert!(log.contains(reason), "{log}");
}

#[tokio::test]
async fn a_component_that_is_not_there_is_named_in_the_log_and_costs_the_others_nothing() {
    let settings = both().variable("tools", "nowhere composed fixtures");
    let gatehouse = Gatehouse::start_with(settings).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let sum = mcp.call("add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(text(&sum), "3");
    let log = gatehouse.host.log().lines().join("\n");
    assert!(log.contains("the component nowhere"), "{log}");
    assert!(log.contains("http://nowhere.spin.internal"), "{log}");
}

#[tokio::test]
async fn a_tool_server_on_a_public_route_serves_no_request_from_outside() {
    let gatehouse = Gatehouse::start_with(both().public_tool_servers()).await;
    let url = gatehouse.url("/fixtures/0.3.0/describe");
    let http = reqwest::Client::new();
    // Such a host is of no request from outside, so the host refuses it first.
    for (host, refused) in [(None, 403), (Some("fixtures.spin.internal"), 400)] {
        let mut request = http.post(&url).body("");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.header("spin-client-addr", "0.0.0.0:0");
        assert_eq!(request.send().await.unwrap().status(), refused);
    }
    let mcp = Mcp::signed_in(&gatehouse).await;
    let greeting = mcp.call("greet", json!({ "name": "Ada" })).await;
    assert_eq!(text(&greeting), "Hello, Ada!");
}

#[tokio::test]
async fn the_landing_page_lists_what_is_offered_under_its_name() {
    let gatehouse = Gatehouse::start_with(both()).await;
    let person = Person::new();
    let page = person.page(&gatehouse.url("/")).await;
    for part in [
        "<h1>Gatehouse</h1>",
        "getUserInfo",
        "upstream_token",
        "test_simple_text",
    ] {
        assert!(page.html.contains(part), "{part}");
    }
    // From outside, nothing leads to where that is asked.
    let offer = reqwest::get(gatehouse.url("/offer")).await.unwrap();
    assert_eq!(offer.status(), 404);

    let fixtures = both().variable("tools", "fixtures");
    let gatehouse = Gatehouse::start_with(fixtures).await;
    let page = person.page(&gatehouse.url("/")).await;
    assert!(page.html.contains("test_simple_text") && !page.html.contains("getUserInfo"));
}

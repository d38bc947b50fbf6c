//! The crate `mcp-client` against MCP servers that others wrote, of every revision. `cargo xtask test` installs them.

use bytes::Bytes;
use gatehouse_tests::{Gatehouse, RemoteServer, Settings as GatehouseSettings, Stateless};
use http::{Request, Response};
use mcp_client::{CallSteps, Client, Environment, SendError, Settings};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tools_export::{
    Answer, Argument, Call, Caller, CallerKind, ClientCapabilities, Completion, CompletionTarget,
    ContentBody, Context, Event, InputRequired, LogLevel, Offer, Output, Profile, PromptRequest,
    Prompting, Provider, Read, Reading, ResourceBody, Steps,
};

/// The network.
struct Network {
    client: reqwest::Client,
    start: Instant,
}

impl Environment for Network {
    type Body = reqwest::Body;

    const SESSION_IDLE: Duration = Duration::from_secs(2);

    async fn open(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<Response<reqwest::Body>, SendError> {
        let unreachable = |error: reqwest::Error| SendError::Unreachable(error.to_string());
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        match tokio::time::timeout(limit, self.client.execute(request)).await {
            Ok(response) => response.map(Response::from).map_err(unreachable),
            Err(_) => Err(SendError::TimedOut),
        }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn random(&self) -> u64 {
        1 << 51
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }
}

fn client(server: &RemoteServer, variables: &[(&str, &str)]) -> Client<Network> {
    let settings = Settings::read(|name| match name {
        "url" => Some(&server.url),
        _ => {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| *value)
        }
    });
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let network = Network {
        client: client.build().expect("a client"),
        start: Instant::now(),
    };
    Client::new(settings, network)
}

fn caller() -> Caller {
    Caller {
        kind: CallerKind::Person,
        subject: "person".to_owned(),
        client_id: None,
        scopes: Vec::new(),
        profile: Profile {
            name: None,
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".to_owned(),
        },
        credential: None,
    }
}

fn context() -> Context {
    Context {
        caller: caller(),
        capabilities: ClientCapabilities {
            elicits_forms: true,
            elicits_urls: true,
            samples: true,
            samples_with_tools: true,
            lists_roots: true,
        },
        wants_progress: true,
        log_level: Some(LogLevel::Info),
        answers: Vec::new(),
        state: None,
    }
}

fn call(name: &str, arguments: Value) -> Call {
    Call {
        name: name.to_owned(),
        arguments: arguments.to_string(),
        context: context(),
    }
}

/// Calls a tool, and returns all its events.
async fn events(client: &Client<Network>, call: Call) -> Vec<Event> {
    let mut steps = client.call_tool(call).await.expect("a call");
    let mut events = Vec::new();
    loop {
        let event = steps.next().await.expect("an event");
        let is_last = matches!(event, Event::Done(_) | Event::InputRequired(_));
        events.push(event);
        if is_last {
            return events;
        }
    }
}

async fn output(client: &Client<Network>, call: Call) -> Output {
    match events(client, call).await.pop() {
        Some(Event::Done(output)) => output,
        other => panic!("{other:?}"),
    }
}

async fn asked(client: &Client<Network>, call: Call) -> InputRequired {
    match events(client, call).await.pop() {
        Some(Event::InputRequired(asked)) => asked,
        other => panic!("{other:?}"),
    }
}

/// Returns the call of the next round, in which the only question is answered.
fn answered(name: &str, arguments: Value, asked: InputRequired, result: &Value) -> Call {
    let mut call = call(name, arguments);
    call.context.answers = vec![Answer {
        id: asked.requests[0].id.clone(),
        result: result.to_string(),
    }];
    call.context.state = asked.state;
    call
}

fn text(output: &Output) -> &str {
    match &output.content[0].body {
        ContentBody::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn names(offer: &Offer) -> Vec<&str> {
    offer.tools.iter().map(|tool| &*tool.name).collect()
}

/// Uses everything that `tests/clients/python_sdk_server.py` has.
async fn use_python(mut server: RemoteServer, is_new: bool) {
    let client = client(
        &server,
        &[("prefix", "p_"), ("repeat", "greet"), ("deny", "fail_not")],
    );
    let offer = client.describe().await.expect("an offer");
    assert_eq!(offer.server.name, "python");
    assert_eq!(offer.instructions.as_deref(), Some("Add."));
    let mut expected = vec!["p_add", "p_fail", "p_count", "p_wait"];
    expected.extend(is_new.then_some("p_greet"));
    assert_eq!(names(&offer), expected);
    assert_eq!(offer.prompts[0].name, "p_explain");
    let templates = offer.resources.expect("resources").templates;
    assert_eq!(templates[0].uri_template, "note://{name}");

    let sum = output(&client, call("p_add", json!({"a": 2, "b": 3}))).await;
    assert_eq!((text(&sum), sum.is_error), ("5", false));
    let failed = output(&client, call("p_fail", json!({}))).await;
    assert!(
        failed.is_error && text(&failed).contains("fail"),
        "{failed:?}"
    );
    let wrong = output(&client, call("p_add", json!({"a": "x"}))).await;
    assert!(wrong.is_error, "{wrong:?}");

    let counted = events(&client, call("p_count", json!({"to": 2}))).await;
    let progress = counted
        .iter()
        .filter(|event| matches!(event, Event::Progress(_)))
        .count();
    let logs = counted
        .iter()
        .filter(|event| matches!(event, Event::Log(_)))
        .count();
    // The old SDK sends progress on a stream that belongs to no request.
    let reported = if is_new { 2 } else { 0 };
    assert_eq!((progress, logs), (reported, 2), "{counted:?}");

    let page = client.list_resources(caller(), None).await.expect("a page");
    assert_eq!(page.resources[0].uri, "note://first");
    let read = |uri: &str| {
        client.read_resource(Read {
            uri: uri.to_owned(),
            context: context(),
        })
    };
    let Ok(Reading::Contents(contents)) = read("note://second").await else {
        panic!("no contents");
    };
    assert_eq!(
        contents.parts[0].body,
        ResourceBody::Text("the note second".to_owned())
    );
    assert!(read("other://missing").await.is_err());

    assert_eq!(explained(&client, "p_explain").await, "Explain MCP.");

    cancel(&client, call("p_wait", json!({}))).await;
    server.says("cancelled").await;
}

/// Returns what a prompt says to explain MCP.
async fn explained(client: &Client<Network>, prompt: &str) -> String {
    let request = PromptRequest {
        name: prompt.to_owned(),
        arguments: vec![Argument {
            name: "topic".to_owned(),
            value: "MCP".to_owned(),
        }],
        context: context(),
    };
    let Ok(Prompting::Messages(prompt)) = client.get_prompt(request).await else {
        panic!("no prompt");
    };
    match &prompt.messages[0].content.body {
        ContentBody::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// Begins a call that reports something and then waits, and drops it.
async fn cancel(client: &Client<Network>, call: Call) {
    let mut steps: CallSteps = client.call_tool(call).await.expect("a call");
    let first = steps.next().await;
    let is_report = matches!(first, Ok(Event::Progress(_) | Event::Log(_)));
    assert!(is_report, "{first:?}");
}

/// Calls a tool that asks for a name, while it runs or in rounds, and answers.
async fn be_asked(server: &RemoteServer, revision: &str) {
    let client = client(server, &[("repeat", "greet"), ("revision", revision)]);
    let asking = asked(&client, call("greet", json!({}))).await;
    let params: Value = serde_json::from_str(&asking.requests[0].params).expect("JSON");
    assert_eq!(params["message"], "Who are you?");
    let ada = json!({"action": "accept", "content": {"name": "Ada"}});
    let answer = answered("greet", json!({}), asking, &ada);
    assert_eq!(text(&output(&client, answer).await), "Hello, Ada!");
    let asking = asked(&client, call("greet", json!({}))).await;
    let no = answered("greet", json!({}), asking, &json!({"action": "decline"}));
    assert_eq!(text(&output(&client, no).await), "You said: decline");
}

#[tokio::test]
async fn a_server_of_the_newest_python_sdk_offers_all_that_it_has() {
    let server = RemoteServer::python().await;
    be_asked(&server, "auto").await;
    use_python(server, true).await;
}

#[tokio::test]
async fn a_server_of_the_python_sdk_1_9_offers_all_that_it_has() {
    use_python(RemoteServer::python_1_9().await, false).await;
}

#[tokio::test]
async fn a_server_of_fastmcp_2_12_offers_all_that_it_has() {
    use_python(RemoteServer::fastmcp_2_12().await, true).await;
}

#[tokio::test]
async fn a_tool_of_fastmcp_2_12_asks_the_person() {
    be_asked(&RemoteServer::fastmcp_2_12().await, "auto").await;
}

#[tokio::test]
async fn a_server_of_the_newest_fastmcp_offers_all_that_it_has() {
    let server = RemoteServer::fastmcp().await;
    be_asked(&server, "auto").await;
    use_python(server, true).await;
}

#[tokio::test]
async fn a_server_of_the_typescript_sdk_is_asked_without_a_session() {
    let mut server = RemoteServer::typescript().await;
    let client = client(&server, &[]);
    let fresh = output(&client, call("region", json!({"region": "Zürich"}))).await;
    assert_eq!(text(&fresh), "in Zürich", "the header is found out");
    let offer = client.describe().await.expect("an offer");
    assert_eq!(
        (&*offer.server.name, names(&offer)),
        ("typescript", vec!["region", "greet", "wait"])
    );
    let known = output(&client, call("region", json!({"region": "eu"}))).await;
    assert_eq!(text(&known), "in eu");
    let asking = asked(&client, call("greet", json!({}))).await;
    assert_eq!(asking.requests[0].id, "name");
    let ada = json!({"action": "accept", "content": {"name": "Ada"}});
    let greeted = output(&client, answered("greet", json!({}), asking, &ada)).await;
    assert_eq!(text(&greeted), "Hello, Ada! kept");
    cancel(&client, call("wait", json!({}))).await;
    server.says("cancelled").await;
}

#[tokio::test]
async fn a_server_of_the_rust_sdk_is_asked_in_every_revision() {
    let server = RemoteServer::rust().await;
    for revision in [
        "auto",
        "2026-07-28",
        "2025-11-25",
        "2025-06-18",
        "2025-03-26",
    ] {
        let client = client(&server, &[("revision", revision)]);
        let offer = client.describe().await.expect("an offer");
        assert_eq!(names(&offer), ["add", "greet"], "{revision}");
        let events = events(&client, call("add", json!({"a": 2, "b": 3}))).await;
        assert!(
            matches!(&events[..], [Event::Progress(_), Event::Done(sum)] if text(sum) == "5"),
            "{revision}: {events:?}"
        );
        let wrong = output(&client, call("add", json!({"a": "x"}))).await;
        assert_eq!(text(&wrong), "a is no number");

        let page = client.list_resources(caller(), None).await.expect("a page");
        assert_eq!(page.resources[0].uri, "note://first", "{revision}");
        let read = Read {
            uri: "note://first".to_owned(),
            context: context(),
        };
        let Ok(Reading::Contents(contents)) = client.read_resource(read).await else {
            panic!("{revision}: no contents");
        };
        let note = ResourceBody::Text("the first note".to_owned());
        assert_eq!(contents.parts[0].body, note);
        assert_eq!(offer.prompts[0].name, "explain");
        assert_eq!(explained(&client, "explain").await, "Explain MCP.");
        // Before 2025-06-18 a server could not ask.
        if revision != "2025-03-26" {
            be_asked(&server, revision).await;
        }
    }
}

#[tokio::test]
async fn the_everything_server_offers_what_it_has() {
    let server = RemoteServer::everything().await;
    let client = client(&server, &[]);
    let offer = client.describe().await.expect("an offer");
    let names = names(&offer);
    for name in [
        "echo",
        "get-sum",
        "trigger-elicitation-request",
        "trigger-sampling-request",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(
        !names.contains(&"simulate-research-query"),
        "it runs as a task alone"
    );
    assert!(offer.completes && offer.changes.tools);

    let sum = output(&client, call("get-sum", json!({"a": 2, "b": 3}))).await;
    assert!(text(&sum).contains('5'), "{sum:?}");
    let structured = output(
        &client,
        call("get-structured-content", json!({"location": "Chicago"})),
    )
    .await;
    let weather: Value =
        serde_json::from_str(&structured.structured.expect("structured")).expect("JSON");
    assert!(weather["temperature"].is_number());
    let image = output(&client, call("get-tiny-image", json!({}))).await;
    assert!(
        image
            .content
            .iter()
            .any(|content| matches!(content.body, ContentBody::Image(_)))
    );
    let links = output(&client, call("get-resource-links", json!({"count": 2}))).await;
    assert!(
        links
            .content
            .iter()
            .any(|content| matches!(content.body, ContentBody::ResourceLink(_)))
    );
    let long = call(
        "trigger-long-running-operation",
        json!({"duration": 0.2, "steps": 2}),
    );
    let progress = events(&client, long).await;
    assert_eq!(
        progress
            .iter()
            .filter(|event| matches!(event, Event::Progress(_)))
            .count(),
        2
    );

    let page = client.list_resources(caller(), None).await.expect("a page");
    let uri = page.resources[0].uri.clone();
    let read = client
        .read_resource(Read {
            uri,
            context: context(),
        })
        .await;
    assert!(matches!(read, Ok(Reading::Contents(_))), "{read:?}");
    let completion = Completion {
        target: CompletionTarget::Prompt("completable-prompt".to_owned()),
        argument: Argument {
            name: "department".to_owned(),
            value: "E".to_owned(),
        },
        known: Vec::new(),
        caller: caller(),
    };
    let suggested = client.complete(completion).await.expect("suggestions");
    assert_eq!(suggested.values, ["Engineering"]);
}

#[tokio::test]
async fn tools_of_the_everything_server_ask_the_person_and_the_model() {
    let server = RemoteServer::everything().await;
    let client = client(&server, &[("repeat", "trigger-*")]);
    let name = "trigger-elicitation-request";
    let asking = asked(&client, call(name, json!({}))).await;
    assert_eq!(asking.requests[0].method, "elicitation/create");
    let content = json!({"name": "Ada", "check": true});
    let yes = json!({"action": "accept", "content": content});
    let told = output(&client, answered(name, json!({}), asking, &yes)).await;
    assert!(format!("{told:?}").contains("Ada"), "{told:?}");

    let (name, arguments) = (
        "trigger-sampling-request",
        json!({"prompt": "Hello", "maxTokens": 10}),
    );
    let asking = asked(&client, call(name, arguments.clone())).await;
    assert_eq!(asking.requests[0].method, "sampling/createMessage");
    let sampled = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Good day."}});
    let told = output(&client, answered(name, arguments, asking, &sampled)).await;
    assert!(format!("{told:?}").contains("Good day."), "{told:?}");
}

#[tokio::test]
async fn a_session_that_the_everything_server_forgot_is_made_again() {
    let mut server = RemoteServer::everything().await;
    let client = client(&server, &[]);
    output(&client, call("echo", json!({"message": "a"}))).await;
    let session = server.says("Session initialized with ID: ").await;
    let forget = reqwest::Client::new().delete(&server.url);
    let forget = forget.header("mcp-session-id", session).send().await;
    assert!(forget.expect("a response").status().is_success());
    let again = output(&client, call("echo", json!({"message": "b"}))).await;
    assert_eq!(text(&again), "Echo: b");
    let next = server.says("Session initialized with ID: ").await;
    // An idle session ends, and the server is told.
    let ended = server.says("Received session termination request for session ");
    assert_eq!(ended.await, next);
}

#[tokio::test]
async fn the_everything_server_is_used_through_the_component() {
    let server = RemoteServer::everything().await;
    let origin = server.url.trim_end_matches("/mcp");
    let settings = GatehouseSettings {
        flavour: None,
        ..GatehouseSettings::default()
            .tool_server(
                "everything",
                "target/wasm32-wasip2/wasm/gatehouse_tools_mcp.wasm",
            )
            .granted(&[("url", &server.url), ("repeat", "trigger-*")], &[origin])
            .variable("tools", "everything")
    };
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Stateless::signed_in(&gatehouse).await;
    let client = client.with_capabilities(json!({"elicitation": {}}));
    let said = |result: &Value| result["content"].to_string();

    let sum = client.call("get-sum", json!({"a": 2, "b": 3})).await;
    assert!(said(&sum).contains('5'), "{sum}");
    let get = json!({"name": "args-prompt", "arguments": {"city": "Oslo"}});
    let prompt = client.result("prompts/get", get).await;
    assert!(prompt["messages"].to_string().contains("Oslo"), "{prompt}");
    let complete = json!({
        "ref": {"type": "ref/prompt", "name": "completable-prompt"},
        "argument": {"name": "department", "value": "E"},
    });
    let completion = client.result("completion/complete", complete).await;
    let values = &completion["completion"]["values"];
    assert_eq!(values, &json!(["Engineering"]), "{completion}");

    let mut call = json!({"name": "trigger-elicitation-request", "arguments": {}});
    let asking = client.result("tools/call", call.clone()).await;
    assert_eq!(asking["resultType"], "input_required", "{asking}");
    let questions = asking["inputRequests"].as_object().expect("questions");
    let (id, question) = questions.iter().next().expect("a question");
    assert_eq!(question["method"], "elicitation/create");
    let content = json!({"name": "Ada", "check": true});
    call["inputResponses"] = json!({ id: {"action": "accept", "content": content} });
    call["requestState"] = asking["requestState"].clone();
    let told = client.result("tools/call", call).await;
    assert!(said(&told).contains("Ada"), "{told}");
}

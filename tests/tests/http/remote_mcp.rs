//! Tools, prompts and resources of a remote MCP server: `tools-mcp` behind a tool server.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures::stream::{self, StreamExt};
use gatehouse_tests::{
    Client, Flavour, Gatehouse, Mcp, Origin, Person, Settings, SseStream, secrets,
};
use http::{StatusCode, header};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const TOOLS_MCP: &str = "target/wasm32-wasip2/wasm/gatehouse_tools_mcp.wasm";

/// How long the server may wait for a request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server of 2025-11-25. It ends with this value.
struct Remote {
    origin: Origin,
    requests: UnboundedReceiver<Seen>,
}

/// A message that the server has seen.
struct Seen {
    authorization: Option<String>,
    message: Value,
}

impl Remote {
    async fn start() -> Self {
        let (sender, requests) = unbounded_channel();
        let router = Router::new().fallback(answer).with_state(sender);
        Self {
            origin: Origin::serve(router).await,
            requests,
        }
    }

    /// A Gatehouse that offers what the server has, with these variables more.
    async fn behind_gatehouse(
        &self,
        build: Option<Flavour>,
        variables: &[(&'static str, &str)],
    ) -> Gatehouse {
        let url = format!("{}/mcp", self.origin.url());
        let variables = [&[("url", url.as_str())][..], variables].concat();
        let settings = Settings {
            flavour: build,
            ..Settings::default()
                .tool_server("remote", TOOLS_MCP)
                .granted(&variables, &[self.origin.url()])
                .variable("tools", "composed remote")
        };
        Gatehouse::start_with(settings).await
    }

    /// Waits for a message with this method.
    async fn sees(&mut self, method: &str) -> Seen {
        let seen = async {
            loop {
                let seen = self.requests.recv().await.expect("a server that runs");
                if seen.message["method"] == method {
                    return seen;
                }
            }
        };
        let seen = tokio::time::timeout(TIMEOUT, seen).await;
        seen.unwrap_or_else(|_| panic!("no {method} comes"))
    }
}

async fn answer(State(requests): State<UnboundedSender<Seen>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    let answer = match message["method"].as_str().unwrap_or_default() {
        "tools/call" => call(&message, authorization.as_deref()),
        method => match result(method, authorization.as_deref()) {
            Some(result) => json_response(&message, "result", &result),
            None if message["id"].is_null() => status(StatusCode::ACCEPTED),
            None => json_response(
                &message,
                "error",
                &json!({ "code": -32601, "message": "no" }),
            ),
        },
    };
    requests
        .send(Seen {
            authorization,
            message,
        })
        .ok();
    answer
}

fn result(method: &str, authorization: Option<&str>) -> Option<Value> {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    Some(match method {
        "initialize" => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {}, "resources": {} },
            "serverInfo": { "name": "remote", "version": "1" },
        }),
        "tools/list" => {
            let nested = json!({ "name": "nested", "inputSchema": nested_schema() });
            json!({ "tools": [tool("who"), tool("report"), tool("wait"), nested] })
        }
        "resources/templates/list" => {
            json!({ "resourceTemplates": [{ "uriTemplate": "note:{name}", "name": "notes" }] })
        }
        // Each person has their own.
        "resources/list" => {
            let is_a_person = authorization.is_some();
            let notes = is_a_person.then(|| json!({ "uri": "note:mine", "name": "mine" }));
            json!({ "resources": notes.as_slice() })
        }
        "resources/read" => json!({ "contents": [{ "uri": "note:mine", "text": authorization }] }),
        _ => return None,
    })
}

/// Levels of arrays, near the most that a schema with several subschemas for each may be held against.
const ARRAYS: usize = 38;

/// A schema that refers to itself, beside one with many subschemas in one another.
fn nested_schema() -> Value {
    let number = (0..50).fold(
        json!({ "type": "number" }),
        |schema, _| json!({ "not": schema }),
    );
    json!({
        "type": "object",
        "properties": {
            "tree": { "$ref": "#/$defs/tree" },
            "number": number,
            "text": { "pattern": format!("^{}a{}$", "(".repeat(50), ")+".repeat(50)) },
        },
        "$defs": { "tree": { "anyOf": [
            { "type": "number" },
            { "type": "array", "items": { "$ref": "#/$defs/tree" } },
        ] } },
    })
}

/// Answers a call: `who` tells who calls, as servers do that show a request, and the others never end.
fn call(message: &Value, authorization: Option<&str>) -> Response {
    let params = &message["params"];
    let first = match params["name"].as_str().unwrap_or_default() {
        "who" | "nested" => {
            let text = json!({ "type": "text", "text": authorization });
            return json_response(message, "result", &json!({ "content": [text] }));
        }
        "report" => Some(
            json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {
            "progressToken": params["_meta"]["progressToken"], "progress": 1 } }),
        ),
        _ => None,
    };
    let first = first.map(|first| Ok::<_, Infallible>(format!("data: {first}\n\n")));
    let body = Body::from_stream(stream::iter(first).chain(stream::pending()));
    with_type("text/event-stream", body)
}

fn json_response(request: &Value, member: &str, value: &Value) -> Response {
    let message = json!({ "jsonrpc": "2.0", "id": request["id"], member: value });
    with_type("application/json", Body::from(message.to_string()))
}

fn with_type(media_type: &'static str, body: Body) -> Response {
    let response = Response::builder().header(header::CONTENT_TYPE, media_type);
    let response = response.header("mcp-session-id", "session");
    response.body(body).expect("a response")
}

fn status(status: StatusCode) -> Response {
    let response = Response::builder().status(status);
    response.body(Body::empty()).expect("a response")
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

in_both_builds!(
    the_tools_of_a_remote_server_are_called_and_its_secret_stays_here,
    a_persons_resources_are_listed_and_read_with_their_token,
    deeply_nested_arguments_are_checked_by_a_deeply_nested_schema,
);

async fn the_tools_of_a_remote_server_are_called_and_its_secret_stays_here(build: Option<Flavour>) {
    let mut remote = Remote::start().await;
    secrets::keep("s3cret-of-the-remote");
    let gatehouse = remote
        .behind_gatehouse(
            build,
            &[
                ("credentials", "secret"),
                ("secret", "s3cret-of-the-remote"),
                ("prefix", "crm_"),
                ("deny", "report"),
            ],
        )
        .await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let list = gatehouse_tests::mcp::result(mcp.request("tools/list", json!({})).await).await;
    let tools = list["tools"].as_array().unwrap();
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
    let names: Vec<_> = names.filter(|name| name.starts_with("crm_")).collect();
    assert_eq!(names, ["crm_who", "crm_wait", "crm_nested"]);
    let who = mcp.call("crm_who", json!({})).await;
    assert_eq!(text(&who), "Bearer [credential]", "{who}");
    let called = remote.sees("tools/call").await;
    assert_eq!(
        called.authorization.as_deref(),
        Some("Bearer s3cret-of-the-remote")
    );
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_cancelled_at_the_remote_server() {
    is_cancelled_there(None, &[]).await;
}

/// While a component of WASI 0.2 waits for its server, it does not notice that its caller is gone.
#[tokio::test]
async fn in_the_portable_build_it_is_cancelled_there_at_its_timeout() {
    is_cancelled_there(Some(Flavour::Portable), &[("timeout", "2")]).await;
}

/// Cancels a call before its first event, and one after it.
async fn is_cancelled_there(build: Option<Flavour>, variables: &[(&'static str, &str)]) {
    let mut remote = Remote::start().await;
    let gatehouse = remote.behind_gatehouse(build, variables).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 1 } });
    for tool in ["report", "wait"] {
        let params = json!({ "name": tool, "arguments": {}, "_meta": { "progressToken": "p" } });
        let call = async {
            let mut stream = SseStream::of(mcp.request("tools/call", params).await);
            if tool == "report" {
                let progress = stream.message().await;
                assert_eq!(progress["params"]["progressToken"], "p", "{progress}");
            }
            stream.end().await;
        };
        let cancel = async {
            let called = remote.sees("tools/call").await;
            mcp.post(&cancelled).await;
            let told = remote.sees("notifications/cancelled").await;
            assert_eq!(told.message["params"]["requestId"], called.message["id"]);
        };
        tokio::join!(call, cancel);
    }
}

async fn a_persons_resources_are_listed_and_read_with_their_token(build: Option<Flavour>) {
    let mut remote = Remote::start().await;
    let gatehouse = remote
        .behind_gatehouse(build, &[("credentials", "upstream")])
        .await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    let upstream = mcp.call("getToken", json!({})).await;
    let upstream = format!("Bearer {}", text(&upstream));
    let list = gatehouse_tests::mcp::result(mcp.request("resources/list", json!({})).await).await;
    let resources = list["resources"].as_array().unwrap();
    assert!(
        resources
            .iter()
            .any(|resource| resource["uri"] == "note:mine"),
        "{list}"
    );
    let listed = remote.sees("resources/list").await;
    assert_eq!(listed.authorization.as_ref(), Some(&upstream));
    let read = json!({ "uri": "note:mine" });
    let read = gatehouse_tests::mcp::result(mcp.request("resources/read", read).await).await;
    assert_eq!(read["contents"][0]["text"], "Bearer [credential]");
    let asked = remote.sees("resources/read").await;
    assert_eq!(asked.authorization.as_ref(), Some(&upstream));
}

/// The Wasm has a stack of its own, and the checks go down with the nesting.
async fn deeply_nested_arguments_are_checked_by_a_deeply_nested_schema(build: Option<Flavour>) {
    let remote = Remote::start().await;
    let gatehouse = remote.behind_gatehouse(build, &[]).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let tree = |leaf: Value| (0..ARRAYS).fold(leaf, |tree, _| json!([tree]));
    for (leaf, number, text, is_error) in [
        (json!(1), json!(1), "aa", false),
        (json!("x"), json!(1), "a", true),
        (json!(1), json!("x"), "a", true),
        (json!(1), json!(1), "b", true),
        (json!(2), json!(2), "a", false),
    ] {
        let arguments = json!({ "tree": tree(leaf), "number": number, "text": text });
        let called = mcp.call("nested", arguments).await;
        assert_eq!(called["isError"] == true, is_error, "{called}");
    }
}

//! Fixtures that the tests of several files share.

use crate::client::Client;
use crate::environment::{Environment, SendError};
use crate::settings::Settings;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tools_export::{
    Call, Caller, CallerKind, ClientCapabilities, ContentBody, Event, Failure, InputRequired,
    Output, Profile, Provider, Steps,
};

/// Returns settings with these variables.
pub(crate) fn settings(values: &[(&str, &'static str)]) -> Settings {
    let settings = Settings::read(|name| match name {
        "url" => Some("https://remote.example/mcp"),
        _ => {
            let value = values.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| *value)
        }
    });
    settings.expect("settings")
}

/// Returns a person.
pub(crate) fn caller(subject: &str) -> Caller {
    Caller {
        kind: CallerKind::Person,
        subject: subject.to_owned(),
        client_id: Some("client".to_owned()),
        scopes: vec!["tools".to_owned()],
        profile: Profile {
            name: None,
            email: Some("person@example.com".to_owned()),
            email_verified: Some(true),
            picture: None,
            claims: "{}".to_owned(),
        },
        credential: None,
    }
}

/// Returns the context of a first call of a person, whose client can be asked everything.
pub(crate) fn context() -> tools_export::Context {
    tools_export::Context {
        caller: caller("person"),
        capabilities: ClientCapabilities {
            elicits_forms: true,
            elicits_urls: true,
            samples: true,
            samples_with_tools: true,
            lists_roots: true,
        },
        wants_progress: false,
        log_level: None,
        answers: Vec::new(),
        state: None,
    }
}

/// A request that the server has seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) http: http::Method,
    pub(crate) headers: HeaderMap,
    /// The message; null without one.
    pub(crate) body: Value,
}

impl Seen {
    /// Returns the method of the message, or `GET`, `DELETE`.
    pub(crate) fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or(self.http.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns a response with this result.
    pub(crate) fn result(&self, result: Value) -> Reply {
        Reply::json(&json!({ "jsonrpc": "2.0", "id": self.body["id"], "result": result }))
    }

    /// Returns a response with this error.
    pub(crate) fn error(&self, status: u16, code: i64, message: &str) -> Reply {
        let error = json!({ "code": code, "message": message });
        let reply =
            Reply::json(&json!({ "jsonrpc": "2.0", "id": self.body["id"], "error": error }));
        reply.status(status)
    }

    /// Returns a stream with these messages, and then the result, if there is one.
    pub(crate) fn stream(&self, messages: &[Value], result: Option<Value>) -> Reply {
        let id = &self.body["id"];
        let result = result.map(|result| json!({ "jsonrpc": "2.0", "id": id, "result": result }));
        let messages = messages.iter().cloned().chain(result);
        Reply::events(messages.map(|message| format!("data: {message}\n\n")))
    }
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: HeaderMap,
    frames: VecDeque<Result<Bytes, String>>,
    is_endless: bool,
    failure: Option<SendError>,
}

impl Reply {
    pub(crate) fn accepted() -> Self {
        Self {
            status: 202,
            headers: HeaderMap::new(),
            frames: VecDeque::new(),
            is_endless: false,
            failure: None,
        }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn text(media_type: &str, text: impl Into<Bytes>) -> Self {
        let mut reply = Self::accepted()
            .status(200)
            .header("content-type", media_type);
        reply.frames.push_back(Ok(text.into()));
        reply
    }

    pub(crate) fn json(message: &Value) -> Self {
        Self::text("application/json", message.to_string())
    }

    pub(crate) fn events(events: impl IntoIterator<Item = String>) -> Self {
        let mut reply = Self::text("text/event-stream", "");
        reply
            .frames
            .extend(events.into_iter().map(|event| Ok(event.into())));
        reply
    }

    /// The body does not end.
    pub(crate) fn endless(self) -> Self {
        Self {
            is_endless: true,
            ..self
        }
    }

    /// The connection breaks after the body.
    pub(crate) fn broken(mut self) -> Self {
        self.frames
            .push_back(Err("the connection broke".to_owned()));
        self
    }

    pub(crate) fn failed(failure: SendError) -> Self {
        Self {
            failure: Some(failure),
            ..Self::accepted()
        }
    }
}

/// A server that a function plays, and a clock that moves on when nothing else does.
pub(crate) struct Script<const IDLE_SECONDS: u64 = 10>(Arc<World>);

type Answer = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct World {
    answer: Mutex<Answer>,
    seen: Mutex<Vec<Seen>>,
    clock: Mutex<Duration>,
    sleepers: Mutex<Vec<(u64, Duration)>>,
    last_sleeper: AtomicU64,
    spawned: Mutex<Vec<BoxFuture<'static, ()>>>,
    /// Endless bodies that are not read any more.
    given_up: AtomicUsize,
}

impl<const IDLE_SECONDS: u64> Clone for Script<IDLE_SECONDS> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<const IDLE_SECONDS: u64> Script<IDLE_SECONDS> {
    pub(crate) fn new(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self(Arc::new(World {
            answer: Mutex::new(Box::new(answer)),
            seen: Mutex::default(),
            clock: Mutex::default(),
            sleepers: Mutex::default(),
            last_sleeper: AtomicU64::new(0),
            spawned: Mutex::default(),
            given_up: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn client(&self, values: &[(&str, &'static str)]) -> Client<Self> {
        Client::new(Ok(settings(values)), self.clone())
    }

    /// Runs a future, and what was spawned beside it.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut is_stuck = false;
        loop {
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            self.poll_spawned();
            self.move_on(&mut is_stuck);
        }
    }

    /// Runs what was spawned to its end.
    pub(crate) fn settle(&self) {
        let mut is_stuck = false;
        while self.poll_spawned() {
            self.move_on(&mut is_stuck);
        }
    }

    /// Returns whether something is left.
    fn poll_spawned(&self) -> bool {
        let mut running = std::mem::take(&mut *self.0.spawned.lock().unwrap());
        let mut cx = Context::from_waker(Waker::noop());
        running.retain_mut(|future| future.as_mut().poll(&mut cx).is_pending());
        let spawned = &mut *self.0.spawned.lock().unwrap();
        spawned.extend(running);
        !spawned.is_empty()
    }

    /// Lets the clock go to the next moment that is waited for. What was spawned last may not wait yet.
    fn move_on(&self, is_stuck: &mut bool) {
        let sleepers = self.0.sleepers.lock().unwrap();
        let next = sleepers.iter().map(|(_, until)| *until).min();
        assert!(
            next.is_some() || !*is_stuck,
            "it waits for what nothing can bring"
        );
        *is_stuck = next.is_none();
        let mut clock = self.0.clock.lock().unwrap();
        *clock = next.map_or(*clock, |next| next.max(*clock));
    }

    /// Lets time go by.
    pub(crate) fn wait(&self, seconds: u64) {
        self.run(self.sleep(Duration::from_secs(seconds)));
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.clock.lock().unwrap().as_secs()
    }

    pub(crate) fn given_up(&self) -> usize {
        self.0.given_up.load(Relaxed)
    }

    /// Returns what was seen since the last time.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.seen.lock().unwrap())
    }

    /// Returns the methods of what was seen since the last time.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.seen()
            .iter()
            .map(|seen| seen.method().to_owned())
            .collect()
    }
}

impl<const IDLE_SECONDS: u64> Environment for Script<IDLE_SECONDS> {
    type Body = ScriptBody;

    const SESSION_IDLE: Duration = Duration::from_secs(IDLE_SECONDS);

    async fn open(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<Response<ScriptBody>, SendError> {
        assert_eq!(request.uri(), "https://remote.example/mcp");
        let (head, body) = request.into_parts();
        let seen = Seen {
            http: head.method,
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        self.0.seen.lock().unwrap().push(seen.clone());
        let reply = (self.0.answer.lock().unwrap())(&seen);
        match reply.failure {
            None => {}
            Some(SendError::TimedOut) => {
                self.sleep(limit).await;
                return Err(SendError::TimedOut);
            }
            Some(failure) => return Err(failure),
        }
        let body = ScriptBody {
            frames: reply.frames,
            endless: reply.is_endless.then(|| Arc::clone(&self.0)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
        *response.headers_mut() = reply.headers;
        Ok(response)
    }

    fn elapsed(&self) -> Duration {
        *self.0.clock.lock().unwrap()
    }

    fn random(&self) -> u64 {
        0
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        let until = self.elapsed() + duration;
        let number = self.0.last_sleeper.fetch_add(1, Relaxed);
        self.0.sleepers.lock().unwrap().push((number, until));
        let sleeper = Sleeper(Arc::clone(&self.0), number);
        async move {
            let Sleeper(world, _) = &sleeper;
            poll_fn(|_| match *world.clock.lock().unwrap() >= until {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawned.lock().unwrap().push(Box::pin(work));
    }
}

struct Sleeper(Arc<World>, u64);

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0
            .sleepers
            .lock()
            .unwrap()
            .retain(|(number, _)| *number != self.1);
    }
}

/// A body that the script has written.
pub(crate) struct ScriptBody {
    frames: VecDeque<Result<Bytes, String>>,
    /// It does not end, and who gives up is counted.
    endless: Option<Arc<World>>,
}

impl Body for ScriptBody {
    type Data = Bytes;
    type Error = String;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(frame.map(Frame::data))),
            None if self.endless.is_some() => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

impl Drop for ScriptBody {
    fn drop(&mut self) {
        if let Some(world) = &self.endless {
            world.given_up.fetch_add(1, Relaxed);
        }
    }
}

/// Returns what a server of this revision answers. What it does not know, `other` answers.
pub(crate) fn server(
    revision: &'static str,
    mut other: impl FnMut(&Seen) -> Option<Reply> + Send + 'static,
) -> impl FnMut(&Seen) -> Reply + Send + 'static {
    let is_stateless = revision == "2026-07-28";
    let mut sessions = 0;
    move |seen| {
        if let Some(reply) = other(seen) {
            return reply;
        }
        let capabilities = json!({
            "tools": {"listChanged": true}, "prompts": {}, "resources": {}, "completions": {}, "logging": {},
        });
        match (seen.method(), is_stateless) {
            ("server/discover", true) => seen.result(json!({
                "resultType": "complete",
                "supportedVersions": [revision],
                "capabilities": capabilities,
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "remote", "version": "1"}},
            })),
            ("initialize", false) => {
                sessions += 1;
                let result = json!({
                    "protocolVersion": revision,
                    "capabilities": capabilities,
                    "serverInfo": {"name": "remote", "version": "1"},
                });
                seen.result(result).header("mcp-session-id", &format!("session-{sessions}"))
            }
            ("DELETE", false) => Reply::accepted().status(200),
            (_, false) if seen.header("mcp-session-id").is_none() => {
                seen.error(400, -32000, "Bad Request: no session")
            }
            (method, _) if method.starts_with("notifications/") => Reply::accepted(),
            ("tools/list", _) => seen.result(json!({"tools": [
                {"name": "add", "inputSchema": {"type": "object"}},
                {"name": "look", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}},
            ]})),
            ("prompts/list", _) => seen.result(json!({"prompts": [{"name": "ask"}]})),
            ("resources/templates/list", _) => seen.result(json!({"resourceTemplates": [
                {"uriTemplate": "file:///{name}", "name": "files"},
            ]})),
            ("tools/call", _) => seen.result(json!({"content": [{"type": "text", "text": "done"}]})),
            ("logging/setLevel", false) => seen.result(json!({})),
            (method, true) => seen.error(404, -32601, &format!("no {method}")),
            // An answer to the server.
            (_, false) if seen.body.get("result").is_some() || seen.body.get("error").is_some() => {
                Reply::accepted()
            }
            (method, false) => seen.error(200, -32601, &format!("no {method}")),
        }
    }
}

/// Returns a call of a tool by a person.
pub(crate) fn call(name: &str) -> Call {
    Call {
        name: name.to_owned(),
        arguments: r#"{"a":1}"#.to_owned(),
        context: context(),
    }
}

impl<const IDLE_SECONDS: u64> Script<IDLE_SECONDS> {
    /// Calls a tool, and returns all its events.
    pub(crate) fn call(&self, client: &Client<Self>, call: Call) -> Result<Vec<Event>, Failure> {
        self.run(async {
            let mut steps = client.call_tool(call).await?;
            let mut events = Vec::new();
            loop {
                let event = steps.next().await?;
                let is_last = matches!(event, Event::Done(_) | Event::InputRequired(_));
                events.push(event);
                if is_last {
                    return Ok(events);
                }
            }
        })
    }

    /// Calls a tool, and returns its output.
    pub(crate) fn output(&self, client: &Client<Self>, call: Call) -> Output {
        match self.call(client, call).unwrap().pop() {
            Some(Event::Done(output)) => output,
            other => panic!("{other:?}"),
        }
    }

    /// Calls a tool, and returns what it asks.
    pub(crate) fn asked(&self, client: &Client<Self>, call: Call) -> InputRequired {
        match self.call(client, call).unwrap().pop() {
            Some(Event::InputRequired(asked)) => asked,
            other => panic!("{other:?}"),
        }
    }
}

/// Returns the text of an error.
pub(crate) fn error_text(output: &Output) -> &str {
    assert!(output.is_error, "{output:?}");
    match &output.content[0].body {
        ContentBody::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

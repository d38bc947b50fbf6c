//! The endpoint as clients meet it, over memory.

mod access;
mod client_requests;
mod content;
mod dpop;
mod events;
mod grant_end;
mod http_sse;
mod listen;
mod offer;
mod resumption;
mod session_client;
mod session_notifications;
mod sessions;
mod stateless;
mod streamable_http;
mod tasks;
mod without_atomics;

use crate::stream::change_feed::ChangeFeed;
use crate::testing::{
    KEY, START, TestEnvironment, TestIdentity, TestKeyValue, TestParts, TestTools, begin_grant,
};
use crate::{Body, Server};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use oauth::access_token::{self, Issue};
use serde_json::Value;
use std::sync::Arc;

const BASE: &str = "http://127.0.0.1:3000";

/// Runs `test` with a new server and a token of the scope `tools`.
fn run<F: AsyncFnOnce(&Fixture, String)>(test: F) {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        test(&fixture, token).await;
    });
}

/// A server, and what its surroundings know of it.
struct Fixture {
    server: Arc<Server<TestParts>>,
    tools: TestTools,
    environment: TestEnvironment,
    identity: TestIdentity,
}

fn config(variables: &[(&str, &'static str)]) -> config::Server {
    let config = config::Server::read(|name| {
        let given = variables.iter().find(|(given, _)| *given == name);
        match name {
            _ if given.is_some() => given.map(|(_, value)| *value),
            "encryption_key" => Some(KEY),
            "scopes" => Some("tools secret"),
            _ => None,
        }
    });
    config.unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Body,
}

impl Fixture {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(variables: &[(&str, &'static str)]) -> Self {
        Self::over(TestKeyValue::default(), variables)
    }

    fn over(key_value: TestKeyValue, variables: &[(&str, &'static str)]) -> Self {
        let environment = TestEnvironment::default();
        let identity = TestIdentity::new(&environment);
        let tools = TestTools::new(&environment);
        let server = Server::new(
            config(variables),
            key_value,
            identity.clone(),
            tools.clone(),
            environment.clone(),
        );
        Self {
            server,
            tools,
            environment,
            identity,
        }
    }

    /// The changes in the store, as another instance reports them.
    fn changes(&self) -> ChangeFeed<TestParts> {
        ChangeFeed::new(Arc::clone(&self.server.context))
    }

    /// Another instance of the same application.
    fn twin(&self) -> Self {
        let server = Server::new(
            config(&[]),
            self.server.context.store.backend().clone(),
            self.identity.clone(),
            self.tools.clone(),
            self.environment.clone(),
        );
        Self {
            server,
            tools: self.tools.clone(),
            environment: self.environment.clone(),
            identity: self.identity.clone(),
        }
    }

    /// A token of a grant with these scopes, changed by `change` before it is signed.
    async fn token_with(
        &self,
        scopes: &[&str],
        change: impl FnOnce(&mut access_token::Claims),
    ) -> String {
        let keys = &self.server.context.config.keys;
        let grant = begin_grant(&self.server.context.store, keys, scopes, Some(1_000_000)).await;
        let mut claims = access_token::issue(
            Issue {
                issuer: BASE,
                subject: "ann",
                resources: vec![format!("{BASE}/mcp")],
                client_id: "client",
                scopes: &scopes.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(),
                grant: &grant,
                grant_expires_at: 1_000_000,
                lifetime: 900,
                id: "jti".into(),
                key: None,
            },
            START,
        );
        change(&mut claims);
        keys.sign(access_token::TYP, &claims).unwrap()
    }

    async fn token(&self, scopes: &[&str]) -> String {
        self.token_with(scopes, |_| {}).await
    }

    /// Sends a request; headers given here win over the usual ones, an empty one leaves it out.
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let usual = [
            ("spin-full-url", BASE),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        let mut request = Request::builder().method(method).uri(path);
        let is_given = |name: &str| headers.iter().any(|(given, _)| *given == name);
        for (name, value) in usual.into_iter().filter(|(name, _)| !is_given(name)) {
            request = request.header(name, value);
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let (parts, body) = Response::into_parts(self.server.handle(request).await);
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// Posts a message to `/mcp` with a token.
    async fn post(&self, token: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend(headers);
        self.send("POST", "/mcp", &all, body.to_owned()).await
    }

    /// Calls a tool and gives the whole message back.
    async fn call(&self, token: &str, tool: &str) -> Value {
        let answer = self.post(token, &[], &call(tool)).await;
        assert_eq!(answer.status, 200);
        answer.json().await
    }

    /// Ends every grant that there is.
    async fn end_grants(&self) {
        let backend = self.server.context.store.backend();
        let mut keys = self.keys().await;
        keys.retain(|key| key.contains(":grant:"));
        assert!(!keys.is_empty());
        for key in keys {
            store::KeyValue::delete(backend, &key).await.unwrap();
        }
    }

    async fn keys(&self) -> Vec<String> {
        self.server.context.store.backend().keys()
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    async fn bytes(self) -> Bytes {
        self.body.collect().await.unwrap().to_bytes()
    }

    async fn json(self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.bytes().await).unwrap()
    }

    /// The messages of a whole stream.
    async fn events(self) -> Vec<Value> {
        assert_eq!(self.header("content-type"), "text/event-stream");
        assert_eq!(self.header("x-accel-buffering"), "no");
        messages(std::str::from_utf8(&self.bytes().await).unwrap())
    }
}

/// The messages in the text of a stream.
fn messages(text: &str) -> Vec<Value> {
    text.split("\n\n")
        .filter_map(|event| event.strip_prefix("event: message\ndata: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// A call with a progress token.
fn call(tool: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{"x":1}},"_meta":{{"progressToken":"p"}}}}}}"#
    )
}

/// A call without one.
fn plain_call(tool: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{"x":1}}}}}}"#
    )
}

fn initialize(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"t","version":"1"}}}}}}"#
    )
}

const PING: &str = r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#;

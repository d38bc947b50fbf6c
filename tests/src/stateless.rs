//! An MCP client of 2026-07-28: no handshake, no session, every request says all there is to know.

use crate::{Client, Gatehouse, Person, SseStream};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// The revision.
pub const VERSION: &str = "2026-07-28";

/// The extension of calls that run on by themselves.
pub const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A client with a token.
#[derive(Clone)]
pub struct Stateless {
    url: String,
    http: reqwest::Client,
    authorization: String,
    /// What it says that it can be asked.
    pub capabilities: Value,
}

impl Stateless {
    /// Returns a client that can be asked nothing.
    pub fn new(url: impl Into<String>, token: &str) -> Self {
        Self {
            url: url.into(),
            http: reqwest::Client::new(),
            authorization: format!("Bearer {token}"),
            capabilities: json!({}),
        }
    }

    /// Returns a new person's, signed in with every scope.
    pub async fn signed_in(gatehouse: &Gatehouse) -> Self {
        let client = Client::register(gatehouse).await;
        let tokens = client.sign_in(&Person::new()).await;
        Self::new(gatehouse.url("/mcp"), &tokens.access)
    }

    /// Returns the same client at another machine.
    #[must_use]
    pub fn at(&self, machine: &host::Running) -> Self {
        Self {
            url: format!("{}/mcp", machine.url().trim_end_matches('/')),
            ..self.clone()
        }
    }

    /// Returns the same client with capabilities, such as those that it can be asked something by.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Value) -> Self {
        Self {
            capabilities,
            ..self
        }
    }

    /// Returns a request with what belongs in its `_meta`.
    pub fn request(&self, method: &str, params: Value) -> Value {
        let mut message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let meta = &mut message["params"]["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = VERSION.into();
        meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "tests", "version": "1" });
        meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        message
    }

    /// Returns a POST of a message with the headers that belong to it, to be changed and sent.
    pub fn message(&self, message: &Value) -> RequestBuilder {
        let method = message["method"].as_str().unwrap_or_default();
        let params = &message["params"];
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("authorization", &self.authorization)
            .header("mcp-protocol-version", VERSION)
            .header("mcp-method", method)
            .json(message);
        let named = match method {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ if method.starts_with("tasks/") => "taskId",
            _ => return request,
        };
        if let Some(name) = params[named].as_str() {
            request = request.header("mcp-name", name);
        }
        request
    }

    /// Sends a request.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn ask(&self, method: &str, params: Value) -> Response {
        let message = self.request(method, params);
        self.message(&message).send().await.expect("an answer")
    }

    /// Sends a request and gives its result.
    ///
    /// # Panics
    ///
    /// If the body has no response.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        crate::mcp::result(self.ask(method, params).await).await
    }

    /// Listens for what changes, and gives what was acknowledged and the stream after it.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn listen(&self, notifications: Value) -> (Value, SseStream) {
        let params = json!({ "notifications": notifications });
        let mut stream = SseStream::of(self.ask("subscriptions/listen", params).await);
        let first = stream.message().await;
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
        (first["params"]["notifications"].clone(), stream)
    }

    /// Calls a tool, and gives the result.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        self.result("tools/call", params).await
    }
}

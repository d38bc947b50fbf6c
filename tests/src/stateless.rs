//! An MCP client of 2026-07-28: no handshake, no session, every request says all there is to know.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// The revision.
pub const VERSION: &str = "2026-07-28";

/// A client with a token.
pub struct Stateless {
    url: String,
    http: reqwest::Client,
    authorization: String,
    /// What it says that it can be asked.
    pub capabilities: Value,
}

impl Stateless {
    /// A client that can be asked nothing.
    pub fn new(url: impl Into<String>, token: &str) -> Self {
        Self {
            url: url.into(),
            http: reqwest::Client::new(),
            authorization: format!("Bearer {token}"),
            capabilities: json!({}),
        }
    }

    /// A request with what belongs in its `_meta`.
    pub fn request(&self, method: &str, params: Value) -> Value {
        let mut message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let meta = &mut message["params"]["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = VERSION.into();
        meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "tests", "version": "1" });
        meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        message
    }

    /// A POST of a message with the headers that belong to it, to be changed and sent.
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
        if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
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
    /// If there is none.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        crate::mcp::result(self.ask(method, params).await).await
    }
}

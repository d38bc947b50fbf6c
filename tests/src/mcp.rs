//! An MCP client over Streamable HTTP, message by message.

use crate::{Client, Gatehouse, Person, sse_events};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// The newest revision that Gatehouse speaks.
pub const NEWEST: &str = "2025-11-25";

/// A connection to an MCP endpoint.
pub struct Mcp {
    url: String,
    http: reqwest::Client,
    authorization: Option<String>,
    session: Option<String>,
}

impl Mcp {
    /// With a bearer token, or none.
    pub fn new(url: impl Into<String>, token: Option<&str>) -> Self {
        Self {
            url: url.into(),
            http: reqwest::Client::new(),
            authorization: token.map(|token| format!("Bearer {token}")),
            session: None,
        }
    }

    /// Returns a new person's, signed in with every scope and initialized at the newest revision.
    pub async fn signed_in(gatehouse: &Gatehouse) -> Self {
        let tokens = Client::register(gatehouse)
            .await
            .sign_in(&Person::new())
            .await;
        Self::initialized(gatehouse, &tokens.access).await
    }

    /// With this token, initialized at the newest revision.
    pub async fn initialized(gatehouse: &Gatehouse, token: &str) -> Self {
        let mut mcp = Self::new(gatehouse.url("/mcp"), Some(token));
        mcp.initialize(NEWEST).await;
        mcp
    }

    /// Returns the same session at another URL: another machine.
    #[must_use]
    pub fn at(&self, url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            http: self.http.clone(),
            authorization: self.authorization.clone(),
            session: self.session.clone(),
        }
    }

    /// Returns the same session with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            authorization: Some(format!("Bearer {token}")),
            ..self.at(&self.url)
        }
    }

    /// Ends the session.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn end(&self) -> Response {
        let request = self.identified(self.http.delete(&self.url));
        request.send().await.expect("an answer")
    }

    /// Listens for messages that answer no request of its own.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn listen(&self) -> Response {
        self.get().send().await.expect("an answer")
    }

    /// Comes back for what follows the event with this id.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn resume(&self, last_event: &str) -> Response {
        let request = self.get().header("last-event-id", last_event);
        request.send().await.expect("an answer")
    }

    fn get(&self) -> RequestBuilder {
        self.identified(self.http.get(&self.url))
            .header("accept", "text/event-stream")
    }

    /// Returns a POST of one message, to be changed and sent.
    pub fn message(&self, message: &Value) -> RequestBuilder {
        self.identified(self.http.post(&self.url))
            .header("accept", "application/json, text/event-stream")
            .json(message)
    }

    /// Says whose it is, and of which session.
    fn identified(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        request
    }

    /// Posts one message.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn post(&self, message: &Value) -> Response {
        self.message(message).send().await.expect("an answer")
    }

    /// Posts a request.
    pub async fn request(&self, method: &str, params: Value) -> Response {
        self.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
            .await
    }

    /// Initializes at this revision, and gives the result.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn initialize(&mut self, revision: &str) -> Value {
        self.initialize_as(revision, json!({})).await
    }

    /// Returns the same, as a client that can be asked so much.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn initialize_as(&mut self, revision: &str, capabilities: Value) -> Value {
        let response = self
            .request(
                "initialize",
                json!({
                    "protocolVersion": revision,
                    "capabilities": capabilities,
                    "clientInfo": { "name": "tests", "version": "1" },
                }),
            )
            .await;
        assert_eq!(response.status(), 200);
        self.session = response
            .headers()
            .get("mcp-session-id")
            .map(|id| id.to_str().expect("text").to_owned());
        let result = result(response).await;
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.post(&initialized).await.status(), 202);
        result
    }

    /// Calls a tool and gives the result.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        result(self.try_call(tool, arguments).await).await
    }

    /// Calls a tool and gives the response, whatever it is.
    pub async fn try_call(&self, tool: &str, arguments: Value) -> Response {
        self.request(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
        .await
    }
}

/// Returns the result in a JSON or SSE answer.
///
/// # Panics
///
/// If the body has no response.
pub async fn result(response: Response) -> Value {
    let message = answer(response).await;
    assert!(message.get("result").is_some(), "{message}");
    message["result"].clone()
}

/// Returns the JSON-RPC response in a JSON or SSE answer.
///
/// # Panics
///
/// If the body has no response.
pub async fn answer(response: Response) -> Value {
    let streams = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let text = response.text().await.expect("a whole answer");
    if streams {
        sse_events(&text)
            .into_iter()
            .filter_map(|(_, data)| serde_json::from_str::<Value>(&data).ok())
            .find(|message| message.get("id").is_some())
            .expect("a response in the stream")
    } else {
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }
}

//! An MCP client over HTTP+SSE (2024-11-05): the stream of a session, event by event.

use crate::sse_events;
use reqwest::Response;
use serde_json::{Value, json};

/// The request that opens a session.
pub fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "tests", "version": "1" } } })
}

/// The stream of a session.
pub struct SseStream {
    response: Response,
    read: String,
}

impl SseStream {
    /// Opens a stream at the Gatehouse with this base URL.
    ///
    /// # Panics
    ///
    /// If it does not open.
    pub async fn open(base: &str, token: &str) -> Self {
        let response = reqwest::Client::new()
            .get(format!("{base}/sse"))
            .header("accept", "text/event-stream")
            .bearer_auth(token)
            .send()
            .await
            .expect("an answer");
        Self::of(response)
    }

    /// The stream that a response is.
    ///
    /// # Panics
    ///
    /// If it is a refusal.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        Self {
            response,
            read: String::new(),
        }
    }

    /// The next event: its name and its data.
    ///
    /// # Panics
    ///
    /// If the stream ends.
    pub async fn next(&mut self) -> (String, String) {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let events = sse_events(&format!("{block}\n\n"));
                self.read = rest.to_owned();
                if let Some(event) = events.into_iter().next() {
                    return event;
                }
                continue;
            }
            let chunk = self.response.chunk().await;
            let chunk = chunk.expect("a whole stream").expect("more to come");
            self.read
                .push_str(&String::from_utf8_lossy(&chunk).replace("\r\n", "\n"));
        }
    }

    /// The JSON of the next event.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub async fn message(&mut self) -> Value {
        let (_, data) = self.next().await;
        serde_json::from_str(&data).expect("JSON")
    }
}

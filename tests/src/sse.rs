//! Streams of server-sent events, event by event.

use reqwest::Response;
use serde_json::{Value, json};

/// Returns the request that opens a session over HTTP+SSE.
pub fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "tests", "version": "1" } } })
}

/// A stream of server-sent events.
pub struct SseStream {
    response: Response,
    read: String,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// `message`, if it has none.
    pub name: String,
    /// Its data: JSON, or nothing.
    pub data: String,
    /// What to go on after.
    pub id: Option<String>,
}

impl SseStream {
    /// Opens the stream of an HTTP+SSE session at the Gatehouse with this base URL.
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

    /// Returns the stream that a response is.
    ///
    /// # Panics
    ///
    /// If it is a refusal.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            read: String::new(),
        }
    }

    /// Returns the lines up to the next empty one: an event, a comment, or what concerns the connection.
    /// `None` when the stream is over.
    ///
    /// # Panics
    ///
    /// If the stream breaks off.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let block = block.to_owned();
                self.read = rest.to_owned();
                return Some(block);
            }
            let chunk = self.response.chunk().await.expect("a whole stream")?;
            let chunk = String::from_utf8_lossy(&chunk).replace("\r\n", "\n");
            self.read.push_str(&chunk);
        }
    }

    /// Returns the next event; `None` when the stream is over.
    pub async fn event(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            if let Some((name, data)) = sse_events(&block).pop() {
                let id = block.lines().find_map(|line| line.strip_prefix("id:"));
                let id = id.map(|id| id.trim_start().to_owned());
                return Some(Event { name, data, id });
            }
        }
    }

    /// Returns the next event: its name and its data.
    ///
    /// # Panics
    ///
    /// If the stream ends.
    pub async fn next(&mut self) -> (String, String) {
        let event = self.event().await.expect("more to come");
        (event.name, event.data)
    }

    /// Returns the JSON of the next event with data: a stream that can be resumed begins with one without.
    ///
    /// # Panics
    ///
    /// If it has no JSON, or the stream ends.
    pub async fn message(&mut self) -> Value {
        loop {
            let (_, data) = self.next().await;
            if !data.is_empty() {
                return serde_json::from_str(&data).expect("JSON");
            }
        }
    }

    /// Waits for a comment, before which no event comes.
    ///
    /// # Panics
    ///
    /// If something else comes.
    pub async fn comment(&mut self) {
        let block = self.block().await.expect("more to come");
        assert!(block.starts_with(':'), "{block}");
    }

    /// Waits for the end, before which no event with data comes.
    ///
    /// # Panics
    ///
    /// If one does.
    pub async fn end(&mut self) {
        while let Some(more) = self.event().await {
            assert!(more.data.is_empty(), "{more:?}");
        }
    }
}

/// Returns the events of a stream: name (`message` if it has none) and data.
pub fn sse_events(text: &str) -> Vec<(String, String)> {
    text.replace("\r\n", "\n")
        .split("\n\n")
        .filter_map(|block| {
            let field = |name: &str| {
                block
                    .lines()
                    .filter_map(|line| line.strip_prefix(name))
                    .map(|value| value.trim_start().to_owned())
                    .collect::<Vec<_>>()
            };
            let data = field("data:");
            if data.is_empty() {
                return None;
            }
            let name = field("event:")
                .pop()
                .unwrap_or_else(|| "message".to_owned());
            Some((name, data.join("\n")))
        })
        .collect()
}

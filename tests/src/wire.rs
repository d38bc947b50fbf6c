//! Every message that Gatehouse sends to any client, held against the official schema of
//! its revision.

use crate::schema::{self, REVISIONS};
use crate::sse::sse_events;
use bytes::Bytes;
use host::{Hooks, HttpTap};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, request, response};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was seen on the wire. When it is dropped, nothing may have been wrong.
#[derive(Default)]
pub(crate) struct Wire(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// What is asked in a session, by the session and the request's id. The answer may come through
    /// another exchange.
    asked: HashMap<(String, String), String>,
    /// The revisions of sessions.
    revisions: HashMap<String, &'static str>,
    /// The revisions in which tools were called.
    called: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Wire {
    /// Watches an application's MCP endpoint.
    pub(crate) fn watch(&self, hooks: Hooks) -> Hooks {
        let seen = self.0.clone();
        hooks.on_http_exchange(move |head| {
            let is_mcp = ["/mcp", "/messages", "/sse"].contains(&head.uri.path());
            is_mcp.then(|| -> Box<dyn HttpTap> { Box::new(Mcp::new(seen.clone(), head)) })
        })
    }

    /// Returns the revisions in which tools were called so far.
    pub(crate) fn called(&self) -> Vec<&'static str> {
        lock(&self.0).called.iter().copied().collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let wrong = &lock(&self.0).wrong;
        if !wrong.is_empty() && !std::thread::panicking() {
            panic!("invalid messages were sent:\n{}", wrong.join("\n"));
        }
    }
}

/// One exchange with the MCP endpoint.
struct Mcp {
    seen: Arc<Mutex<Seen>>,
    /// The session that the client named, or the server began.
    session: Option<String>,
    /// The revision that the client named.
    named: Option<String>,
    is_http_sse: bool,
    request: Vec<u8>,
    /// The methods of the request's messages by their ids; absent until it is read.
    asked: Option<HashMap<String, String>>,
    answer: Answer,
    received: Vec<u8>,
}

/// What an answer consists of.
#[derive(Clone, Copy)]
enum Answer {
    Message,
    /// JSON that need not be a message: a refusal may be OAuth's, or of no protocol.
    Refusal,
    Events,
    /// Nothing that is of MCP.
    Else,
}

impl HttpTap for Mcp {
    fn sent(&mut self, data: &Bytes) {
        self.request.extend_from_slice(data);
        // The answer may come through another exchange before this one has a response.
        if data.ends_with(b"}") || data.ends_with(b"]") {
            self.read_request();
        }
    }

    fn answered(&mut self, head: &response::Parts) {
        if let Some(session) = text(&head.headers, "mcp-session-id") {
            self.session = Some(session);
        }
        let content_type = text(&head.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        self.answer = if content_type.starts_with("text/event-stream") {
            Answer::Events
        } else if !content_type.starts_with("application/json") {
            Answer::Else
        } else if head.status.is_success() {
            Answer::Message
        } else {
            Answer::Refusal
        };
        self.read_request();
    }

    fn received(&mut self, data: &Bytes) {
        self.received.extend_from_slice(data);
        match self.answer {
            Answer::Message | Answer::Refusal => {
                // It is whole when it is JSON.
                if let Ok(message) = serde_json::from_slice::<Value>(&self.received) {
                    self.received.clear();
                    let may_be_else = matches!(self.answer, Answer::Refusal);
                    if !may_be_else || message.get("jsonrpc").is_some() {
                        self.message(&message);
                    }
                }
            }
            Answer::Events => self.events(),
            Answer::Else => self.received.clear(),
        }
    }
}

impl Mcp {
    fn new(seen: Arc<Mutex<Seen>>, head: &request::Parts) -> Self {
        let is_http_sse = head.uri.path() != "/mcp";
        Self {
            seen,
            session: match is_http_sse {
                true => head.uri.query().map(str::to_owned),
                false => text(&head.headers, "mcp-session-id"),
            },
            named: text(&head.headers, "mcp-protocol-version"),
            is_http_sse,
            request: Vec::new(),
            asked: None,
            answer: Answer::Else,
            received: Vec::new(),
        }
    }

    /// Notes what the client asks, and in which revision.
    fn read_request(&mut self) {
        let mut asked = HashMap::new();
        let messages: Value = serde_json::from_slice(&self.request).unwrap_or_default();
        for message in each(&messages) {
            let meta = &message["params"]["_meta"];
            if let Some(revision) = meta["io.modelcontextprotocol/protocolVersion"].as_str() {
                self.named = Some(revision.to_owned());
            }
            if let (Some(method), Some(id)) = (message["method"].as_str(), message.get("id")) {
                asked.insert(id.to_string(), method.to_owned());
            }
        }
        if let Some(session) = &self.session {
            let mut seen = lock(&self.seen);
            for (id, method) in &asked {
                let key = (session.clone(), id.clone());
                seen.asked.insert(key, method.clone());
            }
        }
        self.asked = Some(asked);
    }

    fn events(&mut self) {
        while let Some(end) = end_of_event(&self.received) {
            let event: Vec<u8> = self.received.drain(..end).collect();
            for (name, data) in sse_events(&String::from_utf8_lossy(&event)) {
                if name == "endpoint" {
                    self.session = data.split_once('?').map(|(_, query)| query.to_owned());
                } else if !data.is_empty() {
                    match serde_json::from_str(&data) {
                        Ok(message) => self.message(&message),
                        Err(error) => {
                            self.note(vec![format!("an event is no JSON: {error}")], &data)
                        }
                    }
                }
            }
        }
    }

    /// Validates a message, or a batch of them.
    fn message(&mut self, message: &Value) {
        let revision = self.revision(message);
        if message.is_array() && revision != "2025-03-26" {
            self.note(vec![format!("a batch in {revision}")], message);
        }
        for message in each(message) {
            let asked = message.get("id").and_then(|id| self.asked(&id.to_string()));
            if asked.as_deref() == Some("tools/call") && message.get("result").is_some() {
                lock(&self.seen).called.insert(revision);
            }
            let Some(schema) = schema::of(revision) else {
                continue;
            };
            let errors = schema.errors(message, asked.as_deref()).into_iter();
            let wrong = errors.map(|error| format!("{error} (in {revision}, asked {asked:?})"));
            self.note(wrong.collect(), message);
        }
    }

    fn asked(&self, id: &str) -> Option<String> {
        let here = self.asked.as_ref().and_then(|asked| asked.get(id)).cloned();
        here.or_else(|| {
            let key = (self.session.clone()?, id.to_owned());
            lock(&self.seen).asked.get(&key).cloned()
        })
    }

    /// Returns the revision of a message that the server sends.
    fn revision(&self, message: &Value) -> &'static str {
        let mut seen = lock(&self.seen);
        if let Some(agreed) = known(message["result"]["protocolVersion"].as_str()) {
            if let Some(session) = &self.session {
                seen.revisions.insert(session.clone(), agreed);
            }
            return agreed;
        }
        let of_session = self.session.as_ref().and_then(|id| seen.revisions.get(id));
        match (&self.named, of_session) {
            // Of an unknown one, the server says so in its newest.
            (Some(named), _) => known(Some(named)).unwrap_or(REVISIONS[REVISIONS.len() - 1]),
            (None, Some(revision)) => revision,
            (None, None) if self.is_http_sse => REVISIONS[0],
            // "If the server does not receive an MCP-Protocol-Version header".
            (None, None) => "2025-03-26",
        }
    }

    fn note(&self, wrong: Vec<String>, message: impl std::fmt::Display) {
        if !wrong.is_empty() {
            let wrong = format!("{}\n    {message}", wrong.join("\n"));
            lock(&self.seen).wrong.push(wrong);
        }
    }
}

fn each(messages: &Value) -> impl Iterator<Item = &Value> {
    match messages {
        Value::Array(messages) => messages.iter(),
        message => std::slice::from_ref(message).iter(),
    }
}

fn known(revision: Option<&str>) -> Option<&'static str> {
    REVISIONS.into_iter().find(|known| Some(*known) == revision)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Returns the length of the first whole event, its empty line included.
fn end_of_event(received: &[u8]) -> Option<usize> {
    let ends: [&[u8]; 2] = [b"\n\n", b"\r\n\r\n"];
    let end = |end: &[u8]| {
        let found = received.windows(end.len()).position(|part| part == end);
        found.map(|at| at + end.len())
    };
    ends.into_iter().filter_map(end).min()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Requests to the server.

use crate::peer::{Peer, client_info, declared};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use mcp::headers::{PROTOCOL_VERSION, encode};
use mcp::stateless::{METHOD, NAME};
use mcp::{LogLevel, Revision};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

/// A request to the server. Each revision writes it in its own way.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    method: &'static str,
    params: Vec<(&'static str, Box<RawValue>)>,
    /// The name or URI that the request is about.
    subject: Option<String>,
    /// `Mcp-Param-*`.
    pub(crate) headers: HeaderMap,
    pub(crate) wants_progress: bool,
}

impl Outgoing {
    pub(crate) fn new(method: &'static str) -> Self {
        Self {
            method,
            params: Vec::new(),
            subject: None,
            headers: HeaderMap::new(),
            wants_progress: false,
        }
    }

    /// Returns the question what the server is and has, which only stateless servers know.
    pub(crate) fn discover() -> Self {
        Self::new("server/discover")
    }

    /// Adds a parameter.
    pub(crate) fn with(self, name: &'static str, value: &impl Serialize) -> Self {
        self.with_json(name, json_of(value))
    }

    /// Adds a parameter that is JSON already.
    pub(crate) fn with_json(mut self, name: &'static str, value: Box<RawValue>) -> Self {
        self.params.push((name, value));
        self
    }

    /// Adds the parameter that the request is about: `name` or `uri`.
    pub(crate) fn about(self, name: &'static str, subject: &str) -> Self {
        Self {
            subject: Some(subject.to_owned()),
            ..self.with(name, &subject)
        }
    }

    /// Returns the headers and the body of the request in 2026-07-28, in which each says for whom it is.
    pub(crate) fn stateless(&self, id: u64, peer: &Peer) -> (HeaderMap, Bytes) {
        let mut headers = self.headers.clone();
        let revision = HeaderValue::from_static(Revision::V2026_07_28.as_str());
        headers.insert(PROTOCOL_VERSION, revision);
        headers.insert(METHOD, HeaderValue::from_static(self.method));
        if let Some(subject) = &self.subject {
            headers.insert(NAME, encode(subject));
        }
        let mut meta = self.meta(id);
        for (name, value) in [
            ("protocolVersion", Revision::V2026_07_28.as_str().into()),
            ("clientInfo", client_info()),
            ("clientCapabilities", declared(&peer.capabilities)),
        ] {
            meta.insert(format!("io.modelcontextprotocol/{name}"), value);
        }
        if let Some(level) = peer.log_level {
            meta.insert("io.modelcontextprotocol/logLevel".to_owned(), json!(level));
        }
        (headers, self.body(id, &meta))
    }

    /// Returns the body of the request in a session.
    pub(crate) fn in_session(&self, id: u64) -> Bytes {
        self.body(id, &self.meta(id))
    }

    fn meta(&self, id: u64) -> Map<String, Value> {
        let token = self
            .wants_progress
            .then(|| ("progressToken".to_owned(), id.into()));
        token.into_iter().collect()
    }

    fn body(&self, id: u64, meta: &Map<String, Value>) -> Bytes {
        let params = Params {
            params: &self.params,
            meta,
        };
        message(&json!(id), self.method, &params)
    }
}

/// Returns the request `initialize` for this revision.
pub(crate) fn initialize(revision: Revision, peer: &Peer) -> Outgoing {
    Outgoing::new("initialize")
        .with("protocolVersion", &revision)
        .with("capabilities", &declared(&peer.capabilities))
        .with("clientInfo", &client_info())
}

/// Returns the request for log messages of at least this level, in a session.
pub(crate) fn set_level(level: LogLevel) -> Outgoing {
    Outgoing::new("logging/setLevel").with("level", &level)
}

/// Returns a notification.
pub(crate) fn notification(method: &str, params: &Value) -> Bytes {
    let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    message.to_string().into()
}

/// Returns a value as JSON.
pub(crate) fn json_of(value: &impl Serialize) -> Box<RawValue> {
    // Texts and values of JSON do not fail.
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn message(id: &Value, method: &str, params: &impl Serialize) -> Bytes {
    #[derive(Serialize)]
    struct Wire<'a, P> {
        jsonrpc: &'static str,
        id: &'a Value,
        method: &'a str,
        params: &'a P,
    }
    let wire = Wire {
        jsonrpc: "2.0",
        id,
        method,
        params,
    };
    json_of(&wire).get().to_owned().into()
}

struct Params<'a> {
    params: &'a [(&'static str, Box<RawValue>)],
    meta: &'a Map<String, Value>,
}

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.params {
            map.serialize_entry(name, value)?;
        }
        if !self.meta.is_empty() {
            map.serialize_entry("_meta", self.meta)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp::ClientCapabilities;
    use mcp::jsonrpc::{self, Body, Message};
    use mcp::stateless::Metadata;

    #[test]
    fn a_stateless_request_is_one_that_a_server_takes() {
        let outgoing = Outgoing::new("tools/call")
            .about("name", "grüßen")
            .with("arguments", &json!({ "a": 1 }))
            .with("requestState", &"state");
        let peer = Peer {
            capabilities: ClientCapabilities {
                elicits_forms: true,
                ..ClientCapabilities::default()
            },
            log_level: Some(LogLevel::Warning),
            ..Peer::default()
        };
        let (headers, body) = outgoing.stateless(7, &peer);
        let Ok(Body::Single(Message::Request { id, method, params })) =
            jsonrpc::parse(&body, Revision::NEWEST)
        else {
            panic!("no request");
        };
        let metadata = Metadata::read(&headers, &method, params).unwrap();
        assert_eq!(id.as_json(), "7");
        assert_eq!(metadata.capabilities, peer.capabilities);
        assert_eq!(metadata.log_level, Some(LogLevel::Warning));
        assert_eq!(metadata.request_state.as_deref(), Some("state"));
    }

    #[test]
    fn a_request_in_a_session_has_metadata_only_for_progress() {
        let mut outgoing = Outgoing::new("tools/list");
        assert_eq!(
            outgoing.in_session(1),
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#
        );
        outgoing.wants_progress = true;
        let body = outgoing.in_session(2);
        let body = std::str::from_utf8(&body).unwrap();
        assert!(
            body.ends_with(r#""params":{"_meta":{"progressToken":2}}}"#),
            "{body}"
        );
    }
}

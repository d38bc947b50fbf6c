//! Requests of the stateless lifecycle (MCP 2026-07-28).

use http::{HeaderMap, HeaderName, HeaderValue};
use mcp::jsonrpc::{self, Body, Message};
use mcp::stateless::{Metadata, check_version};
use mcp::{Filter, Lifecycle, Revision, TaskParams, lifecycle};

/// Header lines, an empty line, and a message: it has one lifecycle, and what is read of a stateless one
/// is what both the headers and the body say.
pub fn stateless_request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let Ok(Body::Single(message)) = jsonrpc::parse(body.as_bytes(), Revision::NEWEST) else {
        return;
    };
    let lifecycle = lifecycle(&headers, &message);
    let spoken = check_version(&headers);
    if spoken.is_ok() {
        assert_eq!(lifecycle, Lifecycle::Stateless);
    }
    let Message::Request { id, method, params } = &message else {
        return;
    };
    if let Ok(filter) = Filter::read(*params) {
        let first: serde_json::Value =
            serde_json::from_str(&filter.acknowledged(id)).expect("a message");
        let named = &first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert!(!named.is_null());
        assert!(filter.resource_subscriptions.len() + filter.task_ids.len() <= 80);
    }
    if let Err(error) = TaskParams::read(*params) {
        assert_eq!(error.code.number(), -32602);
    }
    match Metadata::read(&headers, method, *params) {
        Ok(read) => {
            assert!(spoken.is_ok());
            let named = headers["mcp-method"].to_str().expect("it was read");
            assert_eq!(named.trim(), method);
            for (_, answer) in read.input_responses {
                assert!(answer.starts_with('{'));
            }
        }
        Err(error) => {
            assert!(matches!(error.code.number(), -32020 | -32022 | -32602));
            assert!(error.message.len() < 1024);
        }
    }
}

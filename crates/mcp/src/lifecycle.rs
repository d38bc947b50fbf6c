//! The lifecycle of a request: within a session, or stateless (2026-07-28, Versioning and
//! Compatibility).

use crate::Revision;
use crate::headers::PROTOCOL_VERSION;
use crate::json::Text;
use crate::jsonrpc::Message;
use crate::stateless::VERSION;
use http::HeaderMap;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// The lifecycle that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Revisions up to 2025-11-25: the request follows an `initialize`, or is one.
    Session,
    /// Revisions from 2026-07-28 on: the request carries its revision and the client's capabilities.
    /// The revision may be one that this server does not support.
    Stateless,
}

/// Returns the lifecycle of a message that came with `headers`.
///
/// An `initialize` begins a session whatever the header says, because its response settles the revision.
/// The exception is an `initialize` whose `_meta` has a revision: that is a stateless request for a method
/// that stateless revisions do not have. Otherwise the header decides, so that an intermediary that reads
/// the header sees what this server sees. Without the header, the message decides, by what only stateless
/// requests have.
pub fn lifecycle(headers: &HeaderMap, message: &Message<'_>) -> Lifecycle {
    if let Message::Request { method, params, .. } = message
        && method == "initialize"
        && params.and_then(version_in).is_none()
    {
        return Lifecycle::Session;
    }
    let mut named = headers.get_all(PROTOCOL_VERSION).iter();
    match (named.next(), named.next()) {
        (Some(name), None) => {
            let name = name.to_str().unwrap_or_default();
            of_version(name.trim())
        }
        (Some(_), Some(_)) => Lifecycle::Stateless,
        (None, _) => match message {
            Message::Request { method, .. } if method == "server/discover" => Lifecycle::Stateless,
            Message::Request { params, .. } | Message::Notification { params, .. } => params
                .and_then(version_in)
                .map_or(Lifecycle::Session, |version| of_version(&version)),
            Message::Response { .. } | Message::Invalid { .. } => Lifecycle::Session,
        },
    }
}

fn of_version(name: &str) -> Lifecycle {
    match Revision::parse(name) {
        Some(revision) if !revision.is_stateless() => Lifecycle::Session,
        _ => Lifecycle::Stateless,
    }
}

/// The version in the `_meta` of some parameters.
fn version_in(params: &RawValue) -> Option<Cow<'_, str>> {
    // Most requests of old have no such thing anywhere.
    if !params.get().contains(VERSION) {
        return None;
    }
    let params: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(params.get()).ok()?;
    let meta: HashMap<Cow<'_, str>, &RawValue> =
        serde_json::from_str(params.get("_meta")?.get()).ok()?;
    let version: Text<'_> = serde_json::from_str(meta.get(VERSION)?.get()).ok()?;
    Some(version.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{self, Body};
    use http::HeaderValue;

    fn of(named: &[&'static str], message: &str) -> Lifecycle {
        let mut headers = HeaderMap::new();
        for name in named {
            headers.append(PROTOCOL_VERSION, HeaderValue::from_static(name));
        }
        match jsonrpc::parse(message.as_bytes(), Revision::NEWEST) {
            Ok(Body::Single(message)) => lifecycle(&headers, &message),
            other => panic!("{other:?}"),
        }
    }

    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

    fn with_version(version: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":{version}}}}}}}"#
        )
    }

    #[test]
    fn the_header_decides_where_there_is_one() {
        for message in [
            PING,
            &with_version("\"2026-07-28\""),
            &with_version("\"2025-11-25\""),
        ] {
            for old in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
                assert_eq!(of(&[old], message), Lifecycle::Session);
            }
            for new in ["2026-07-28", "2027-01-01", "nonsense", ""] {
                assert_eq!(of(&[new], message), Lifecycle::Stateless);
            }
            assert_eq!(
                of(&["2025-11-25", "2026-07-28"], message),
                Lifecycle::Stateless
            );
        }
    }

    #[test]
    fn initialize_begins_a_session_whatever_the_header_says() {
        let plain = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        for named in ["2026-07-28", "2027-01-01", "undefined", "", "2025-06-18"] {
            assert_eq!(of(&[named], plain), Lifecycle::Session, "{named}");
        }
        assert_eq!(of(&["2026-07-28", "x"], plain), Lifecycle::Session);
        assert_eq!(of(&[], plain), Lifecycle::Session);
        // No client with sessions says so of itself.
        let stateless = with_version("\"2026-07-28\"").replace("ping", "initialize");
        assert_eq!(of(&["2026-07-28"], &stateless), Lifecycle::Stateless);
    }

    #[test]
    fn without_a_header_the_message_tells() {
        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        for message in [
            PING,
            initialize,
            &with_version("\"2025-11-25\""),
            &with_version("1"),
        ] {
            assert_eq!(of(&[], message), Lifecycle::Session, "{message}");
        }
        let discover = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#;
        for message in [
            discover,
            &with_version("\"2026-07-28\""),
            &with_version("\"x\""),
        ] {
            assert_eq!(of(&[], message), Lifecycle::Stateless, "{message}");
        }
    }
}

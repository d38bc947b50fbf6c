//! Whether a request belongs to a session or stands for itself.

use crate::Revision;
use crate::headers::PROTOCOL_VERSION;
use crate::jsonrpc::{Message, Text};
use crate::stateless::VERSION;
use http::HeaderMap;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// The two ways in which requests are to be taken (2026-07-28, Versioning and Compatibility).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// As revisions up to 2025-11-25 have it: there was an `initialize`, or this is one.
    Sessions,
    /// As revisions from 2026-07-28 on have it: the request says all there is to know. It may say
    /// that it is of a revision that nobody speaks.
    Stateless,
}

/// The era of a request with these headers, for this message.
///
/// `initialize` begins a session whatever the header says: what is to be spoken is agreed on by its
/// answer. Only one that has in its `_meta` what a stateless request has is one of these, where there is no
/// such method any more. Otherwise the header decides, so that whoever looks at it on the way sees what we
/// see: what is named there is a revision with sessions, or else it is stateless. Without the header it is
/// the message that tells, by what only stateless requests have.
pub fn era(headers: &HeaderMap, message: &Message<'_>) -> Era {
    if let Message::Request { method, params, .. } = message
        && method == "initialize"
        && params.and_then(version_in).is_none()
    {
        return Era::Sessions;
    }
    let mut named = headers.get_all(PROTOCOL_VERSION).iter();
    match (named.next(), named.next()) {
        (Some(name), None) => {
            let name = name.to_str().unwrap_or_default();
            of_version(name.trim())
        }
        (Some(_), Some(_)) => Era::Stateless,
        (None, _) => match message {
            Message::Request { method, .. } if method == "server/discover" => Era::Stateless,
            Message::Request { params, .. } | Message::Notification { params, .. } => params
                .and_then(version_in)
                .map_or(Era::Sessions, |version| of_version(&version)),
            Message::Response { .. } | Message::Invalid { .. } => Era::Sessions,
        },
    }
}

fn of_version(name: &str) -> Era {
    match Revision::parse(name) {
        Some(revision) if !revision.is_stateless() => Era::Sessions,
        _ => Era::Stateless,
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

    fn of(named: &[&'static str], message: &str) -> Era {
        let mut headers = HeaderMap::new();
        for name in named {
            headers.append(PROTOCOL_VERSION, HeaderValue::from_static(name));
        }
        match jsonrpc::parse(message.as_bytes(), Revision::NEWEST) {
            Ok(Body::Single(message)) => era(&headers, &message),
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
                assert_eq!(of(&[old], message), Era::Sessions);
            }
            for new in ["2026-07-28", "2027-01-01", "nonsense", ""] {
                assert_eq!(of(&[new], message), Era::Stateless);
            }
            assert_eq!(of(&["2025-11-25", "2026-07-28"], message), Era::Stateless);
        }
    }

    #[test]
    fn initialize_begins_a_session_whatever_the_header_says() {
        let plain = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        for named in ["2026-07-28", "2027-01-01", "undefined", "", "2025-06-18"] {
            assert_eq!(of(&[named], plain), Era::Sessions, "{named}");
        }
        assert_eq!(of(&["2026-07-28", "x"], plain), Era::Sessions);
        assert_eq!(of(&[], plain), Era::Sessions);
        // No client with sessions says so of itself.
        let stateless = with_version("\"2026-07-28\"").replace("ping", "initialize");
        assert_eq!(of(&["2026-07-28"], &stateless), Era::Stateless);
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
            assert_eq!(of(&[], message), Era::Sessions, "{message}");
        }
        let discover = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#;
        for message in [
            discover,
            &with_version("\"2026-07-28\""),
            &with_version("\"x\""),
        ] {
            assert_eq!(of(&[], message), Era::Stateless, "{message}");
        }
    }
}

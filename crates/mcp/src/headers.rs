//! HTTP headers of the transports (2025-11-25 and 2026-07-28, Transports, Streamable HTTP).

use crate::Revision;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use http_fields::MediaType;
use std::borrow::Cow;

/// The revision of the messages of a session.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";

/// The session.
pub const SESSION_ID: &str = "mcp-session-id";

/// The last event of a stream that a client has seen (the HTML standard, section 9.2).
pub const LAST_EVENT_ID: &str = "last-event-id";

/// `MCP-Protocol-Version` names something that is not spoken here.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnsupportedVersion {
    /// A later revision: its client should begin with `initialize` and an earlier one.
    #[error(
        "This server speaks revisions up to {newest} of the protocol; begin with initialize",
        newest = Revision::NEWEST_WITH_SESSIONS
    )]
    Newer,
    /// No revision at all.
    #[error("The MCP-Protocol-Version is not one that this server speaks")]
    Unknown,
}

/// The revision that `MCP-Protocol-Version` names; `None` if the header is absent.
///
/// # Errors
///
/// [`UnsupportedVersion`], to be answered 400.
pub fn protocol_version(headers: &HeaderMap) -> Result<Option<Revision>, UnsupportedVersion> {
    let Some(value) = headers.get(PROTOCOL_VERSION) else {
        return Ok(None);
    };
    let name = value.to_str().map_err(|_| UnsupportedVersion::Unknown)?;
    match Revision::parse(name.trim()) {
        Some(revision) => Ok(Some(revision)),
        None if Revision::is_newer(name.trim()) => Err(UnsupportedVersion::Newer),
        None => Err(UnsupportedVersion::Unknown),
    }
}

/// What a header says that carries a value of the body: `Mcp-Name` and `Mcp-Param-*` (2026-07-28,
/// Streamable HTTP, Value Encoding). `None` if it cannot be read.
pub fn decode(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let text = value.to_str().ok()?.trim_matches([' ', '\t']);
    let encoded = text
        .strip_prefix(ENCODED.0)
        .and_then(|rest| rest.strip_suffix(ENCODED.1));
    match encoded {
        None => Some(text.into()),
        Some(encoded) => {
            let bytes = STANDARD.decode(encoded).ok()?;
            String::from_utf8(bytes).ok().map(Cow::Owned)
        }
    }
}

/// Returns the header value that carries `text`: [`decode`] is its reverse.
pub fn encode(text: &str) -> HeaderValue {
    let is_visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    let is_plain = text.bytes().all(is_visible)
        && text.trim_matches([' ', '\t']) == text
        && !(text.starts_with(ENCODED.0) && text.ends_with(ENCODED.1));
    let value = if is_plain {
        HeaderValue::try_from(text)
    } else {
        let encoded = STANDARD.encode(text);
        HeaderValue::try_from([ENCODED.0, &encoded, ENCODED.1].concat())
    };
    // Both have visible characters alone.
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// What stands around Base64.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// What of the two kinds of answer a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// `application/json`.
    pub json: bool,
    /// `text/event-stream`.
    pub event_stream: bool,
}

/// What `Accept` allows (RFC 9110 section 12.5.1). Absent, it allows everything.
pub fn accepted(headers: &HeaderMap) -> Accepted {
    let mut accepted = Accepted {
        json: false,
        event_stream: false,
    };
    let mut any = false;
    let values = headers.get_all(ACCEPT).iter();
    for range in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let mut parts = range.split(';');
        let media_type = parts.next().unwrap_or_default().trim();
        if media_type.is_empty() {
            continue;
        }
        any = true;
        if parts.any(is_zero_quality) {
            continue;
        }
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        accepted.json |= is("application/json") || is("application/*") || is("*/*");
        accepted.event_stream |= is("text/event-stream") || is("text/*") || is("*/*");
    }
    if any {
        accepted
    } else {
        Accepted {
            json: true,
            event_stream: true,
        }
    }
}

fn is_zero_quality(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>() == Ok(0.0)
    })
}

/// Whether the body says that it is JSON, in UTF-8 if it names a charset.
pub fn is_json(headers: &HeaderMap) -> bool {
    MediaType::of(headers).is_some_and(|media_type| media_type.is_json() && media_type.is_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn a_version_header_names_a_spoken_revision_or_is_refused() {
        let version = |value| protocol_version(&headers(PROTOCOL_VERSION, value));
        assert_eq!(version("2025-06-18"), Ok(Some(Revision::V2025_06_18)));
        assert_eq!(version("2026-07-28"), Ok(Some(Revision::V2026_07_28)));
        assert_eq!(version("2027-01-01"), Err(UnsupportedVersion::Newer));
        assert_eq!(version("nonsense"), Err(UnsupportedVersion::Unknown));
        assert_eq!(protocol_version(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_value_of_the_body_is_encoded_unless_it_is_plain() {
        // The examples of the specification.
        for (text, value) in [
            ("us-west1", "us-west1"),
            ("", ""),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ] {
            assert_eq!(encode(text), value);
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
    }

    #[test]
    fn accept_is_read_with_wildcards_and_refusals() {
        let accept = |value| {
            let accepted = accepted(&headers("accept", value));
            (accepted.json, accepted.event_stream)
        };
        assert_eq!(accept("application/json, text/event-stream"), (true, true));
        assert_eq!(accept("application/json"), (true, false));
        assert_eq!(accept("Text/Event-Stream;q=0.9"), (false, true));
        assert_eq!(accept("*/*"), (true, true));
        assert_eq!(accept("text/html"), (false, false));
        assert_eq!(
            accept("application/json, text/event-stream;q=0"),
            (true, false)
        );
        assert!(accepted(&HeaderMap::new()).json);
    }

    #[test]
    fn a_body_is_json_only_if_it_says_so() {
        let is = |value| is_json(&headers("content-type", value));
        assert!(is("application/json"));
        assert!(is("Application/JSON; charset=UTF-8"));
        assert!(!is("application/json; charset=latin1"));
        assert!(!is("text/plain"));
        assert!(!is("application/jsonp"));
        assert!(!is_json(&HeaderMap::new()));
    }
}

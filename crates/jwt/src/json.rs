//! Strict JSON: JOSE forbids an object with two members of one name (RFC 7515 section 4, RFC 7517 section 4).

use serde_json::{Map, Value};
use strict_json::Limits;

/// Parses `json`; `None` if it is invalid or repeats a name. The caller bounds its size.
pub(crate) fn value(json: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(json).ok()?;
    strict_json::parse(text, Limits::NONE)
        .ok()
        .map(|parsed| parsed.value)
}

/// Parses `json` as [`value`] does; `None` if it is not an object.
pub(crate) fn object(json: &[u8]) -> Option<Map<String, Value>> {
    match value(json)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_repeats_nothing_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,0.5,"x\n",true,null,{"a":{"a":1}}],"b":{}}"#;
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value(text.as_bytes()), Some(read));
    }

    #[test]
    fn a_member_that_is_repeated_at_any_depth_is_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            r#"[{"a":1,"\u0061":2}]"#,
        ] {
            assert_eq!(value(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_nothing_breaks() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "1e999", "{1:2}", "\"\u{0}\"", &deep] {
            assert_eq!(object(text.as_bytes()), None);
        }
        assert_eq!(object(b"[]"), None);
        assert_eq!(value(&[0xff]), None);
    }
}

//! JSON that passes through, read as far as needed.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads a value.
///
/// # Errors
///
/// Fails with `problem`.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    problem: &'static str,
) -> Result<T, &'static str> {
    serde_json::from_str(raw.get()).map_err(|_| problem)
}

/// Returns a `_meta`, without what is said of the connection with the server: that ends here.
pub(crate) fn meta(raw: Option<&RawValue>) -> Option<String> {
    let meta = raw.filter(|raw| raw.get().starts_with('{'))?;
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(meta.get()).ok()?;
    members.retain(|name, _| !name.starts_with(PROTOCOL));
    let is_left = !members.is_empty();
    is_left
        .then(|| serde_json::to_string(&members).ok())
        .flatten()
}

/// What the names begin with that the protocol gives a meaning to.
const PROTOCOL: &str = "io.modelcontextprotocol/";

#[cfg(test)]
mod tests {
    use super::*;

    fn meta_of(text: &str) -> Option<String> {
        meta(Some(&RawValue::from_string(text.to_owned()).unwrap()))
    }

    #[test]
    fn metadata_pass_but_for_what_is_the_protocols() {
        assert_eq!(meta_of(r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        let mixed = r#"{"io.modelcontextprotocol/serverInfo":{"name":"forged"},"a":[1.50]}"#;
        assert_eq!(meta_of(mixed).as_deref(), Some(r#"{"a":[1.50]}"#));
        let escaped = r#"{"\u0069o.modelcontextprotocol/serverInfo":{}}"#;
        assert_eq!(meta_of(escaped), None);
        for nothing in [
            "{}",
            "null",
            "[]",
            "1",
            r#"{"io.modelcontextprotocol/x":1}"#,
        ] {
            assert_eq!(meta_of(nothing), None, "{nothing}");
        }
    }
}

//! JSON text that passes through the server: validated when it is written, and never reserialized.

use serde::ser::Error as _;
use serde::{Deserialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A component's text that should be JSON, or an object, and is not.
#[derive(Debug, thiserror::Error)]
#[error("a value that cannot be written: {0}")]
pub struct InvalidJson(#[from] serde_json::Error);

/// Serializes `value`.
///
/// # Errors
///
/// Fails if a text in `value` is not the JSON that its field is for.
pub(crate) fn write(value: &impl serde::Serialize) -> Result<String, InvalidJson> {
    Ok(serde_json::to_string(value)?)
}

/// Parses `text` as a JSON object.
///
/// # Errors
///
/// Fails if it is not one.
pub(crate) fn parsed_object(text: Option<&str>) -> Result<Option<&RawValue>, InvalidJson> {
    let Some(text) = text else { return Ok(None) };
    let raw: &RawValue = serde_json::from_str(text)?;
    if !raw.get().starts_with('{') {
        return Err(serde_json::Error::custom("it is not an object").into());
    }
    Ok(Some(raw))
}

/// Serializes `text` as the JSON object that it has to be.
pub(crate) fn object<S: Serializer>(
    text: &Option<impl AsRef<str>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text.as_ref().map(AsRef::as_ref) {
        None => serializer.serialize_none(),
        Some(text) => raw(text, serializer, |raw| raw.starts_with('{'), "an object"),
    }
}

/// Serializes `text` as the JSON value that it has to be.
pub(crate) fn value<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    raw(text, serializer, |_| true, "a JSON value")
}

/// Writes bytes in Base64 (RFC 4648 section 4).
pub(crate) fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use base64::Engine;
    serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn raw<S: Serializer>(
    text: &str,
    serializer: S,
    is_right: impl Fn(&str) -> bool,
    what: &str,
) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if is_right(raw.get()) => serde::Serialize::serialize(raw, serializer),
        _ => Err(S::Error::custom(format_args!("it is not {what}"))),
    }
}

/// A string that is borrowed where it holds no escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

//! Header fields and errors, as both generations of WASI have them.

use super::request::Request;

/// Returns the header fields as WASI has them.
pub(super) fn fields(request: &Request) -> Vec<(String, Vec<u8>)> {
    let fields = request.headers.iter();
    let fields = fields.map(|(name, value)| (name.clone(), value.clone().into_bytes()));
    fields.collect()
}

/// Returns header fields as texts.
pub(super) fn readable(fields: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
        .collect()
}

/// Returns whether the host's error means that the component has no right to call anything.
pub(super) fn is_denied(text: &str) -> bool {
    text.contains("is not permitted")
}

//! Files among the arguments, as text or in base64.

use super::argument_error::ArgumentError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A file of a call.
pub(super) struct File<'a> {
    pub(super) bytes: Vec<u8>,
    pub(super) name: Option<&'a str>,
    pub(super) is_text: bool,
}

impl<'a> File<'a> {
    /// Reads a file. `argument` is its name in messages.
    ///
    /// # Errors
    ///
    /// Fails with [`ArgumentError::File`].
    pub(super) fn read(argument: &str, value: &'a Value) -> Result<Self, ArgumentError> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let name = text("filename");
        match (text("text"), text("base64")) {
            (Some(text), None) => Ok(Self {
                bytes: text.into(),
                name,
                is_text: true,
            }),
            (None, Some(encoded)) => {
                let encoded: String = encoded
                    .chars()
                    .filter(|c| !c.is_ascii_whitespace())
                    .collect();
                let bytes = STANDARD.decode(encoded).ok();
                let bytes = bytes.ok_or_else(|| ArgumentError::File(argument.to_owned()))?;
                Ok(Self {
                    bytes,
                    name,
                    is_text: false,
                })
            }
            _ => Err(ArgumentError::File(argument.to_owned())),
        }
    }
}

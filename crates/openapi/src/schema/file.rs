//! The schema of a file among the arguments.

use super::keywords::{bounded, text};
use crate::input::Content;
use serde_json::{Value, json};

/// Returns a schema with this description, unless it has one.
pub(super) fn described(mut schema: Value, description: Option<&str>) -> Value {
    if let (Value::Object(schema), Some(description)) = (&mut schema, text(description)) {
        schema
            .entry("description")
            .or_insert_with(|| bounded(description, 600).into());
    }
    schema
}

/// Returns the schema of a file, which is written as text or in base64.
pub(super) fn file(content: Content, description: Option<&Value>) -> Value {
    let one = json!({
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "What the file contains, if that is text."},
            "base64": {"type": "string", "contentEncoding": "base64", "description": "What the file contains, in base64."},
            "filename": {"type": "string"},
        },
        "oneOf": [{"required": ["text"]}, {"required": ["base64"]}],
        "additionalProperties": false,
    });
    let schema = match content {
        Content::Files => json!({"type": "array", "items": one}),
        Content::Value | Content::File => one,
    };
    described(schema, description.and_then(Value::as_str))
}

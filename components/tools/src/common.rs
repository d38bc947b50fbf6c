//! What the three tools have in common.

use crate::bindings::contract::{Content, ContentBody, Output, ToolAnnotations};

/// Makes a result of one text.
pub(crate) fn text(text: impl Into<String>) -> Output {
    Output {
        content: vec![Content {
            body: ContentBody::Text(text.into()),
            annotations: None,
            meta: None,
        }],
        structured: None,
        is_error: false,
        meta: None,
    }
}

/// Returns the annotations of all three tools: they read, and change nothing.
pub(crate) fn read_only() -> Option<ToolAnnotations> {
    Some(ToolAnnotations {
        read_only: Some(true),
        destructive: Some(false),
        idempotent: Some(true),
        open_world: Some(false),
    })
}

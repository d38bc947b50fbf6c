//! Outputs and content blocks.

use crate::bindings::contract::{Content, ContentBody, Output};

impl Output {
    /// Makes an output of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            content: vec![Content::text(text)],
            structured: None,
            is_error: false,
            meta: None,
        }
    }

    /// Makes an error for the model to read and mend.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::text(text)
        }
    }
}

impl Content {
    /// Makes a text.
    pub fn text(text: impl Into<String>) -> Self {
        ContentBody::Text(text.into()).into()
    }
}

impl From<ContentBody> for Content {
    fn from(body: ContentBody) -> Self {
        Self {
            body,
            annotations: None,
            meta: None,
        }
    }
}

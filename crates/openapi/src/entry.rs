//! An operation among those of the document.

use http::Method;
use serde_json::Value;
use std::sync::OnceLock;

/// Where an operation is in the document, and its name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Whether the configuration selects it.
    pub(crate) is_offered: bool,
    /// Made once, as each call needs it.
    pub(crate) output_schema: OnceLock<Option<Value>>,
}

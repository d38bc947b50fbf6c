//! A property of a form among the arguments.

use crate::input::Content;
use serde_json::Value;

/// A property of a body, with its value.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    /// The argument that it comes from, for messages.
    pub(super) argument: &'a str,
    pub(super) content: Content,
    pub(super) value: &'a Value,
}

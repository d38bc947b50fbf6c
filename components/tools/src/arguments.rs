//! Reading the arguments of a call.

use crate::bindings::contract::{Call, Failure};
use serde::Deserialize;

/// Returns the arguments of `call`.
///
/// # Errors
///
/// Invalid arguments, in words that let a model mend them. What is wrong in particular was said before,
/// by the check against the tool's schema: a serialization error would name types of this program.
pub(crate) fn read<'a, T: Deserialize<'a>>(call: &'a Call) -> Result<T, Failure> {
    serde_json::from_str(&call.arguments).map_err(|_| {
        Failure::InvalidArguments("the arguments do not fit the tool's inputSchema".to_owned())
    })
}

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoArguments {}

/// The schema of no arguments.
pub(crate) const NO_ARGUMENTS: &str =
    r#"{"type":"object","properties":{},"additionalProperties":false}"#;

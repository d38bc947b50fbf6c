//! Reading the arguments of a call.

use crate::bindings::exports::gatehouse::tools::tools::{Call, Failure};
use serde::Deserialize;

/// The arguments of `call`.
///
/// # Errors
///
/// Invalid arguments, in words that let a model mend them.
pub(crate) fn read<'a, T: Deserialize<'a>>(call: &'a Call) -> Result<T, Failure> {
    serde_json::from_str(&call.arguments).map_err(|error| {
        let text = error.to_string();
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(text, _)| text);
        Failure::InvalidArguments(text.to_owned())
    })
}

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoArguments {}

/// The schema of no arguments.
pub(crate) const NO_ARGUMENTS: &str =
    r#"{"type":"object","properties":{},"additionalProperties":false}"#;

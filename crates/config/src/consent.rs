//! What the consent page may show.

use crate::{Problem, non_empty};

/// Reads `show_logos`: whether a browser fetches a client's logo from the client's host.
pub(crate) fn read_show_logos<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<bool, Problem> {
    match non_empty(values, "show_logos") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::new(
            "show_logos",
            "it is neither true nor false",
            "Set it to true to show the logos of clients on the consent page",
        )),
    }
}

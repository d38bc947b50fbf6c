//! Contents of the consent page: the variable `show_logos`.

use crate::{Problem, read_bool};

/// Reads `show_logos`: whether a browser fetches a client's logo from the client's host.
pub(crate) fn read_show_logos<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<bool, Problem> {
    let remedy = "Set it to true to show the logos of clients on the consent page";
    read_bool(values, "show_logos", false, remedy)
}

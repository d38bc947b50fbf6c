//! The HTTP+SSE transport (MCP 2024-11-05): whether it is offered.

use crate::{Problem, read_bool};

/// The variable of [`read_http_sse`].
pub const HTTP_SSE: &str = "http_sse";

/// Reads `http_sse`: whether the transport HTTP+SSE (2024-11-05) is offered at `/sse`, beside `/mcp`.
///
/// # Errors
///
/// If it is neither true nor false.
pub fn read_http_sse<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<bool, Problem> {
    read_bool(
        values,
        HTTP_SSE,
        true,
        "Set it to false to offer /mcp alone",
    )
}

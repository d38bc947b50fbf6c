//! JSON-RPC error objects (JSON-RPC 2.0 section 5.1).

use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// An error as a JSON-RPC response carries it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence for people and models. No secrets.
    pub message: Cow<'static, str>,
}

/// The codes in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// -32700: the body is not JSON.
    ParseError,
    /// -32600: the JSON is not a message, or not one that may come here.
    InvalidRequest,
    /// -32601: there is no such method.
    MethodNotFound,
    /// -32602: the method's parameters do not fit.
    InvalidParams,
    /// -32603: something failed on our side.
    InternalError,
    /// -32000: the HTTP request around the message was refused.
    Refused,
    /// -32001: the session is unknown or has ended.
    SessionNotFound,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Self::ParseError => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::InternalError => -32603,
            Self::Refused => -32000,
            Self::SessionNotFound => -32001,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl Error {
    /// An error with this code and message.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// There is no such method.
    pub fn method_not_found(method: &str) -> Self {
        Self::new(
            ErrorCode::MethodNotFound,
            format!("There is no method {}.", quoted(method)),
        )
    }

    /// There is no such tool: invalid parameters, as the MCP specification has it.
    pub fn unknown_tool(name: &str) -> Self {
        Self::new(
            ErrorCode::InvalidParams,
            format!("There is no tool {}.", quoted(name)),
        )
    }

    /// The parameters do not fit.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }

    /// Something failed on our side; what it was stays in the log.
    pub fn internal() -> Self {
        Self::new(ErrorCode::InternalError, "The server failed.")
    }
}

/// A name out of a request, fit for a message: bounded, on one line.
fn quoted(name: &str) -> String {
    const LONGEST: usize = 128;
    let shown: String = name
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    let rest = if name.chars().nth(LONGEST).is_some() {
        "…"
    } else {
        ""
    };
    format!("“{shown}{rest}”")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_message_is_bounded_and_on_one_line() {
        let error = Error::unknown_tool(&format!("a\nb{}", "x".repeat(1000)));
        assert!(error.message.chars().count() < 200);
        assert!(!error.message.contains('\n'));
    }
}

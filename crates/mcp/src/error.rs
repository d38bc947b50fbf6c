//! JSON-RPC error objects (JSON-RPC 2.0 section 5.1).

use crate::Revision;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// An error as a JSON-RPC response carries it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// One sentence for people and models. No secrets.
    pub message: Cow<'static, str>,
    /// More, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
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
    /// -32002: there is no such resource; up to 2025-11-25.
    ResourceNotFound,
    /// -32020: a header and the body disagree; from 2026-07-28 on.
    HeaderMismatch,
    /// -32021: the request needs something that the client cannot do; from 2026-07-28 on.
    MissingClientCapability,
    /// -32022: the revision is not spoken here; from 2026-07-28 on.
    UnsupportedProtocolVersion,
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
            Self::ResourceNotFound => -32002,
            Self::HeaderMismatch => -32020,
            Self::MissingClientCapability => -32021,
            Self::UnsupportedProtocolVersion => -32022,
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
            data: None,
        }
    }

    /// This, with more for programs.
    #[must_use]
    pub fn with_data(self, data: Value) -> Self {
        Self {
            data: Some(data),
            ..self
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

    /// There is no such prompt: invalid parameters, as the MCP specification has it.
    pub fn unknown_prompt(name: &str) -> Self {
        Self::new(
            ErrorCode::InvalidParams,
            format!("There is no prompt {}.", quoted(name)),
        )
    }

    /// There is no such resource, as `revision` says it (2025-11-25 and 2026-07-28, Resources, Error
    /// Handling).
    pub fn unknown_resource(uri: &str, revision: Revision) -> Self {
        let code = if revision.is_stateless() {
            ErrorCode::InvalidParams
        } else {
            ErrorCode::ResourceNotFound
        };
        Self::new(code, format!("There is no resource {}.", quoted(uri)))
            .with_data(serde_json::json!({ "uri": uri }))
    }

    /// The client cannot be asked what the request takes: its `capabilities` lack `missing`
    /// (2026-07-28, `MissingRequiredClientCapabilityError`).
    pub fn missing_capabilities(missing: Value, revision: Revision) -> Self {
        const MESSAGE: &str = "The request requires a capability that the client has not declared.";
        if revision.is_stateless() {
            Self::new(ErrorCode::MissingClientCapability, MESSAGE)
                .with_data(serde_json::json!({ "requiredCapabilities": missing }))
        } else {
            Self::new(ErrorCode::InvalidRequest, MESSAGE)
        }
    }

    /// A header does not say what the body says, or is missing (2026-07-28, Streamable HTTP, Server
    /// Validation).
    pub fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::HeaderMismatch, message)
    }

    /// The parameters do not fit.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }

    /// The cursor of a request for a list leads to no page of it.
    pub fn invalid_cursor() -> Self {
        Self::invalid_params("Invalid cursor: begin the list again without one.")
    }

    /// The member `name` is no level of log messages.
    pub(crate) fn unknown_level(name: &str) -> Self {
        Self::invalid_params(format!(
            "`{name}` must be a level of RFC 5424, such as info."
        ))
    }

    /// Something failed on our side; what it was stays in the log.
    pub fn internal() -> Self {
        Self::new(ErrorCode::InternalError, "The server failed.")
    }
}

/// A name out of a request, fit for a message: bounded, on one line.
fn quoted(name: &str) -> String {
    const MAX_NAME_CHARS: usize = 128;
    let shown: String = name
        .chars()
        .take(MAX_NAME_CHARS)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    let rest = if name.chars().nth(MAX_NAME_CHARS).is_some() {
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

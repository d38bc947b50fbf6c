//! The context of a client: what was negotiated (2025-11-25, Lifecycle), and how messages reach it.

use crate::contract::tools::Round;
use mcp::{ClientCapabilities, LogLevel, Revision};

/// The revision, capabilities and session of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientContext {
    pub(crate) revision: Revision,
    pub(crate) capabilities: ClientCapabilities,
    /// The least level of log messages; `None` until the client sets one (2025-11-25, Logging, leaves it
    /// open what is sent before).
    pub(crate) log_level: Option<LogLevel>,
    /// Whether other messages than the response can reach the client.
    pub(crate) may_stream: bool,
    /// The name of its session, if it has one.
    pub(crate) session: Option<String>,
}

impl ClientContext {
    /// Returns the context of a client without a session.
    pub(crate) fn without_session(revision: Revision) -> Self {
        Self {
            revision,
            capabilities: ClientCapabilities::default(),
            log_level: None,
            may_stream: false,
            session: None,
        }
    }

    /// Returns the first round of a request. It has no capabilities if no request can reach the client
    /// meanwhile.
    pub(crate) fn first_round(&self) -> Round {
        if !self.may_stream {
            return Round::default();
        }
        Round {
            capabilities: self.capabilities.known_to(self.revision),
            log_level: self.log_level,
            ..Round::default()
        }
    }
}

//! What was negotiated with a client (2025-11-25, Lifecycle), and how messages reach it.

use crate::contract::tools::Round;
use mcp::{ClientCapabilities, LogLevel, Revision};

/// What was agreed on with a client, and how it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientContext {
    pub(crate) revision: Revision,
    /// What the client can be asked.
    pub(crate) capabilities: ClientCapabilities,
    /// The least level of log messages that it wants, once it has said so (2025-11-25, Logging,
    /// leaves it open what is sent before).
    pub(crate) log_level: Option<LogLevel>,
    /// Whether more than one response can reach it.
    pub(crate) may_stream: bool,
    /// The name of its session, if it has one.
    pub(crate) session: Option<String>,
}

impl ClientContext {
    /// One without a session.
    pub(crate) fn without_session(revision: Revision) -> Self {
        Self {
            revision,
            capabilities: ClientCapabilities::default(),
            log_level: None,
            may_stream: false,
            session: None,
        }
    }

    /// What the first round of a request knows of the client. One that cannot be reached in between
    /// cannot be asked either.
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

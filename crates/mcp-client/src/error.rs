//! Errors of requests to the remote server, in words for the model and the person, and in others for the operator.

use crate::environment::SendError;
use crate::incoming::RpcError;
use http::StatusCode;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot be reached: {0}")]
    Send(#[from] SendError),
    #[error("did not finish in time; the variable timeout says how long a call may take")]
    TimedOut,
    #[error("sent more than the {0} bytes that the variable max_bytes allows")]
    TooLarge(usize),
    #[error("refused the credentials ({0}); the variable credentials says which are sent")]
    Refused(StatusCode),
    #[error(
        "answered with a redirect ({0}), which is not followed: give the address where it leads as the variable url"
    )]
    Redirected(StatusCode),
    #[error("takes no requests now ({0})")]
    Busy(StatusCode),
    #[error("answered with the status {0}; is the variable url the address of its MCP endpoint?")]
    Status(StatusCode),
    #[error("does not speak MCP as it should: {0}")]
    Malformed(&'static str),
    #[error("speaks none of the revisions that this component speaks")]
    NoRevision,
    #[error("returned the error {}: {}", .0.code, .0.message)]
    Rpc(RpcError),
}

impl Error {
    /// Returns whether nothing came in time: the server may still be at work.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Send(SendError::TimedOut))
    }

    /// Returns what the model and the person are told: nothing of addresses or settings, which are the operator's.
    pub(crate) fn for_caller(&self, is_personal: bool) -> String {
        let server = "The MCP server behind this tool";
        match self {
            Self::Rpc(error) => error.message.clone(),
            Self::Send(SendError::TimedOut) | Self::TimedOut => {
                format!("{server} did not answer in time. Whether the call was done is unknown.")
            }
            Self::Send(SendError::Denied(_) | SendError::Unreachable(_)) => {
                format!("{server} cannot be reached now. Try again later.")
            }
            Self::Busy(_) => format!("{server} takes no more requests now. Try again later."),
            Self::Refused(_) if is_personal => {
                format!(
                    "{server} did not accept your token: you may not be allowed to do this there."
                )
            }
            Self::Refused(_) => {
                format!("{server} refused this server. The operator can see why in the log.")
            }
            Self::TooLarge(_) => {
                format!("{server} answered with more than is taken. Ask for less.")
            }
            Self::Redirected(_) | Self::Status(_) | Self::Malformed(_) | Self::NoRevision => {
                format!("{server} failed. The operator can see why in the log.")
            }
        }
    }
}

//! A request that was posted: it is answered, or was not done.

use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::{Exchange, Sent};
use crate::incoming::RpcError;
use crate::wire::{Head, Wire};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use mcp::jsonrpc::Id;
use std::time::Duration;

/// What came of a request.
pub(crate) enum Posted<E: Environment> {
    Response(Exchange<E>),
    Refused(Refused<E>),
}

/// A request that was not done: its response has an error status.
pub(crate) struct Refused<E: Environment> {
    pub(crate) sent: Sent<E>,
    pub(crate) status: StatusCode,
    /// With the id that it came with.
    error: Option<(Option<Id>, RpcError)>,
}

/// Posts a request, of whose response `max_bytes` are taken.
///
/// # Errors
///
/// If there is no response, or one that says the same of every request.
pub(crate) async fn post<E: Environment>(
    wire: &Wire<E>,
    sent: Sent<E>,
    headers: HeaderMap,
    body: Bytes,
    max_bytes: usize,
    deadline: Duration,
) -> Result<Posted<E>, Error> {
    let posted = wire.post(headers, sent.authorization(), body, max_bytes, deadline);
    let head = match posted.await {
        Ok(head) => head,
        Err(error) => {
            // What timed out may still run there, and is cancelled.
            if !error.is_timeout() {
                sent.end();
            }
            return Err(error);
        }
    };
    match head {
        Head::Messages(_, messages) => Ok(Posted::Response(sent.answered(messages, deadline))),
        Head::Failed(status, error) => Ok(Posted::Refused(Refused {
            sent,
            status,
            error,
        })),
        Head::Accepted => {
            sent.end();
            Err(Error::Malformed("a request is not answered"))
        }
    }
}

impl<E: Environment> Refused<E> {
    /// Returns the JSON-RPC error, if there is one.
    pub(crate) fn error(&self) -> Option<&RpcError> {
        self.error.as_ref().map(|(_, error)| error)
    }

    /// Returns whether there is a JSON-RPC error that names this request.
    pub(crate) fn is_answer(&self) -> bool {
        let id = self.error.as_ref().and_then(|(id, _)| id.as_ref());
        id.is_some_and(|id| id.as_json() == self.sent.id().to_string())
    }

    /// Returns why there is no result.
    pub(crate) fn into_error(self) -> Error {
        self.sent.end();
        match self.error {
            Some((_, error)) => Error::Rpc(error),
            None => Error::Status(self.status),
        }
    }
}

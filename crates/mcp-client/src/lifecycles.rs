//! The lifecycle of the remote server (2026-07-28, Versioning, Backward Compatibility).

use crate::discovered::Discovered;
use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::Sent;
use crate::incoming::RpcError;
use crate::json::Items;
use crate::outgoing::Outgoing;
use crate::peer::Peer;
use crate::posted::{Posted, post};
use crate::wire::{MAX_SHORT_BYTES, Wire};
use mcp::{ErrorCode, Lifecycle, Revision};
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What this instance knows of the server's lifecycle.
pub(crate) struct Lifecycles<E> {
    wire: Arc<Wire<E>>,
    found: Mutex<Option<Lifecycle>>,
}

impl<E: Environment> Lifecycles<E> {
    pub(crate) fn new(wire: Arc<Wire<E>>) -> Self {
        Self {
            wire,
            found: Mutex::default(),
        }
    }

    /// Returns the lifecycle, if the operator says which, or it was found out.
    pub(crate) fn known(&self) -> Option<Lifecycle> {
        match self.wire.settings.revision {
            Some(revision) if revision.is_stateless() => Some(Lifecycle::Stateless),
            Some(_) => Some(Lifecycle::Session),
            None => *self.found(),
        }
    }

    /// Finds out the lifecycle: the server is asked a question that only a stateless one knows, and that changes nothing. Returns what
    /// a stateless server says of itself.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, refuses, or has nothing in common with this client.
    pub(crate) async fn find_out(
        &self,
        peer: &Peer,
        deadline: Duration,
    ) -> Result<(Lifecycle, Option<Discovered>), Error> {
        *self.found() = None;
        let sent = Sent::new(&self.wire, None, peer.authorization.as_ref());
        let (headers, body) = Outgoing::discover().stateless(sent.id(), peer);
        let posted = post(&self.wire, sent, headers, body, MAX_SHORT_BYTES, deadline);
        let result = match posted.await? {
            Posted::Response(exchange) => exchange.result().await,
            Posted::Refused(refused) => {
                let is_of_before = refused.status.is_client_error() && refused.error().is_none();
                let error = refused.into_error();
                if is_of_before {
                    return Ok((self.found_to_be(Lifecycle::Session), None));
                }
                Err(error)
            }
        };
        match result.map(|result| Discovered::of_discover(&result)) {
            Ok(Ok((discovered, versions))) => {
                let lifecycle = self.found_to_be(common(&versions)?);
                let is_stateless = lifecycle == Lifecycle::Stateless;
                Ok((lifecycle, is_stateless.then_some(discovered)))
            }
            // It answered another question: one of before.
            Ok(Err(_)) => Ok((self.found_to_be(Lifecycle::Session), None)),
            Err(Error::Rpc(error)) if error.is(ErrorCode::UnsupportedProtocolVersion) => {
                #[derive(Deserialize)]
                struct Data {
                    supported: Items<String>,
                }
                let data: Option<Data> = error.data();
                let supported = data.map(|data| data.supported.first).unwrap_or_default();
                Ok((self.found_to_be(common(&supported)?), None))
            }
            Err(Error::Rpc(error)) if !is_of_stateless(&error) => {
                Ok((self.found_to_be(Lifecycle::Session), None))
            }
            Err(error) => Err(error),
        }
    }

    fn found_to_be(&self, lifecycle: Lifecycle) -> Lifecycle {
        *self.found() = Some(lifecycle);
        lifecycle
    }

    fn found(&self) -> MutexGuard<'_, Option<Lifecycle>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether only stateless servers have this error.
pub(crate) fn is_of_stateless(error: &RpcError) -> bool {
    error.is(ErrorCode::UnsupportedProtocolVersion)
        || error.is(ErrorCode::HeaderMismatch)
        || error.is(ErrorCode::MissingClientCapability)
}

/// Returns whether this error may be one of a server that is not stateless any more.
pub(crate) fn may_be_of_before(error: &RpcError) -> bool {
    error.is(ErrorCode::UnsupportedProtocolVersion) || !is_of_stateless(error)
}

/// Returns the lifecycle that both sides have, stateless if possible.
fn common(versions: &[String]) -> Result<Lifecycle, Error> {
    let known = versions
        .iter()
        .filter_map(|version| Revision::parse(version));
    let newest = known.max().ok_or(Error::NoRevision)?;
    Ok(match newest.is_stateless() {
        true => Lifecycle::Stateless,
        false => Lifecycle::Session,
    })
}

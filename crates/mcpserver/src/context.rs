//! The configuration, store and platform that all parts of a server share.

use crate::Parts;
use mcp::{Envelope, Revision};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use store::Store;

/// The configuration, the store and the platform of one server.
pub(crate) struct Context<P: Parts> {
    pub(crate) config: config::Server,
    pub(crate) store: Store<P::KeyValue>,
    pub(crate) environment: P::Environment,
    /// Of results; `None` before the tools component has said who the server is.
    envelope: RwLock<Option<Envelope>>,
}

impl<P: Parts> AsRef<Store<P::KeyValue>> for Context<P> {
    fn as_ref(&self) -> &Store<P::KeyValue> {
        &self.store
    }
}

impl<P: Parts> Context<P> {
    pub(crate) fn new(
        config: config::Server,
        key_value: P::KeyValue,
        environment: P::Environment,
    ) -> Self {
        Self {
            store: Store::new(key_value, config.key_prefix.clone()),
            config,
            environment,
            envelope: RwLock::default(),
        }
    }

    /// Sets the envelope of all results from now on.
    pub(crate) fn set_envelope(&self, envelope: Envelope) {
        *self
            .envelope
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(envelope);
    }

    /// Returns the envelope of results in `revision`.
    pub(crate) fn envelope(&self, revision: Revision) -> Envelope {
        let envelope = self.envelope.read().unwrap_or_else(PoisonError::into_inner);
        envelope.as_ref().map_or_else(
            || revision.into(),
            |envelope| envelope.in_revision(revision),
        )
    }

    /// Returns how long a call of a tool may take.
    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_secs(self.config.call_timeout)
    }
}

//! The configuration, store and platform that all parts of a server share.

use crate::Parts;
use std::time::Duration;
use store::Store;

/// The configuration, the store and the platform of one server.
pub(crate) struct Context<P: Parts> {
    pub(crate) config: config::Server,
    pub(crate) store: Store<P::KeyValue>,
    pub(crate) environment: P::Environment,
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
        }
    }

    /// Returns how long a call of a tool may take.
    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_secs(self.config.call_timeout)
    }
}

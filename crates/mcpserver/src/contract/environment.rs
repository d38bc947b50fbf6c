//! The contract with the platform: clock, timers, randomness and tasks.

use crate::{IdentityProvider, ToolProvider};
use rand::rngs::StdRng;
use std::time::Duration;
use store::KeyValue;

/// The parts of one server.
pub trait Parts: Send + Sync + 'static {
    /// The backend of the store.
    type KeyValue: KeyValue + 'static;
    /// The identity provider.
    type Identity: IdentityProvider;
    /// The tools component.
    type Tools: ToolProvider;
    /// Clock, sleep, randomness, spawned work.
    type Environment: Environment;
}

/// Clock, sleep, randomness and spawned work.
pub trait Environment: Send + Sync + 'static {
    /// Returns the seconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Returns the time since a fixed moment. It never decreases.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Runs `work` concurrently with the current request, and after it.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static);

    /// Returns a cryptographic random generator.
    fn random(&self) -> StdRng;
}

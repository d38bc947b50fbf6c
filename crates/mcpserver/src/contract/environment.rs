//! The contract with the platform: clock, timers, randomness, tasks and the log.

use crate::{IdentityProvider, ToolProvider};
use rand::rngs::StdRng;
use std::time::Duration;
use store::KeyValue;

/// The parts of one server.
pub trait Parts: Send + Sync + 'static {
    /// Where records lie.
    type KeyValue: KeyValue + 'static;
    /// Where people sign in.
    type Identity: IdentityProvider;
    /// What is called.
    type Tools: ToolProvider;
    /// Clock, sleep, randomness, spawned work.
    type Environment: Environment;
}

/// Clock, sleep, randomness, spawned work, and the operator's log.
pub trait Environment: Send + Sync + 'static {
    /// Seconds since the Unix epoch.
    fn now(&self) -> u64;

    /// The time since some fixed moment; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Lets `work` go on beside, and after, the request that began it.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static);

    /// A source of secrets.
    fn random(&self) -> StdRng;

    /// Tells the operator. No secrets.
    fn log(&self, line: &str);
}

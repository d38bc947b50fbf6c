//! Clock, sleep, randomness and spawned work of the platform.

use mcpserver::Environment;
use rand::rngs::StdRng;
use std::time::Duration;

/// The platform.
pub(crate) struct Platform;

impl Environment for Platform {
    fn now(&self) -> u64 {
        platform::time::now()
    }

    fn elapsed(&self) -> Duration {
        platform::time::elapsed()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        platform::time::sleep(duration)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        platform::spawn(work);
    }

    fn random(&self) -> StdRng {
        rand::make_rng()
    }
}

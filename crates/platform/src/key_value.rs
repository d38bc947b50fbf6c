//! Spin's key-value store behind the [`store::KeyValue`] contract.

#[cfg(portable)]
use crate::wasi2::clock::monotonic;
#[cfg(portable)]
pub use crate::wasi2::key_value::DefaultStore;
#[cfg(not(portable))]
use crate::wasi3::clock::monotonic;
#[cfg(not(portable))]
pub use crate::wasi3::key_value::DefaultStore;

use std::time::Duration;
use store::{Clock, Deadlined};

/// The component's default store. Each call has a deadline.
pub type SpinKeyValue = Deadlined<DefaultStore, PlatformClock>;

/// The monotonic clock.
#[derive(Default)]
pub struct PlatformClock;

impl Clock for PlatformClock {
    fn now(&self) -> u64 {
        monotonic() / 1_000_000
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        crate::time::sleep(duration)
    }
}

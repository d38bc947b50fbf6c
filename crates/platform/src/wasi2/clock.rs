//! The monotonic clock, and waiting.

use super::bindings::wasi::clocks::monotonic_clock::{now, subscribe_duration};
use super::tasks::Subscription;
use std::time::Duration;

/// Returns nanoseconds since some moment.
pub(crate) fn monotonic() -> u64 {
    now()
}

/// Waits for this long, from the first poll on.
pub async fn sleep(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Subscription::new(subscribe_duration(nanoseconds))
        .ready()
        .await;
}

//! The clock, and waiting.

#![allow(
    clippy::disallowed_methods,
    reason = "the other crates get their time from here"
)]

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[cfg(feature = "portable")]
pub use crate::wasi2::clock::sleep;
#[cfg(not(feature = "portable"))]
pub use crate::wasi3::clock::sleep;

/// Seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// The time since this instance first asked; it never goes back.
pub fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Waits for `future`, but no longer than `limit`; `None` when the time ran out first.
///
/// The future is dropped then, which cancels what it was waiting for.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let future = std::pin::pin!(future);
    let limit = std::pin::pin!(sleep(limit));
    match futures::future::select(future, limit).await {
        futures::future::Either::Left((output, _)) => Some(output),
        futures::future::Either::Right(((), _)) => None,
    }
}

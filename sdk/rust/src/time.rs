//! Waiting.

use std::time::Duration;

/// Waits for this long. On hosts of WASI 0.3, other calls of the instance go on meanwhile.
#[allow(
    clippy::unused_async,
    reason = "in a unit test, it blocks: there is one call"
)]
pub async fn sleep(duration: Duration) {
    #[cfg(target_arch = "wasm32")]
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    #[cfg(all(target_arch = "wasm32", not(feature = "portable")))]
    wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
    #[cfg(all(target_arch = "wasm32", feature = "portable"))]
    {
        use crate::platform_portable::wasi::clocks::monotonic_clock::subscribe_duration;
        crate::executor::ready(subscribe_duration(nanoseconds)).await;
    }
    #[cfg(not(target_arch = "wasm32"))]
    std::thread::sleep(duration);
}

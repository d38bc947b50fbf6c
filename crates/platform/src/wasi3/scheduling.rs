//! The thread of the host that runs this instance.
//!
//! Spin reads its SQLite store, and variables from the environment, where it is: the thread hands its scheduler to another
//! one for as long as that takes, and has none when it goes on. A response that is given then reaches the connection, on the
//! other thread, before its body does: the head leaves in a segment of its own, and the body waits for the acknowledgement
//! of that, which takes a client 40 ms (Nagle's algorithm and delayed acknowledgement; Spin sets no TCP_NODELAY). Once
//! the instance has yielded to the host, which costs microseconds, it goes on where there is a scheduler.

use spin_sdk::wit_bindgen::yield_async;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often an instance yields: executors in between poll a future that has woken itself once more before they let go.
const YIELDS: usize = 4;

static HAS_BLOCKED: AtomicBool = AtomicBool::new(false);

/// Notes that the host may have blocked the thread of this instance, so that the next response does not leave in two parts.
/// For calls of other components: what this crate does is noted by itself.
pub fn note_blocking() {
    HAS_BLOCKED.store(true, Ordering::Relaxed);
}

/// Yields to the host if it may have blocked the thread since the last time.
pub(crate) async fn yield_after_blocking() {
    if HAS_BLOCKED.swap(false, Ordering::Relaxed) {
        for _ in 0..YIELDS {
            yield_async().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn an_instance_yields_after_the_host_may_have_blocked_and_then_no_more() {
        let polls = || {
            let mut yielding = std::pin::pin!(yield_after_blocking());
            let pending =
                std::iter::from_fn(|| yielding.as_mut().now_or_never().is_none().then_some(()));
            pending.count()
        };
        assert_eq!(polls(), 0);
        note_blocking();
        note_blocking();
        assert_eq!(polls(), YIELDS);
        assert_eq!(polls(), 0);
    }
}

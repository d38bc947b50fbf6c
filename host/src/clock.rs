//! The time of day that components read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use wasmtime_wasi::{HostWallClock, clocks::WallClock};

/// A clock that can be put forward, so that what ends with time ends without a wait. A clone is the same clock, whichever
/// hosts it is given to. Waiting takes as long as ever.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// The machine's own time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts it forward by so many seconds.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// How many seconds it is ahead of the machine's.
    pub fn ahead(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        WallClock::new().resolution()
    }

    fn now(&self) -> Duration {
        WallClock::new().now() + Duration::from_secs(self.ahead())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_put_forward_is_ahead_wherever_it_is_read() {
        let clock = Clock::new();
        let read_elsewhere = clock.clone();
        clock.advance(600);
        clock.advance(30);
        assert_eq!(read_elsewhere.ahead(), 630);
        let machine = WallClock::new().now();
        assert!(HostWallClock::now(&read_elsewhere) >= machine + Duration::from_secs(630));
    }
}

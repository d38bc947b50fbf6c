//! Intervals of streams: reads of the store, keep-alives, heartbeats and reconnections.

use std::time::Duration;

/// Silence after which a stream sends a comment, so that no proxy closes it.
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Time between two writes to the store that a session or stream is alive.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(60);

/// Milliseconds after which a client reconnects to a stream that was closed (the SSE field `retry`).
pub(crate) const RETRY_MILLISECONDS: u32 = 500;

/// Returns how long to wait before the next read of the store, `idle` being the time since there was
/// something to read.
///
/// A busy session is served within milliseconds. An idle one costs at most one read a second, heartbeats and its grant
/// included.
pub(crate) fn pace(idle: Duration) -> Duration {
    match idle.as_millis() {
        0..250 => Duration::from_millis(5),
        250..2_000 => Duration::from_millis(15),
        2_000..10_000 => Duration::from_millis(100),
        10_000..30_000 => Duration::from_millis(500),
        _ => Duration::from_millis(1_050),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_session_costs_less_than_a_look_a_second() {
        assert_eq!(pace(Duration::ZERO), Duration::from_millis(5));
        assert!(pace(Duration::from_secs(1)) <= Duration::from_millis(20));
        assert!(pace(Duration::from_secs(60)) > Duration::from_secs(1));
    }
}

//! Intervals of polling, where a request waits for what another one writes, maybe at another instance.

use std::time::Duration;

const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(50);

const MAX_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The time that a request waits for what another one wrote in another region a moment ago.
pub const MAX_LAG_WAIT: Duration = Duration::from_secs(5);

/// Returns intervals to poll at, which grow, until they come to `limit`.
pub fn poll_intervals(limit: Duration) -> impl Iterator<Item = Duration> {
    let mut waited = Duration::ZERO;
    std::iter::successors(Some(FIRST_POLL_INTERVAL), |interval| {
        Some((*interval * 2).min(MAX_POLL_INTERVAL))
    })
    .take_while(move |interval| {
        waited += *interval;
        waited <= limit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_grow_and_come_to_the_limit_at_most() {
        let intervals: Vec<_> = poll_intervals(MAX_LAG_WAIT).collect();
        assert!(intervals.is_sorted());
        let sum = intervals.iter().sum::<Duration>();
        assert!(sum <= MAX_LAG_WAIT && sum + MAX_POLL_INTERVAL > MAX_LAG_WAIT);
        assert_eq!(intervals.first(), Some(&FIRST_POLL_INTERVAL));
        assert_eq!(intervals.last(), Some(&MAX_POLL_INTERVAL));
    }
}

//! Rates: so many events in each period of a clock.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A number of events that each period allows. Periods begin where the time is a multiple of them.
#[derive(Debug)]
pub(crate) struct Rate {
    most: u32,
    period: Duration,
    /// The period that was counted last, by its number, and its events.
    counted: Mutex<(u128, u32)>,
}

impl Rate {
    pub(crate) fn new(most: u32, period: Duration) -> Self {
        Self {
            most,
            period,
            counted: Mutex::new((0, 0)),
        }
    }

    /// Counts so many events at the time `now`. Returns whether they are allowed; those that are not do not count.
    pub(crate) fn take(&self, events: usize, now: Duration) -> bool {
        let period = now.as_nanos() / self.period.as_nanos().max(1);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != period {
            *counted = (period, 0);
        }
        let sum = u32::try_from(events)
            .ok()
            .and_then(|events| counted.1.checked_add(events));
        match sum {
            Some(sum) if sum <= self.most => {
                counted.1 = sum;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_allows_so_many_events_and_the_next_one_as_many_again() {
        let rate = Rate::new(3, Duration::from_secs(1));
        let at = Duration::from_millis;
        assert!(rate.take(2, at(5_000)));
        assert!(!rate.take(2, at(5_500)));
        assert!(rate.take(1, at(5_999)));
        assert!(!rate.take(1, at(5_999)));
        assert!(rate.take(3, at(6_000)));
        assert!(!rate.take(usize::MAX, at(7_000)));
    }
}

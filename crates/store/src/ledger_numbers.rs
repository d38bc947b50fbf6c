//! Numbers of ledger lines that a store has taken and not used yet.
//!
//! A number costs a write of the ledger's counter. A store that writes many lines of one hour takes several numbers
//! with one write: one at first, then twice as many as the last time. An instance that writes a single line wastes none, and at
//! most about half of the numbers of an hour have no line, each of which costs the sweep a read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Numbers that are taken with one write at most.
const MAX_TAKEN: i64 = 16;

/// Ledgers whose numbers are held.
const MAX_HOURS: usize = 16;

/// The unused numbers of each ledger, by the hour.
#[derive(Default)]
pub(crate) struct LedgerNumbers(Mutex<BTreeMap<u64, Numbers>>);

struct Numbers {
    /// The next number to use.
    next: i64,
    /// The last number that was taken.
    last: i64,
    /// How many were taken with it.
    taken: i64,
}

impl LedgerNumbers {
    /// Returns the next number of the ledger of `hour`, or how many are to be taken.
    pub(crate) fn next(&self, hour: u64) -> Result<i64, i64> {
        let mut ledgers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(numbers) = ledgers.get_mut(&hour) else {
            return Err(1);
        };
        if numbers.next > numbers.last {
            return Err((numbers.taken * 2).min(MAX_TAKEN));
        }
        numbers.next += 1;
        Ok(numbers.next - 1)
    }

    /// Returns the first of the numbers that were `taken` for the ledger of `hour`, whose counter is `last` now, and holds
    /// the others.
    pub(crate) fn hold(&self, hour: u64, last: i64, taken: i64) -> i64 {
        let first = last - taken + 1;
        let mut ledgers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ledgers.len() >= MAX_HOURS && !ledgers.contains_key(&hour) {
            ledgers.pop_first();
        }
        let next = first + 1;
        ledgers.insert(hour, Numbers { next, last, taken });
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_numbers_are_taken_each_time_and_each_is_given_once() {
        let numbers = LedgerNumbers::default();
        let (mut counter, mut writes) = (0, Vec::new());
        for expected in 1..=60 {
            let number = numbers.next(5).unwrap_or_else(|taken| {
                counter += taken;
                writes.push(taken);
                numbers.hold(5, counter, taken)
            });
            assert_eq!(number, expected);
        }
        assert_eq!(writes, [1, 2, 4, 8, 16, 16, 16]);
        assert_eq!(numbers.next(6), Err(1), "each hour has numbers of its own");
    }

    #[test]
    fn the_numbers_of_a_bounded_number_of_hours_are_held() {
        let numbers = LedgerNumbers::default();
        for hour in 0..100 {
            assert_eq!(numbers.hold(hour, 2, 2), 1);
        }
        let held = (0..100).filter(|hour| numbers.next(*hour) == Ok(2));
        assert_eq!(held.count(), MAX_HOURS);
    }
}

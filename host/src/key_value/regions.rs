//! A store of several regions: what one of them writes, the others see after a lag.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// The region that a request is served in. Requests that name none share one.
pub(crate) type Region = Arc<str>;

/// A write that some region may not see yet.
struct Write {
    at: Duration,
    region: Region,
    /// The value that it replaced.
    before: Option<Vec<u8>>,
}

/// The latest writes of each key, in their order.
#[derive(Default)]
pub(super) struct Writes(HashMap<String, VecDeque<Write>>);

impl Writes {
    /// Notes a write at the time `now`, before it is done. `lag` is how long notes are of use.
    pub(super) fn note(
        &mut self,
        key: &str,
        before: Option<Vec<u8>>,
        region: &Region,
        now: Duration,
        lag: Duration,
    ) {
        self.0.retain(|_, writes| {
            while writes.front().is_some_and(|write| write.at + lag <= now) {
                writes.pop_front();
            }
            !writes.is_empty()
        });
        self.0.entry(key.to_owned()).or_default().push_back(Write {
            at: now,
            region: region.clone(),
            before,
        });
    }

    /// Returns the value that `region` sees at the time `now`, where `latest` is the key's value: that of the latest write that is
    /// its own or older than the lag.
    pub(super) fn seen(
        &self,
        key: &str,
        latest: Option<Vec<u8>>,
        region: &Region,
        now: Duration,
        lag: Duration,
    ) -> Option<Vec<u8>> {
        let mut value = latest;
        for write in self.0.get(key).into_iter().flatten().rev() {
            if write.region == *region || write.at + lag <= now {
                break;
            }
            value.clone_from(&write.before);
        }
        value
    }

    /// The keys with notes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn text(value: &str) -> Option<Vec<u8>> {
        Some(value.as_bytes().to_vec())
    }

    #[test]
    fn a_write_is_seen_at_once_in_its_region_and_after_the_lag_in_others() {
        let (one, two): (Region, Region) = ("one".into(), "two".into());
        let mut writes = Writes::default();
        writes.note("a", None, &one, at(10), LAG);
        let seen = |region: &Region, now| writes.seen("a", text("1"), region, at(now), LAG);
        assert_eq!(seen(&one, 10), text("1"));
        assert_eq!(seen(&two, 14), None);
        assert_eq!(seen(&two, 15), text("1"));
    }

    #[test]
    fn the_last_write_that_can_be_seen_counts() {
        let (one, two): (Region, Region) = ("one".into(), "two".into());
        let mut writes = Writes::default();
        writes.note("a", text("0"), &one, at(10), LAG);
        writes.note("a", text("1"), &two, at(11), LAG);
        writes.note("a", text("2"), &one, at(12), LAG);
        let seen = |region: &Region, now| writes.seen("a", text("3"), region, at(now), LAG);
        assert_eq!(seen(&one, 12), text("3"));
        assert_eq!(seen(&two, 12), text("2"));
        let third: Region = "third".into();
        assert_eq!(seen(&third, 12), text("0"));
        assert_eq!(seen(&third, 15), text("1"));
        assert_eq!(seen(&third, 16), text("2"));
        assert_eq!(seen(&third, 17), text("3"));
    }

    #[test]
    fn notes_older_than_the_lag_are_dropped() {
        let one: Region = "one".into();
        let mut writes = Writes::default();
        writes.note("a", None, &one, at(10), LAG);
        writes.note("b", None, &one, at(15), LAG);
        assert_eq!(writes.keys().collect::<Vec<_>>(), ["b"]);
    }
}

//! The limits of a person's grants: how many they begin in an hour, and how many of one client they have at a time.
//!
//! Both are found in the person's index, which is read before a grant begins. The slot of a grant says when it began, and
//! stays for the rest of that hour though the grant ends, so that a grant that has ended still counts.

use crate::index_slots::{Slot, Span, slot_id};
use crate::{Grant, Grants};
use store::KeyValue;

/// Active grants of one client and one person: one for every installation in use. The next one ends the
/// oldest.
pub const MAX_GRANTS_PER_CLIENT: usize = 20;

/// Grants that one person may begin in an hour.
pub const MAX_GRANTS_PER_HOUR: u64 = 60;

/// Grants that one sign-in ends. There can be more only from before the limit existed, or where sign-ins race.
const MAX_ENDED_AT_ONCE: usize = 8;

/// Slots that are read for these limits when a grant begins.
const MAX_COUNTED: u64 = 500;

const HOUR: u64 = 3600;

/// Returns the end of the hour of `now` if a grant that began at `created_at` counts until then (all in seconds since the
/// Unix epoch).
pub(crate) fn counts_until(created_at: u64, now: u64) -> Option<u64> {
    (created_at / HOUR == now / HOUR).then_some((now / HOUR + 1) * HOUR)
}

/// What a person's index says before a grant begins.
#[derive(Default)]
pub(crate) struct Standing {
    /// Grants that began in this hour, ended ones included.
    begun: u64,
    /// The last number that the index had given.
    last: u64,
    /// The oldest grants of the client beyond the limit, the new grant included.
    pub(crate) replaced: Vec<String>,
}

impl Standing {
    /// Returns whether a grant may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room_for(self.last + 1)
    }

    /// Returns whether the grant that got this `number` may begin: grants that began meanwhile have the numbers before it.
    pub(crate) fn has_room_for(&self, number: u64) -> bool {
        self.begun + number.saturating_sub(self.last) <= MAX_GRANTS_PER_HOUR
    }
}

impl<K: KeyValue> Grants<'_, K> {
    /// Returns what the index of its person says about a grant that is to begin. Reads at most [`MAX_COUNTED`] slots, so
    /// older grants are not counted, and no more than it takes to find that the person has begun too many.
    pub(crate) async fn standing(&self, grant: &Grant) -> Result<Standing, store::Error> {
        let (subject, now) = (&grant.profile.subject, grant.created_at);
        let span = Span::of(subject);
        let mut standing = Standing::default();
        let (mut looked_at, mut found) = (0, 0);
        'index: for (position, period) in span.periods(now).enumerate() {
            for (key, tag) in self.index_slots().tags(subject, period).iter().enumerate() {
                let last = self.index_slots().last(tag).await?;
                if (position, key) == (0, 0) {
                    standing.last = last;
                }
                for number in (1..=last).rev() {
                    if looked_at == MAX_COUNTED || !standing.has_room() {
                        break 'index;
                    }
                    looked_at += 1;
                    let slot = slot_id(tag, number);
                    // What cannot be read must not keep its owner from signing in.
                    let Some(Slot { grant: id, at }) =
                        readable(self.store.get::<Slot>(&slot, now).await)?
                    else {
                        continue;
                    };
                    standing.begun += u64::from(at.is_some_and(|at| at / HOUR == now / HOUR));
                    let Some(other) = readable(self.find(&id, now).await)? else {
                        continue;
                    };
                    if other.client_id == grant.client_id && other.profile.subject == *subject {
                        found += 1;
                        if found >= MAX_GRANTS_PER_CLIENT {
                            standing.replaced.push(id);
                        }
                    }
                }
            }
        }
        // The oldest first.
        standing.replaced.reverse();
        standing.replaced.truncate(MAX_ENDED_AT_ONCE);
        Ok(standing)
    }
}

fn readable<T>(found: Result<Option<T>, store::Error>) -> Result<Option<T>, store::Error> {
    match found {
        Err(store::Error::Unreadable(_)) => Ok(None),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_that_begin_at_once_count_by_their_numbers() {
        let standing = Standing {
            begun: MAX_GRANTS_PER_HOUR - 2,
            last: 700,
            replaced: Vec::new(),
        };
        let may_begin = [701, 702, 703].map(|number| standing.has_room_for(number));
        assert_eq!(may_begin, [true, true, false]);
        assert!(standing.has_room());
        // A number that was put back, on a store without atomics.
        assert!(standing.has_room_for(3));
    }

    #[test]
    fn a_grant_counts_until_the_end_of_the_hour_in_which_it_began() {
        assert_eq!(counts_until(HOUR, HOUR), Some(2 * HOUR));
        assert_eq!(counts_until(HOUR, 2 * HOUR - 1), Some(2 * HOUR));
        assert_eq!(counts_until(HOUR, 2 * HOUR), None);
    }
}

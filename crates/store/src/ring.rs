//! Rings: numbered messages in a fixed number of slots of the store.
//!
//! Requests of one session may meet different instances, so messages between them travel through the store.
//! Every message has a number, and its slot is the number modulo the size of the ring, so that a ring never
//! takes more keys than it has slots. A message that is larger than a slot is split into parts, each with a
//! number of its own. The caller seals the text of a part; the rest of a slot is plain.
//!
//! A ring has one of three disciplines, and the same slots for all of them:
//!
//! - Writers that wait until the reader has emptied a slot ([`Ring::is_free`], [`Reader::consuming`]).
//! - Writers that overwrite. A reader that is too slow learns that it lost messages ([`Read::Lost`]).
//! - One writer that counts by itself, or several that share a counter ([`Ring::reserve`]).
//!
//! A writer may end between taking a number and writing its slot. A reader of a ring with several writers
//! therefore looks ahead now and then, and passes over the gap ([`Reader::passing_gaps`]).

use crate::key_value::Expiry;
use crate::{Error, KeyValue, MAX_SEALED_BYTES, ReadAhead, Record, Store};
use serde::{Deserialize, Serialize};

/// A ring in the store.
pub struct Ring<'a, K> {
    backend: &'a K,
    /// What the keys of the slots begin with.
    prefix: String,
    /// The index of the first slot.
    first: u64,
    size: u64,
    /// The key of the counter of numbers, if there is one.
    counter: Option<String>,
    /// When what is written now expires, where the backend removes it by itself (seconds since the Unix
    /// epoch).
    until: Option<u64>,
}

/// A part of a message, on its way into a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'m> {
    /// The number of the part.
    pub number: u64,
    /// The text to seal.
    pub bytes: &'m [u8],
    part: u32,
    parts: u32,
    is_last: bool,
}

/// The stored form of a part.
#[derive(Serialize, Deserialize)]
struct Slot {
    number: u64,
    /// Counted from 0.
    #[serde(default)]
    part: u32,
    #[serde(default = "one")]
    parts: u32,
    /// Whether the message is the last one of the ring.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_last: bool,
    sealed: String,
}

fn one() -> u32 {
    1
}

/// The result of a look into a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// There is nothing to read yet.
    Nothing,
    /// Something was read that completes no message. There may be more at once.
    Part,
    /// A message.
    Message(Message),
    /// Messages were lost: the ring was overwritten, a writer ended before it wrote, or a part cannot be
    /// opened.
    Lost {
        /// Whether the last message of the ring is among them.
        is_last: bool,
    },
}

/// A message out of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number of its last part.
    pub number: u64,
    /// The opened parts, one after the other.
    pub bytes: Vec<u8>,
    /// Whether it is the last message of the ring.
    pub is_last: bool,
}

/// Opens the sealed text of the part with this number; `None` if it was sealed for something else.
pub type Open<'f> = &'f (dyn Fn(u64, &str) -> Option<Vec<u8>> + Sync);

/// Returns the number of parts of a message of so many bytes.
pub fn part_count(bytes: usize) -> u64 {
    bytes.div_ceil(MAX_SEALED_BYTES).max(1) as u64
}

/// Splits a message whose first part has the number `first`.
pub fn split(first: u64, message: &[u8], is_last: bool) -> impl Iterator<Item = Part<'_>> {
    let parts = part_count(message.len()) as u32;
    (0..parts).map(move |part| {
        let start = part as usize * MAX_SEALED_BYTES;
        let end = message.len().min(start + MAX_SEALED_BYTES);
        Part {
            number: first + u64::from(part),
            bytes: &message[start..end],
            part,
            parts,
            is_last,
        }
    })
}

impl<'a, K: KeyValue> Ring<'a, K> {
    /// Returns the ring in the slots 0 to `size - 1` of the record with this id, without a counter: its one
    /// writer counts. The slots expire with the record, which has to have them
    /// ([`Store::create_with_slots`]).
    pub fn of_record<R: Record>(store: &'a Store<K>, id: &str, size: u32) -> Self {
        Self {
            backend: store.backend(),
            prefix: format!("{}.", store.key(R::KIND, id)),
            first: 0,
            size: size.into(),
            counter: None,
            until: None,
        }
    }

    /// Makes what is written expire at `until` (seconds since the Unix epoch) where the backend removes expired
    /// keys by itself. Elsewhere the slots of a record expire with it.
    #[must_use]
    pub fn until(self, until: u64) -> Self {
        Self {
            until: Some(until),
            ..self
        }
    }

    /// Prolongs the counter where the backend removes expired keys by itself: a ring whose counter began again
    /// would lose messages. Elsewhere it expires with its record.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn keep_counter(&self) -> Result<(), Error> {
        match &self.counter {
            Some(counter) if self.backend.capabilities().expiry == Expiry::Backend => {
                self.backend.increment(counter, 0, self.until).await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the ring in the slots 1 to `size` of the record with this id. Its counter is the slot 0.
    pub fn of_record_with_counter<R: Record>(store: &'a Store<K>, id: &str, size: u32) -> Self {
        Self {
            first: 1,
            counter: Some(store.slot_key::<R>(id, 0)),
            ..Self::of_record::<R>(store, id, size)
        }
    }

    /// Returns the ring of this kind, which never expires: `<kind>:0` and so on, and the counter
    /// `<kind>:last`.
    pub fn of_kind(store: &'a Store<K>, kind: &str, size: u32) -> Self {
        Self {
            backend: store.backend(),
            prefix: store.key(kind, ""),
            first: 0,
            size: size.into(),
            counter: Some(store.key(kind, "last")),
            until: None,
        }
    }

    /// Takes the numbers of so many parts, and returns the first. No other caller gets one of them;
    /// on a store without atomics, callers that race may, and one of their messages is lost.
    ///
    /// # Errors
    ///
    /// Fails if the backend does, and the numbers may then be lost, or if the ring has no counter.
    pub async fn reserve(&self, parts: u64) -> Result<u64, Error> {
        let unreadable = || Error::Unreadable(self.prefix.clone());
        let counter = self.counter.as_ref().ok_or_else(unreadable)?;
        let count = i64::try_from(parts).map_err(|_| unreadable())?;
        let last = self.backend.increment(counter, count, self.until).await?;
        u64::try_from(last - count + 1).map_err(|_| unreadable())
    }

    /// Returns the last number that was taken; 0 if none was.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn last(&self) -> Result<u64, Error> {
        let Some(counter) = &self.counter else {
            return Ok(0);
        };
        let last = self.backend.counted(counter).await?;
        Ok(u64::try_from(last.unwrap_or(0)).unwrap_or(0))
    }

    /// Returns whether the slot of a number is empty.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn is_free(&self, number: u64) -> Result<bool, Error> {
        Ok(!self.backend.exists(&self.key(number)).await?)
    }

    /// Writes a part, whose text the caller has sealed for its number, over what its slot holds.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn write(&self, part: &Part<'_>, sealed: String) -> Result<(), Error> {
        let key = self.key(part.number);
        let slot = Slot {
            number: part.number,
            part: part.part,
            parts: part.parts,
            is_last: part.is_last,
            sealed,
        };
        let bytes = serde_json::to_vec(&slot).map_err(|_| Error::Unreadable(key.clone()))?;
        self.backend.set(&key, &bytes, self.until).await
    }

    /// Returns what the slot of a number holds. A slot of another version counts as empty.
    async fn slot(&self, number: u64, ahead: &mut ReadAhead) -> Result<Option<Slot>, Error> {
        let bytes = ahead.get(self.backend, &self.key(number)).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn clear(&self, number: u64) -> Result<(), Error> {
        self.backend.delete(&self.key(number)).await
    }

    fn key(&self, number: u64) -> String {
        format!("{}{}", self.prefix, self.first + number % self.size)
    }
}

/// The reader of a ring: the messages in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The number to read next.
    next: u64,
    /// The parts of a message that is not complete.
    parts: Vec<u8>,
    /// How many parts of it are missing.
    missing: u64,
    /// Looks since the last part.
    looks: u64,
    /// Since when a later number is known to be there (seconds since the Unix epoch).
    gap_since: Option<u64>,
    is_consuming: bool,
    /// The largest number of lost parts in a row that is noticed.
    max_gap: u64,
    gap_seconds: u64,
}

/// Every so many looks one is ahead, at a number behind a gap.
const LOOKS_PER_LOOK_AHEAD: u64 = 5;

impl Reader {
    /// Returns a reader that begins with the number `next`.
    pub fn new(next: u64) -> Self {
        Self {
            next,
            parts: Vec::new(),
            missing: 0,
            looks: 0,
            gap_since: None,
            is_consuming: false,
            max_gap: 0,
            gap_seconds: 0,
        }
    }

    /// Makes the reader empty the slots that it reads. A ring has one such reader.
    #[must_use]
    pub fn consuming(self) -> Self {
        Self {
            is_consuming: true,
            ..self
        }
    }

    /// Makes the reader pass over up to `max_gap` numbers in a row whose writers have not written them
    /// `seconds` after a later number was seen.
    #[must_use]
    pub fn passing_gaps(self, max_gap: u64, seconds: u64) -> Self {
        Self {
            max_gap,
            gap_seconds: seconds,
            ..self
        }
    }

    /// The number to read next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Goes on with the number `next`, later or earlier.
    pub fn go_to(&mut self, next: u64) {
        self.next = next;
        self.looks = 0;
        self.gap_since = None;
        self.drop_parts();
    }

    /// Returns the key that the next look reads first, for a [`ReadAhead`]; `None` if it may read none or several.
    pub fn next_key<K: KeyValue>(&self, ring: &Ring<'_, K>) -> Option<String> {
        let looks = self.looks + 1;
        let number = match self.is_behind_a_gap(looks) {
            false => Some(self.next),
            true if self.gap_since.is_some() => None,
            true => Some(self.next + self.distance(looks)),
        };
        number.map(|number| ring.key(number))
    }

    /// Looks once, at `now` (seconds since the Unix epoch): one read of the store if there is nothing, or none if
    /// [`next_key`](Self::next_key) was read `ahead`. `open` opens the parts.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. The next look is at the same number.
    pub async fn read<K: KeyValue>(
        &mut self,
        ring: &Ring<'_, K>,
        open: Open<'_>,
        now: u64,
        ahead: &mut ReadAhead,
    ) -> Result<Read, Error> {
        self.looks += 1;
        if self.is_behind_a_gap(self.looks) {
            return self.look_behind_a_gap(ring, now, ahead).await;
        }
        let Some(slot) = ring.slot(self.next, ahead).await? else {
            return Ok(Read::Nothing);
        };
        if slot.number < self.next {
            if !self.is_consuming {
                return Ok(Read::Nothing);
            }
            // It was written after it was passed over, and keeps a slot.
            ring.clear(self.next).await?;
            return Ok(Read::Part);
        }
        if slot.number > self.next {
            // The ring was overwritten. What it holds now begins behind this slot.
            self.go_to((slot.number + 1).saturating_sub(ring.size));
            return Ok(Read::Lost { is_last: false });
        }
        if self.is_consuming {
            ring.clear(self.next).await?;
        }
        self.next += 1;
        self.looks = 0;
        self.gap_since = None;
        Ok(self.take(slot, open))
    }

    fn take(&mut self, slot: Slot, open: Open<'_>) -> Read {
        let left = u64::from(slot.parts.saturating_sub(slot.part + 1));
        let continues = slot.part == 0 || self.missing == left + 1;
        let Some(bytes) = open(slot.number, &slot.sealed).filter(|_| continues) else {
            // A message without its beginning, or of another key ring.
            self.drop_parts();
            return if left == 0 {
                let is_last = slot.is_last;
                Read::Lost { is_last }
            } else {
                Read::Part
            };
        };
        if slot.part == 0 {
            self.parts.clear();
        }
        self.parts.extend(bytes);
        self.missing = left;
        if left > 0 {
            return Read::Part;
        }
        Read::Message(Message {
            number: slot.number,
            bytes: std::mem::take(&mut self.parts),
            is_last: slot.is_last,
        })
    }

    /// Looks behind a gap, and passes over it when its time is over.
    async fn look_behind_a_gap<K: KeyValue>(
        &mut self,
        ring: &Ring<'_, K>,
        now: u64,
        ahead: &mut ReadAhead,
    ) -> Result<Read, Error> {
        if self.gap_since.is_none() {
            let number = self.next + self.distance(self.looks);
            let found = ring.slot(number, ahead).await?;
            if found.is_none_or(|slot| slot.number < number) {
                return Ok(Read::Nothing);
            }
        }
        if *self.gap_since.get_or_insert(now) + self.gap_seconds > now {
            return Ok(Read::Nothing);
        }
        // The next number itself may have come in the meantime.
        let last = self.next + self.max_gap;
        for number in self.next..=last {
            let found = ring.slot(number, ahead).await?;
            if found.is_some_and(|slot| slot.number >= number) {
                let is_lost = number > self.next;
                if is_lost {
                    self.go_to(number);
                }
                self.gap_since = None;
                return Ok(if is_lost {
                    Read::Lost { is_last: false }
                } else {
                    Read::Part
                });
            }
        }
        self.gap_since = None;
        Ok(Read::Nothing)
    }

    /// Whether the look with this number is at a number behind a gap.
    fn is_behind_a_gap(&self, looks: u64) -> bool {
        self.max_gap > 0 && looks.is_multiple_of(LOOKS_PER_LOOK_AHEAD)
    }

    /// How far ahead the look with this number is. Most are at the next message, as one number is what a writer loses that ends
    /// early, or the rest of a message of which it wrote some parts.
    fn distance(&self, looks: u64) -> u64 {
        let nearest = self.missing.max(1);
        let turn = looks / LOOKS_PER_LOOK_AHEAD;
        if turn.is_multiple_of(3) {
            1 + turn / 3 % self.max_gap
        } else {
            nearest.min(self.max_gap)
        }
    }

    fn drop_parts(&mut self) {
        self.parts.clear();
        self.missing = 0;
    }
}

#[cfg(test)]
mod tests;

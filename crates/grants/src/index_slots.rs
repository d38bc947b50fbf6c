//! The slots of the index of grants by subject: numbered by a counter, and found by a MAC of the subject.

use crate::Grant;
use crate::client_subject::is_client_subject;
use crate::record_kinds;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use serde::{Deserialize, Serialize};
use store::{Batch, KeyValue, Record, Store};

const TAG: Purpose = Purpose("index of a person's grants");

const DAY: u64 = 86_400;

/// The durations of an index, in seconds.
pub(crate) struct Span {
    /// The time that one index covers.
    period: u64,
    /// The longest lifetime of a grant in it.
    max_ttl: u64,
}

const PERSON: Span = Span {
    period: 30 * DAY,
    max_ttl: 366 * DAY,
};

/// An access token lasts a day at most.
const CLIENT: Span = Span {
    period: DAY,
    max_ttl: DAY,
};

impl Span {
    pub(crate) fn of(subject: &str) -> Self {
        if is_client_subject(subject) {
            CLIENT
        } else {
            PERSON
        }
    }

    /// Returns the index that a grant which begins at `now` (seconds since the Unix epoch) enters.
    pub(crate) fn period_of(&self, now: u64) -> u64 {
        now / self.period
    }

    /// Returns the indexes that may hold an active grant at `now` (seconds since the Unix epoch), the newest first.
    pub(crate) fn periods(&self, now: u64) -> impl Iterator<Item = u64> + use<> {
        let newest = self.period_of(now);
        (newest.saturating_sub(self.indexes() - 1)..=newest).rev()
    }

    /// Returns how many indexes may hold an active grant.
    fn indexes(&self) -> u64 {
        self.max_ttl.div_ceil(self.period) + 1
    }
}

/// The kind of the counter of an index.
const COUNTER: &str = "subject";

/// A slot of an index.
#[derive(Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) grant: String,
    /// When the grant began, in seconds since the Unix epoch.
    #[serde(default)]
    pub(crate) at: Option<u64>,
}

impl Slot {
    fn of(id: &str, created_at: u64) -> Self {
        Self {
            grant: id.to_owned(),
            at: Some(created_at),
        }
    }
}

impl Record for Slot {
    const KIND: &'static str = record_kinds::INDEX_SLOT;
}

/// The slots of the indexes in a store.
#[derive(Clone, Copy)]
pub(crate) struct IndexSlots<'a, K> {
    pub(crate) store: &'a Store<K>,
    pub(crate) keys: &'a KeyRing,
}

impl<K: KeyValue> IndexSlots<'_, K> {
    /// Returns a slot of the subject's index, for the grant with this id, and the slot's number. No other grant gets
    /// it. On a store without atomics this also [fills](Self::fill) it.
    pub(crate) async fn take(
        &self,
        id: &str,
        grant: &Grant,
    ) -> Result<(String, u64), store::Error> {
        let (subject, created_at) = (&grant.profile.subject, grant.created_at);
        let span = Span::of(subject);
        let period = span.period_of(created_at);
        let tag = tag(&self.keys.mac(TAG, &message(subject, period)));
        let forget_at = (period + 1) * span.period + span.max_ttl;
        let record = Slot::of(id, created_at);
        let number = self
            .store
            .next_number(COUNTER, &tag, &record, grant.expires_at, forget_at)
            .await?;
        Ok((slot_id(&tag, number), number))
    }

    /// Adds a grant's id to what is written, in its slot. The schedule of the grant's own expiry covers the slot.
    pub(crate) fn fill(
        &self,
        batch: &mut Batch<'_, K>,
        slot: &str,
        id: &str,
        grant: &Grant,
    ) -> Result<(), store::Error> {
        if !self.store.has_atomics() {
            return Ok(());
        }
        let record = Slot::of(id, grant.created_at);
        batch.put(slot, &record, Some(grant.expires_at))
    }

    /// Keeps the slot of a grant that ends, until `until` (seconds since the Unix epoch): it counts for the limit of the
    /// hour. The schedule of the grant's end covers it.
    pub(crate) async fn keep(
        &self,
        slot: &str,
        id: &str,
        created_at: u64,
        until: u64,
    ) -> Result<(), store::Error> {
        let record = Slot::of(id, created_at);
        self.store.put(slot, &record, Some(until)).await
    }

    /// Returns the tags of a subject's index, one for each key of the ring, that of the newest first.
    pub(crate) fn tags(&self, subject: &str, period: u64) -> Vec<String> {
        let message = message(subject, period);
        let codes = self.keys.mac_with_all(TAG, &message);
        codes.map(|code| tag(&code)).collect()
    }

    /// Returns the last number that an index has given; 0 if none.
    pub(crate) async fn last(&self, tag: &str) -> Result<u64, store::Error> {
        self.store.numbers(COUNTER, tag).await
    }
}

fn message(subject: &str, period: u64) -> Vec<u8> {
    [period.to_be_bytes().as_slice(), subject.as_bytes()].concat()
}

fn tag(code: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(&code[..16])
}

pub(crate) fn slot_id(tag: &str, slot: u64) -> String {
    format!("{tag}.{slot}")
}

//! Records with an expiry, single use, rate limits and numbers.

use crate::{Error, KeyValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The part of the key that names the kind.
    const KIND: &'static str;
}

/// The records of one deployment, under one key prefix.
///
/// Keys are `<prefix><kind>:<id>`. Ids are URL-safe Base64 or hex, and a prefix has none of `/ \ ? #`, because
/// some backend forbids each of these.
pub struct Store<K> {
    pub(crate) backend: K,
    pub(crate) prefix: String,
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller made the claim.
    Made,
    /// Another caller made it, at this time (seconds since the Unix epoch).
    Before(u64),
}

/// The amount that a claim adds to its counter beside its time. The times of all callers that race fit below
/// it.
const CLAIM: i64 = 1 << 32;

/// Seconds after its epoch up to which a claim's time is exact.
const MAX_CLAIM_OFFSET: u64 = 0xffff;

/// The separator of the keys of one ledger line, which no key contains.
pub(crate) const COMPANION: char = '\n';

/// The stored form of a record: with the time from which it is absent.
#[derive(Deserialize)]
struct Envelope<T> {
    /// Seconds since the Unix epoch; `None`: it never expires.
    exp: Option<u64>,
    rec: T,
}

#[derive(Serialize)]
struct EnvelopeRef<'a, T> {
    exp: Option<u64>,
    rec: &'a T,
}

/// The part of an [`Envelope`] that the sweep reads.
#[derive(Deserialize)]
pub(crate) struct Expiry {
    pub(crate) exp: Option<u64>,
}

impl<K: KeyValue> Store<K> {
    /// Opens the records in `backend` whose keys start with `prefix`.
    pub fn new(backend: K, prefix: impl Into<String>) -> Self {
        Self {
            backend,
            prefix: prefix.into(),
        }
    }

    /// The backend, for keys that are not records.
    pub fn backend(&self) -> &K {
        &self.backend
    }

    /// Returns the backend.
    pub fn into_backend(self) -> K {
        self.backend
    }

    /// Returns the record with this id; `None` if there is none, or it expired at or before `now` (seconds
    /// since the Unix epoch).
    ///
    /// # Errors
    ///
    /// Fails if the backend does, or with [`Error::Unreadable`].
    pub async fn get<R: Record>(&self, id: &str, now: u64) -> Result<Option<R>, Error> {
        let found = self.get_with_expiry(id, now).await?;
        Ok(found.map(|(record, _)| record))
    }

    /// Returns the record with the time at which it expires (seconds since the Unix epoch), if it does.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_with_expiry<R: Record>(
        &self,
        id: &str,
        now: u64,
    ) -> Result<Option<(R, Option<u64>)>, Error> {
        let key = self.key(R::KIND, id);
        let Some(bytes) = self.backend.get(&key).await? else {
            return Ok(None);
        };
        let envelope: Envelope<R> =
            serde_json::from_slice(&bytes).map_err(|_| Error::Unreadable(key))?;
        let alive = envelope.exp.is_none_or(|exp| exp > now);
        Ok(alive.then_some((envelope.rec, envelope.exp)))
    }

    /// Writes a record that expires at `expires_at` (seconds since the Unix epoch), or never.
    ///
    /// Does **not** schedule the expiry for the sweep: for records that never expire, or replace one that is
    /// scheduled.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn put<R: Record>(
        &self,
        id: &str,
        record: &R,
        expires_at: Option<u64>,
    ) -> Result<(), Error> {
        let key = self.key(R::KIND, id);
        let envelope = EnvelopeRef {
            exp: expires_at,
            rec: record,
        };
        let bytes = serde_json::to_vec(&envelope).map_err(|_| Error::Unreadable(key.clone()))?;
        self.backend.set(&key, &bytes).await
    }

    /// Writes a new record that expires at `expires_at` (seconds since the Unix epoch), and schedules its
    /// expiry.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn create<R: Record>(
        &self,
        id: &str,
        record: &R,
        expires_at: u64,
    ) -> Result<(), Error> {
        // Scheduled first: the sweep would never remove a record without a line.
        self.schedule_expiry(&self.key(R::KIND, id), expires_at)
            .await?;
        self.put(id, record, Some(expires_at)).await
    }

    /// Writes a new record that expires at `expires_at` (seconds since the Unix epoch), with `slots` slots:
    /// keys that the caller writes, and that the sweep removes with the record. One ledger line covers them
    /// all.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn create_with_slots<R: Record>(
        &self,
        id: &str,
        record: &R,
        slots: u32,
        expires_at: u64,
    ) -> Result<(), Error> {
        let entry = format!("{} {slots}", self.key(R::KIND, id));
        self.schedule_expiry(&entry, expires_at).await?;
        self.put(id, record, Some(expires_at)).await
    }

    /// Schedules the expiry of the record with this id at `expires_at` (seconds since the Unix epoch), and of
    /// the keys in `companions` with it, also if the record is gone by then. One ledger line covers them all.
    /// [`put`](Self::put) writes the record.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn schedule_expiry_with<R: Record>(
        &self,
        id: &str,
        companions: &[String],
        expires_at: u64,
    ) -> Result<(), Error> {
        let mut entry = self.key(R::KIND, id);
        for key in companions {
            entry.push(COMPANION);
            entry.push_str(key);
        }
        self.schedule_expiry(&entry, expires_at).await
    }

    /// Returns whether there is a record with this id, expired or not, without parsing it.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn exists<R: Record>(&self, id: &str) -> Result<bool, Error> {
        self.backend.exists(&self.key(R::KIND, id)).await
    }

    /// Removes a key, and returns whether it was there. Looks first, which costs less than removing an absent
    /// key.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete_key(&self, key: &str) -> Result<bool, Error> {
        if !self.backend.exists(key).await? {
            return Ok(false);
        }
        self.backend.delete(key).await?;
        Ok(true)
    }

    /// Returns the key of a slot of the record with this id.
    pub fn slot_key<R: Record>(&self, id: &str, slot: u32) -> String {
        slot_key(&self.key(R::KIND, id), slot)
    }

    /// Removes the record with this id and its slots.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete_with_slots<R: Record>(&self, id: &str, slots: u32) -> Result<(), Error> {
        let key = self.key(R::KIND, id);
        self.backend.delete(&key).await?;
        self.delete_slots(&key, slots).await
    }

    pub(crate) async fn delete_slots(&self, key: &str, slots: u32) -> Result<(), Error> {
        for slot in 0..slots {
            // Most slots are empty.
            self.delete_key(&slot_key(key, slot)).await?;
        }
        Ok(())
    }

    /// Removes the record with this id, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete<R: Record>(&self, id: &str) -> Result<(), Error> {
        self.backend.delete(&self.key(R::KIND, id)).await
    }

    /// Claims what may happen once. Returns `true` to exactly one caller, also if several race.
    ///
    /// The claim lasts until the sweep after `forget_at` (seconds since the Unix epoch). By then, what it
    /// guards has to be over.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. The caller must then take the claim as made.
    pub async fn claim_once(&self, kind: &str, id: &str, forget_at: u64) -> Result<bool, Error> {
        let key = self.key(kind, id);
        // A late caller writes nothing.
        if self.backend.exists(&key).await? {
            return Ok(false);
        }
        self.schedule_expiry(&key, forget_at).await?;
        Ok(self.backend.increment(&key, 1).await? == 1)
    }

    /// Claims as [`claim_once`](Self::claim_once) does, with the time of the claim: the `now` of the caller
    /// that succeeds, counted from `epoch` (both in seconds since the Unix epoch). Costs no further write.
    ///
    /// # Errors
    ///
    /// As [`claim_once`](Self::claim_once).
    pub async fn claim_at(
        &self,
        kind: &str,
        id: &str,
        epoch: u64,
        now: u64,
        forget_at: u64,
    ) -> Result<Claim, Error> {
        if let Some(at) = self.claimed_at(kind, id, epoch).await? {
            return Ok(Claim::Before(at));
        }
        let key = self.key(kind, id);
        self.schedule_expiry(&key, forget_at).await?;
        let offset = now.saturating_sub(epoch).min(MAX_CLAIM_OFFSET);
        let claim = CLAIM + i64::try_from(offset).unwrap_or(0);
        let sum = self.backend.increment(&key, claim).await?;
        Ok(if sum == claim {
            Claim::Made
        } else {
            Claim::Before(claim_time(sum, epoch))
        })
    }

    /// Returns the time of the claim that [`claim_at`](Self::claim_at) made with the same `epoch`; `None` if
    /// there is none.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn claimed_at(&self, kind: &str, id: &str, epoch: u64) -> Result<Option<u64>, Error> {
        let key = self.key(kind, id);
        // An increment alone would create the key.
        if !self.backend.exists(&key).await? {
            return Ok(None);
        }
        let sum = self.backend.increment(&key, 0).await?;
        Ok(Some(claim_time(sum, epoch)))
    }

    /// Claims the end of the record with this id, as [`claim_once`](Self::claim_once) does, and removes the
    /// record. After `forget_at` the sweep removes the claim, and the record again. A caller that writes the
    /// record at the same time has to look at [`is_claimed`](Self::is_claimed) after its write, so that the
    /// end wins.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn claim_end<R: Record>(
        &self,
        kind: &str,
        id: &str,
        forget_at: u64,
    ) -> Result<(), Error> {
        let key = self.key(kind, id);
        if !self.backend.exists(&key).await? {
            let entry = format!("{key}{COMPANION}{}", self.key(R::KIND, id));
            self.schedule_expiry(&entry, forget_at).await?;
            self.backend.increment(&key, 1).await?;
        }
        self.delete::<R>(id).await
    }

    /// Returns whether there is a claim, without making one.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn is_claimed(&self, kind: &str, id: &str) -> Result<bool, Error> {
        // An increment of 0 would create the key.
        self.backend.exists(&self.key(kind, id)).await
    }

    /// Counts an event in the window of `now`, and returns whether it is within `limit`.
    ///
    /// A window has `window` seconds, and the sweep removes the counter of a past one. A refused event writes
    /// nothing: the event that reaches the limit writes a note beside the counter, and only events that race
    /// with it are still counted.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn check_rate_limit(
        &self,
        kind: &str,
        limit: u64,
        window: u64,
        now: u64,
    ) -> Result<bool, Error> {
        if self.is_exhausted(kind, limit, window, now).await? {
            return Ok(false);
        }
        let key = self.window_key(kind, window, now);
        // The note is a slot of the counter, so that one ledger line covers both.
        let entry = format!("{key} 1");
        let count = self.count_scheduled(&key, &entry, now + window).await?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count >= limit {
            let note = limit.to_string();
            self.backend
                .set(&slot_key(&key, 0), note.as_bytes())
                .await?;
        }
        Ok(count <= limit)
    }

    /// Returns whether the next [`check_rate_limit`](Self::check_rate_limit) of the same window is refused,
    /// without counting an event. One read of the store.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn is_exhausted(
        &self,
        kind: &str,
        limit: u64,
        window: u64,
        now: u64,
    ) -> Result<bool, Error> {
        // The note, and not the counter: reading a counter is an increment, which many backends write.
        let key = slot_key(&self.window_key(kind, window, now), 0);
        let noted = self.backend.get(&key).await?;
        let reached: Option<u64> = noted
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.parse().ok());
        // The limit may have been raised since.
        Ok(reached.is_some_and(|reached| reached >= limit))
    }

    fn window_key(&self, kind: &str, window: u64, now: u64) -> String {
        let start = now / window.max(1);
        self.key(kind, &start.to_string())
    }

    /// Returns the next of the numbers 1, 2, 3… of this id. No two callers get the same.
    ///
    /// The counter lasts until the sweep after `forget_at` (seconds since the Unix epoch), which has to be the
    /// same in every call.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. The number is then lost.
    pub async fn next_number(&self, kind: &str, id: &str, forget_at: u64) -> Result<u64, Error> {
        let key = self.key(kind, id);
        let number = self.count(&key, forget_at).await?;
        u64::try_from(number).map_err(|_| Error::Unreadable(key))
    }

    /// Increments a counter that the sweep removes after `forget_at`.
    ///
    /// Schedules the expiry before the first increment, because the sweep would never remove a counter
    /// without a line. Callers that race may each write a line, which costs the sweep a step.
    async fn count(&self, key: &str, forget_at: u64) -> Result<i64, Error> {
        self.count_scheduled(key, key, forget_at).await
    }

    /// Increments a counter as [`count`](Self::count) does, with a ledger line of its own: the key with its
    /// number of slots.
    async fn count_scheduled(&self, key: &str, entry: &str, forget_at: u64) -> Result<i64, Error> {
        // A counter that exists is scheduled, and a read costs less than another line.
        if !self.backend.exists(key).await? {
            self.schedule_expiry(entry, forget_at).await?;
        }
        self.backend.increment(key, 1).await
    }

    /// Returns the last number that [`next_number`](Self::next_number) gave for this id; 0 if none.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn numbers(&self, kind: &str, id: &str) -> Result<u64, Error> {
        let key = self.key(kind, id);
        // An increment alone would create the key.
        if !self.backend.exists(&key).await? {
            return Ok(0);
        }
        let last = self.backend.increment(&key, 0).await?;
        Ok(u64::try_from(last).unwrap_or(0))
    }

    /// Returns the key of the record or counter `id` of this `kind`.
    pub fn key(&self, kind: &str, id: &str) -> String {
        format!("{}{kind}:{id}", self.prefix)
    }
}

fn slot_key(key: &str, slot: u32) -> String {
    format!("{key}.{slot}")
}

/// Returns the time of the claim whose counter is `sum`. Callers that raced for it have added their own times,
/// which are of the same moment, so the mean is right.
fn claim_time(sum: i64, epoch: u64) -> u64 {
    let claims = (sum / CLAIM).max(1);
    let mean = (sum % CLAIM) / claims;
    epoch.saturating_add(u64::try_from(mean).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryKeyValue;
    use futures::executor::block_on;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note(String);
    impl Record for Note {
        const KIND: &'static str = "note";
    }

    fn store() -> Store<MemoryKeyValue> {
        Store::new(MemoryKeyValue::default(), "test:")
    }

    #[test]
    fn an_expired_record_is_absent_from_its_second_on() {
        block_on(async {
            let store = store();
            store.create("a", &Note("hi".into()), 100).await.unwrap();
            assert_eq!(
                store.get::<Note>("a", 99).await.unwrap(),
                Some(Note("hi".into()))
            );
            assert_eq!(store.get::<Note>("a", 100).await.unwrap(), None);
        });
    }

    #[test]
    fn a_claim_succeeds_once() {
        block_on(async {
            let store = store();
            assert!(!store.is_claimed("code", "x").await.unwrap());
            assert!(store.claim_once("code", "x", 10).await.unwrap());
            assert!(!store.claim_once("code", "x", 10).await.unwrap());
            assert!(store.is_claimed("code", "x").await.unwrap());
        });
    }

    #[test]
    fn a_claim_with_a_time_succeeds_once_and_tells_when() {
        block_on(async {
            let store = store();
            assert_eq!(store.claimed_at("code", "x", 100).await.unwrap(), None);
            let claim = |now| store.claim_at("code", "x", 100, now, 200);
            assert_eq!(claim(107).await.unwrap(), Claim::Made);
            assert_eq!(claim(150).await.unwrap(), Claim::Before(107));
            let at = store.claimed_at("code", "x", 100).await.unwrap();
            assert_eq!(at, Some(107));
        });
    }

    /// As callers do who have all seen that nobody had claimed it.
    #[test]
    fn those_who_race_for_a_claim_do_not_move_its_time() {
        block_on(async {
            let store = store();
            let claimed = store.claim_at("code", "x", 100, 107, 200).await.unwrap();
            assert_eq!(claimed, Claim::Made);
            for _ in 0..31 {
                let raced = store.backend().increment("test:code:x", CLAIM + 7).await;
                assert!(raced.is_ok());
            }
            let at = store.claimed_at("code", "x", 100).await.unwrap();
            assert_eq!(at, Some(107));
        });
    }

    #[test]
    fn numbers_are_handed_out_once_each_and_counted() {
        block_on(async {
            let store = store();
            assert_eq!(store.numbers("index", "x").await.unwrap(), 0);
            for expected in 1..4 {
                let number = store.next_number("index", "x", 10).await;
                assert_eq!(number.unwrap(), expected);
            }
            assert_eq!(store.numbers("index", "x").await.unwrap(), 3);
            assert_eq!(store.numbers("index", "y").await.unwrap(), 0);
        });
    }

    #[test]
    fn a_limit_holds_for_its_window_alone() {
        block_on(async {
            let store = store();
            for _ in 0..2 {
                assert!(store.check_rate_limit("rate", 2, 60, 30).await.unwrap());
            }
            assert!(!store.check_rate_limit("rate", 2, 60, 59).await.unwrap());
            assert!(store.check_rate_limit("rate", 2, 60, 60).await.unwrap());
        });
    }

    #[test]
    fn an_event_over_its_limit_writes_nothing() {
        block_on(async {
            let store = store();
            for _ in 0..2 {
                assert!(!store.is_exhausted("rate", 2, 60, 30).await.unwrap());
                assert!(store.check_rate_limit("rate", 2, 60, 30).await.unwrap());
            }
            assert!(store.is_exhausted("rate", 2, 60, 30).await.unwrap());
            let before = store.backend().snapshot();
            for _ in 0..3 {
                assert!(!store.check_rate_limit("rate", 2, 60, 59).await.unwrap());
            }
            assert_eq!(store.backend().snapshot(), before);
            // The operator has raised the limit.
            assert!(store.check_rate_limit("rate", 3, 60, 59).await.unwrap());
            assert!(!store.check_rate_limit("rate", 3, 60, 59).await.unwrap());
        });
    }

    #[test]
    fn a_counter_is_swept_with_its_note() {
        block_on(async {
            let store = store();
            store.sweep(0, 100).await.unwrap();
            assert!(store.check_rate_limit("rate", 1, 60, 30).await.unwrap());
            assert!(!store.check_rate_limit("rate", 1, 60, 30).await.unwrap());
            store.sweep(2 * 3600, 100).await.unwrap();
            assert_eq!(store.backend().keys(), ["test:sweep:cursor"]);
        });
    }

    #[test]
    fn a_record_of_another_shape_is_an_error_and_not_an_absence() {
        block_on(async {
            let store = store();
            store
                .backend()
                .set("test:note:a", b"garbage")
                .await
                .unwrap();
            assert!(matches!(
                store.get::<Note>("a", 0).await,
                Err(Error::Unreadable(key)) if key == "test:note:a"
            ));
        });
    }
}

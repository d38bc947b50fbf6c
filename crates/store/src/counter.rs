//! Counters: rate limits, and numbers that are given once.

use crate::key_value::{Claims, Expiry};
use crate::ledger::Ledger;
use crate::record::encode;
use crate::store::slot_key;
use crate::{Error, KeyValue, Record, Store};

/// Numbers that are tried on a store without atomics, each of which another caller has taken.
const MAX_NUMBERS_TRIED: u32 = 16;

impl<K: KeyValue> Store<K> {
    /// Counts an event in the window of `now`, and returns whether it is within `limit`.
    ///
    /// A window has `window` seconds, and the sweep removes the counter of a past one. A refused event writes
    /// nothing: the event that reaches the limit writes a note beside the counter, and only events that race
    /// with it are still counted. On a store without atomics, events that race may count as one.
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
        let until = now + window;
        // The note is a slot of the counter, so that one ledger line covers both.
        let entry = format!("{key} 1");
        let count = self.count_scheduled(&key, &entry, until).await?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count >= limit {
            let note = limit.to_string();
            self.backend
                .set(&slot_key(&key, 0), note.as_bytes(), Some(until))
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
        // The note, and not the counter: the form of a counter is the backend's.
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

    /// Returns the next of the numbers 1, 2, 3… of this id, for the record with the id `<id>.<number>`, which
    /// expires at `expires_at`. No two callers get the same.
    ///
    /// The counter lasts until the sweep after `forget_at` (seconds since the Unix epoch), which has to be the
    /// same in every call.
    ///
    /// The caller writes the record. On a store without atomics this writes it, as the claim of its number, so
    /// no two callers may have equal records. The counter is written before the claim there: a caller that puts
    /// back a smaller number finds that number taken, and counts on.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. The number is then lost.
    pub async fn next_number<R: Record>(
        &self,
        kind: &str,
        id: &str,
        record: &R,
        expires_at: u64,
        forget_at: u64,
    ) -> Result<u64, Error> {
        let key = self.key(kind, id);
        let unreadable = |key: &str| Error::Unreadable(key.to_owned());
        if self.backend.capabilities().claims == Claims::Atomic {
            let number = self.count_scheduled(&key, &key, forget_at).await?;
            return u64::try_from(number).map_err(|_| unreadable(&key));
        }
        let value = encode(&key, record, Some(expires_at))?;
        for _ in 0..MAX_NUMBERS_TRIED {
            let number = self.count_scheduled(&key, &key, forget_at).await?;
            let number = u64::try_from(number).map_err(|_| unreadable(&key))?;
            let slot = self.key(R::KIND, &format!("{id}.{number}"));
            if self
                .backend
                .claim_with(&slot, &value, Some(expires_at))
                .await?
            {
                return Ok(number);
            }
        }
        Err(Error::Unavailable(format!("no number of {key} is free")))
    }

    /// Increments a counter that the sweep removes after `forget_at`, with a ledger line of its own: the key
    /// with its number of slots.
    ///
    /// Schedules the expiry before the first increment, because the sweep would never remove a counter
    /// without a line. Callers that race may each write a line, which costs the sweep a step.
    async fn count_scheduled(&self, key: &str, entry: &str, forget_at: u64) -> Result<i64, Error> {
        // A counter that exists is scheduled, and a read costs less than another line.
        let has_ledger = self.backend.capabilities().expiry == Expiry::Ledger;
        if has_ledger && !self.backend.exists(key).await? {
            Ledger(self).schedule(entry, forget_at).await?;
        }
        self.backend.increment(key, 1, Some(forget_at)).await
    }

    /// Returns the last number that [`next_number`](Self::next_number) gave for this id; 0 if none.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn numbers(&self, kind: &str, id: &str) -> Result<u64, Error> {
        let last = self.backend.counted(&self.key(kind, id)).await?;
        Ok(u64::try_from(last.unwrap_or(0)).unwrap_or(0))
    }
}

//! Counters: rate limits, and numbers that are given once.

use crate::store::slot_key;
use crate::{Error, KeyValue, Store};

impl<K: KeyValue> Store<K> {
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
}

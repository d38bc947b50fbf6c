//! Deadlines for calls to a key-value backend.

use crate::key_value::{Capabilities, Entry, Error, KeyValue, PlainKeyValue};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

/// The time for a call, with the opening of the store.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The time for a call while the store is known to stall, so that requests do not pile up.
const STALLED_TIMEOUT: Duration = Duration::from_millis(500);

/// Milliseconds for which a call that exceeded [`CALL_TIMEOUT`] shortens the following ones. Then a call has
/// the full time again, which a slow store needs to be found working.
const STALL_TTL_MILLIS: u64 = 5_000;

/// Milliseconds for which a store that answered counts as available.
const ANSWER_TTL_MILLIS: u64 = 250;

/// A monotonic clock with a timer.
pub trait Clock: Send + Sync {
    /// Returns milliseconds since an arbitrary moment.
    fn now(&self) -> u64;

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// A backend whose calls fail with [`Error::Unavailable`] at a deadline.
///
/// Spin sets no deadline, and its Redis client tries for minutes. A call that exceeds its deadline is dropped,
/// which cancels it. Whether it changed anything is then unknown.
#[derive(Default)]
pub struct Deadlined<K, C> {
    backend: K,
    clock: C,
    /// The time of the last answer; 0 if there was none, or a call failed since.
    answered_at: AtomicU64,
    /// The time until which calls have [`STALLED_TIMEOUT`].
    stalled_until: AtomicU64,
    /// Whether the backend has failed to read many keys in one step, as Spin's Redis store always does.
    cannot_read_many: AtomicBool,
}

impl<K, C: Clock> Deadlined<K, C> {
    /// A backend with deadlines by `clock`.
    pub fn new(backend: K, clock: C) -> Self {
        Self {
            backend,
            clock,
            answered_at: AtomicU64::new(0),
            stalled_until: AtomicU64::new(0),
            cannot_read_many: AtomicBool::new(false),
        }
    }

    async fn within_deadline<T>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let mut call = pin!(call);
        // Many calls complete at their first poll, and a timer has a cost.
        let at_once = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        if let Poll::Ready(answer) = at_once {
            return self.noted(answer);
        }
        let is_stalled = self.stalled_until.load(Relaxed) > self.clock.now();
        let timeout = if is_stalled {
            STALLED_TIMEOUT
        } else {
            CALL_TIMEOUT
        };
        let mut deadline = pin!(self.clock.sleep(timeout));
        let answer = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => deadline.as_mut().poll(cx).map(|()| None),
        });
        match answer.await {
            Some(answer) => self.noted(answer),
            None => {
                self.answered_at.store(0, Relaxed);
                if !is_stalled {
                    let until = self.clock.now() + STALL_TTL_MILLIS;
                    self.stalled_until.store(until, Relaxed);
                }
                let millis = timeout.as_millis();
                Err(Error::Unavailable(format!("no answer within {millis} ms")))
            }
        }
    }

    fn noted<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        let answered_at = if answer.is_ok() {
            self.stalled_until.store(0, Relaxed);
            self.clock.now()
        } else {
            0
        };
        self.answered_at.store(answered_at, Relaxed);
        answer
    }

    /// Fails unless the store has just answered, or answers now when it is asked for `key`.
    async fn require_answer(&self, key: &str) -> Result<(), Error>
    where
        K: KeyValue,
    {
        if !self.has_just_answered() {
            KeyValue::exists(self, key).await?;
        }
        Ok(())
    }

    fn has_just_answered(&self) -> bool {
        let answered_at = self.answered_at.load(Relaxed);
        answered_at != 0 && self.clock.now().saturating_sub(answered_at) < ANSWER_TTL_MILLIS
    }
}

impl<K: KeyValue, C: Clock> KeyValue for Deadlined<K, C> {
    fn capabilities(&self) -> Capabilities {
        self.backend.capabilities()
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.within_deadline(self.backend.get(key)).await
    }

    /// As [`increment`](KeyValue::increment) is, this is a synchronous call of `wasi:keyvalue`. A store that has not
    /// just answered is read key by key, which can be given up; so is one that cannot read many keys.
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let is_worth_it = keys.len() > 1 && self.has_just_answered();
        if is_worth_it && !self.cannot_read_many.load(Relaxed) {
            match self.within_deadline(self.backend.get_many(keys)).await {
                Ok(values) => return Ok(values),
                Err(_) => self.cannot_read_many.store(true, Relaxed),
            }
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(KeyValue::get(self, key).await?);
        }
        Ok(values)
    }

    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
        self.within_deadline(self.backend.set(key, value, until))
            .await
    }

    /// As [`increment`](KeyValue::increment) is, this is a synchronous call of `wasi:keyvalue`.
    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
        if let Some(first) = entries.first() {
            self.require_answer(&first.key).await?;
        }
        self.within_deadline(self.backend.set_many(entries)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.within_deadline(self.backend.delete(key)).await
    }

    /// As [`increment`](KeyValue::increment) is, this is a synchronous call of `wasi:keyvalue`.
    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        if let Some(first) = keys.first() {
            self.require_answer(first).await?;
        }
        self.within_deadline(self.backend.delete_many(keys)).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.within_deadline(self.backend.exists(key)).await
    }

    /// `wasi:keyvalue` is synchronous: while the host increments, the whole instance waits, timers
    /// included. So a store that has not just answered is read first, which can be given up.
    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        self.require_answer(key).await?;
        self.within_deadline(self.backend.increment(key, delta, until))
            .await
    }

    async fn counted(&self, key: &str) -> Result<Option<i64>, Error> {
        self.within_deadline(self.backend.counted(key)).await
    }
}

/// Below [`WithoutAtomics`](crate::WithoutAtomics), whose claims take longer than a call may.
impl<K: PlainKeyValue, C: Clock> PlainKeyValue for Deadlined<K, C> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.within_deadline(self.backend.get(key)).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.within_deadline(self.backend.set(key, value)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.within_deadline(self.backend.delete(key)).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.within_deadline(self.backend.exists(key)).await
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        self.within_deadline(self.backend.keys()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryKeyValue;
    use futures::executor::block_on;
    use std::sync::Mutex;

    /// Every sleep is over at once.
    struct Instantly {
        now: AtomicU64,
        slept: Mutex<Vec<Duration>>,
    }

    impl Default for Instantly {
        fn default() -> Self {
            Self {
                now: AtomicU64::new(1),
                slept: Mutex::default(),
            }
        }
    }

    impl Clock for Instantly {
        fn now(&self) -> u64 {
            self.now.load(Relaxed)
        }

        async fn sleep(&self, duration: Duration) {
            self.now.fetch_add(duration.as_millis() as u64, Relaxed);
            self.slept.lock().unwrap().push(duration);
        }
    }

    /// A store that answers, or does not.
    #[derive(Default)]
    struct Stalling {
        stalls: AtomicBool,
        increments: AtomicU64,
        batches: AtomicU64,
        gets: AtomicU64,
        cannot_read_many: AtomicBool,
        memory: MemoryKeyValue,
    }

    impl Stalling {
        async fn wait(&self) {
            if self.stalls.load(Relaxed) {
                std::future::pending().await
            }
        }
    }

    impl KeyValue for Stalling {
        async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            self.gets.fetch_add(1, Relaxed);
            self.wait().await;
            self.memory.get(key).await
        }

        async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
            self.batches.fetch_add(1, Relaxed);
            self.wait().await;
            if self.cannot_read_many.load(Relaxed) {
                return Err(Error::Unavailable("it cannot".to_owned()));
            }
            self.memory.get_many(keys).await
        }

        async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
            self.wait().await;
            self.memory.set(key, value, until).await
        }

        async fn delete(&self, key: &str) -> Result<(), Error> {
            self.wait().await;
            self.memory.delete(key).await
        }

        async fn exists(&self, key: &str) -> Result<bool, Error> {
            self.wait().await;
            self.memory.exists(key).await
        }

        async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
            self.batches.fetch_add(1, Relaxed);
            self.wait().await;
            self.memory.set_many(entries).await
        }

        async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
            self.batches.fetch_add(1, Relaxed);
            self.wait().await;
            self.memory.delete_many(keys).await
        }

        async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
            self.increments.fetch_add(1, Relaxed);
            self.wait().await;
            self.memory.increment(key, delta, until).await
        }
    }

    type Store = Deadlined<Stalling, Instantly>;

    fn store(stalls: bool) -> Store {
        let store = Store::default();
        store.backend.stalls.store(stalls, Relaxed);
        store
    }

    fn slept(store: &Store) -> Vec<Duration> {
        std::mem::take(&mut *store.clock.slept.lock().unwrap())
    }

    fn is_unavailable<T>(answer: Result<T, Error>) -> bool {
        matches!(answer, Err(Error::Unavailable(_)))
    }

    #[test]
    fn every_call_to_a_stalled_store_is_unavailable_at_its_deadline() {
        block_on(async {
            assert!(is_unavailable(store(true).get("a").await));
            assert!(is_unavailable(store(true).set("a", b"", None).await));
            assert!(is_unavailable(store(true).delete("a").await));
            assert!(is_unavailable(store(true).exists("a").await));
            assert!(is_unavailable(store(true).increment("a", 1, None).await));
            let store = store(true);
            store.get("a").await.unwrap_err();
            assert_eq!(slept(&store), [CALL_TIMEOUT]);
        });
    }

    #[test]
    fn a_call_that_is_answered_at_once_starts_no_timer() {
        block_on(async {
            let store = store(false);
            store.set("a", b"1", None).await.unwrap();
            assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
            assert_eq!(store.increment("n", 2, None).await.unwrap(), 2);
            assert!(slept(&store).is_empty());
        });
    }

    #[test]
    fn calls_to_a_store_known_to_stall_are_short_until_it_answers() {
        block_on(async {
            let store = store(true);
            store.get("a").await.unwrap_err();
            store.get("a").await.unwrap_err();
            store.set("a", b"", None).await.unwrap_err();
            assert_eq!(
                slept(&store),
                [CALL_TIMEOUT, STALLED_TIMEOUT, STALLED_TIMEOUT]
            );
            store.backend.stalls.store(false, Relaxed);
            store.get("a").await.unwrap();
            store.backend.stalls.store(true, Relaxed);
            store.get("a").await.unwrap_err();
            assert_eq!(slept(&store), [CALL_TIMEOUT]);
        });
    }

    #[test]
    fn a_call_has_its_full_time_again_some_seconds_after_a_stall() {
        block_on(async {
            let store = store(true);
            store.get("a").await.unwrap_err();
            store.clock.now.fetch_add(STALL_TTL_MILLIS, Relaxed);
            store.get("a").await.unwrap_err();
            assert_eq!(slept(&store), [CALL_TIMEOUT, CALL_TIMEOUT]);
        });
    }

    #[test]
    fn a_counter_is_touched_only_where_the_store_has_just_answered() {
        block_on(async {
            let store = store(true);
            store.increment("n", 1, None).await.unwrap_err();
            assert_eq!(store.backend.increments.load(Relaxed), 0);
            store.backend.stalls.store(false, Relaxed);
            store.exists("n").await.unwrap();
            store.increment("n", 1, None).await.unwrap();
            store.clock.now.fetch_add(ANSWER_TTL_MILLIS, Relaxed);
            store.backend.stalls.store(true, Relaxed);
            store.increment("n", 1, None).await.unwrap_err();
            assert_eq!(store.backend.increments.load(Relaxed), 1);
        });
    }

    #[test]
    fn many_keys_are_read_in_one_step_only_where_the_store_has_just_answered() {
        block_on(async {
            let keys = ["a".to_owned(), "b".to_owned()];
            let counts = |store: &Store| {
                let Stalling { gets, batches, .. } = &store.backend;
                (gets.load(Relaxed), batches.load(Relaxed))
            };
            let store = store(false);
            store.backend.memory.set("b", b"1", None).await.unwrap();
            let both = [None, Some(b"1".to_vec())];
            assert_eq!(store.get_many(&keys).await.unwrap(), both);
            assert_eq!(counts(&store), (2, 0));
            assert_eq!(store.get_many(&keys).await.unwrap(), both);
            assert_eq!(counts(&store), (2, 1));
            store.clock.now.fetch_add(ANSWER_TTL_MILLIS, Relaxed);
            store.backend.stalls.store(true, Relaxed);
            assert!(is_unavailable(store.get_many(&keys).await));
            assert_eq!(counts(&store), (3, 1));
        });
    }

    #[test]
    fn a_store_that_cannot_read_many_keys_is_read_key_by_key_from_then_on() {
        block_on(async {
            let keys = ["a".to_owned(), "b".to_owned()];
            let store = store(false);
            store.backend.cannot_read_many.store(true, Relaxed);
            store.set("b", b"1", None).await.unwrap();
            for _ in 0..3 {
                let both = [None, Some(b"1".to_vec())];
                assert_eq!(store.get_many(&keys).await.unwrap(), both);
            }
            assert_eq!(store.backend.batches.load(Relaxed), 1);
            // Spin's Redis store takes one key for a pattern.
            store.get_many(&keys[..1]).await.unwrap();
            assert_eq!(store.backend.batches.load(Relaxed), 1);
        });
    }

    #[test]
    fn many_keys_are_written_and_removed_only_where_the_store_has_just_answered() {
        block_on(async {
            let entries = || {
                let entry = |key: &str| Entry {
                    key: key.to_owned(),
                    value: vec![1],
                    until: None,
                };
                vec![entry("a"), entry("b")]
            };
            let store = store(true);
            assert!(is_unavailable(store.set_many(entries()).await));
            assert_eq!(store.backend.batches.load(Relaxed), 0);
            store.backend.stalls.store(false, Relaxed);
            store.set_many(entries()).await.unwrap();
            assert_eq!(store.backend.batches.load(Relaxed), 1);
            assert_eq!(store.get("b").await.unwrap(), Some(vec![1]));
            let keys = || vec!["a".to_owned(), "b".to_owned()];
            store.delete_many(keys()).await.unwrap();
            assert_eq!(store.get("b").await.unwrap(), None);
            store.clock.now.fetch_add(ANSWER_TTL_MILLIS, Relaxed);
            store.backend.stalls.store(true, Relaxed);
            assert!(is_unavailable(store.delete_many(keys()).await));
            assert_eq!(store.backend.batches.load(Relaxed), 2);
        });
    }
}

//! A key-value store in memory, for tests: with an atomic increment, or without.

use crate::counter_value::decode_counter;
use crate::deadline::Clock;
use crate::key_value::{Capabilities, Claimed, Entry, Error, KeyValue, PlainKeyValue, Regions};
use crate::timed_claim::WithoutAtomics;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

type Timed = WithoutAtomics<Arc<Entries>, NoTime, fn() -> [u8; 16]>;

/// A [`KeyValue`] in memory. A clone has the same entries: another instance's view of one store.
#[derive(Clone, Debug, Default)]
pub struct MemoryKeyValue {
    entries: Arc<Entries>,
    /// The regions of a store without atomics.
    without_atomics: Option<Regions>,
}

impl MemoryKeyValue {
    /// Returns a store without atomics. Nothing in it takes time: its timed claims do not wait.
    pub fn without_atomics(regions: Regions) -> Self {
        Self {
            without_atomics: Some(regions),
            ..Self::default()
        }
    }

    /// Returns every key in order.
    pub fn keys(&self) -> Vec<String> {
        self.entries.entries().keys().cloned().collect()
    }

    /// Makes every later call fail, or succeed again.
    pub fn set_down(&self, is_down: bool) {
        self.entries.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Returns how many writes there were: each set, deletion and increment is one, and so are many keys that are set in
    /// one step.
    pub fn writes(&self) -> u64 {
        self.entries.writes.load(Ordering::Relaxed)
    }

    /// Makes every write fail after `writes` more of them, as for an instance that is killed then; `None`: never.
    pub fn fail_after(&self, writes: Option<u64>) {
        let last = writes.map_or(u64::MAX, |writes| self.writes() + writes);
        self.entries.last_write.store(last, Ordering::Relaxed);
    }

    /// Lets other futures go on before each call, so that callers that are polled together race.
    pub fn set_racing(&self, is_racing: bool) {
        self.entries.is_racing.store(is_racing, Ordering::Relaxed);
    }

    /// Returns every key and value, for tests that compare two states.
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        self.entries.entries().clone()
    }

    fn timed(&self) -> Option<Timed> {
        let regions = self.without_atomics?;
        Some(WithoutAtomics::new(
            Arc::clone(&self.entries),
            NoTime,
            nonce,
            regions,
        ))
    }
}

/// Returns bytes that no other call returns.
fn nonce() -> [u8; 16] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    u128::from(COUNT.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
}

/// A clock that stands still.
struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> u64 {
        0
    }

    async fn sleep(&self, _duration: Duration) {}
}

#[derive(Debug)]
struct Entries {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    is_down: AtomicBool,
    is_racing: AtomicBool,
    writes: AtomicU64,
    /// The number of the last write that succeeds.
    last_write: AtomicU64,
}

impl Default for Entries {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            is_down: AtomicBool::default(),
            is_racing: AtomicBool::default(),
            writes: AtomicU64::default(),
            last_write: AtomicU64::new(u64::MAX),
        }
    }
}

impl Entries {
    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.entries
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Lets other futures go on, if callers race.
    async fn give_way(&self) {
        let mut has_waited = !self.is_racing.load(Ordering::Relaxed);
        poll_fn(|context| {
            if has_waited {
                return Poll::Ready(());
            }
            has_waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn reach(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>>, Error> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::Unavailable("it is down".to_owned()));
        }
        Ok(self.entries())
    }

    fn reach_to_write(
        &self,
    ) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>>, Error> {
        let entries = self.reach()?;
        if self.writes.load(Ordering::Relaxed) >= self.last_write.load(Ordering::Relaxed) {
            return Err(Error::Unavailable("it takes no more writes".to_owned()));
        }
        self.writes.fetch_add(1, Ordering::Relaxed);
        Ok(entries)
    }
}

impl PlainKeyValue for Arc<Entries> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.give_way().await;
        Ok(self.reach()?.get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.give_way().await;
        self.reach_to_write()?
            .insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.give_way().await;
        self.reach_to_write()?.remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.give_way().await;
        Ok(self.reach()?.contains_key(key))
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        self.give_way().await;
        Ok(self.reach()?.keys().cloned().collect())
    }
}

impl KeyValue for MemoryKeyValue {
    fn capabilities(&self) -> Capabilities {
        self.timed()
            .map_or(Capabilities::ATOMIC, |timed| timed.capabilities())
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.entries.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8], _until: Option<u64>) -> Result<(), Error> {
        self.entries.set(key, value).await
    }

    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
        if self.without_atomics.is_some() {
            for Entry { key, value, .. } in &entries {
                self.entries.set(key, value).await?;
            }
            return Ok(());
        }
        self.entries.give_way().await;
        let entries = entries.into_iter();
        self.entries
            .reach_to_write()?
            .extend(entries.map(|Entry { key, value, .. }| (key, value)));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.entries.delete(key).await
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        if self.without_atomics.is_some() {
            for key in &keys {
                self.entries.delete(key).await?;
            }
            return Ok(());
        }
        self.entries.give_way().await;
        let mut entries = self.entries.reach_to_write()?;
        for key in &keys {
            entries.remove(key);
        }
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.entries.exists(key).await
    }

    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        if let Some(timed) = self.timed() {
            return timed.increment(key, delta, until).await;
        }
        self.entries.give_way().await;
        let mut entries = self.entries.reach_to_write()?;
        let bytes = entries.entry(key.to_owned()).or_insert_with(|| vec![0; 8]);
        let current = <[u8; 8]>::try_from(bytes.as_slice())
            .map_err(|_| Error::Unavailable(format!("{key} is no counter")))?;
        let sum = i64::from_le_bytes(current).saturating_add(delta);
        *bytes = sum.to_le_bytes().to_vec();
        Ok(sum)
    }

    async fn counted(&self, key: &str) -> Result<Option<i64>, Error> {
        if let Some(timed) = self.timed() {
            return timed.counted(key).await;
        }
        let Some(bytes) = self.get(key).await? else {
            return Ok(None);
        };
        let count = decode_counter(&bytes);
        count
            .map(Some)
            .ok_or_else(|| Error::Unreadable(key.to_owned()))
    }

    async fn claim(&self, key: &str, note: i64, until: Option<u64>) -> Result<Claimed, Error> {
        if let Some(timed) = self.timed() {
            return timed.claim(key, note, until).await;
        }
        let sum = self.increment(key, note, until).await?;
        Ok(if sum == note {
            Claimed::Made
        } else {
            Claimed::Before(sum)
        })
    }

    async fn claim_with(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<bool, Error> {
        match self.timed() {
            Some(timed) => timed.claim_with(key, value, until).await,
            None => Err(Error::Unavailable("it counts".to_owned())),
        }
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        PlainKeyValue::keys(&self.entries).await
    }
}

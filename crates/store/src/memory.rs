//! A key-value store in memory, for tests.

use crate::{Error, KeyValue};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A [`KeyValue`] in memory.
#[derive(Debug, Default)]
pub struct MemoryKeyValue {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    is_down: AtomicBool,
}

impl MemoryKeyValue {
    /// Returns every key in order.
    pub fn keys(&self) -> Vec<String> {
        self.entries().keys().cloned().collect()
    }

    /// Makes every later call fail, or succeed again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Returns every key and value, for tests that compare two states.
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        self.entries().clone()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.entries
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn reach(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>>, Error> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::Unavailable("it is down".to_owned()));
        }
        Ok(self.entries())
    }
}

impl KeyValue for MemoryKeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.reach()?.get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.reach()?.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.reach()?.remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.reach()?.contains_key(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        let mut entries = self.reach()?;
        let bytes = entries.entry(key.to_owned()).or_insert_with(|| vec![0; 8]);
        let current = <[u8; 8]>::try_from(bytes.as_slice())
            .map_err(|_| Error::Unavailable(format!("{key} is no counter")))?;
        let sum = i64::from_le_bytes(current).saturating_add(delta);
        *bytes = sum.to_le_bytes().to_vec();
        Ok(sum)
    }
}

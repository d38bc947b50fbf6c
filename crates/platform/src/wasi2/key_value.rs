//! The default key-value store. Its calls are synchronous: while one waits, so does the whole instance.

use super::bindings::fermyon::spin::key_value::Store;
#[cfg(not(feature = "without-atomics"))]
use super::bindings::wasi::keyvalue::{atomics, batch, store as buckets};
#[cfg(not(feature = "without-atomics"))]
use std::sync::OnceLock;
use store::Error;
#[cfg(feature = "without-atomics")]
use store::PlainKeyValue;
#[cfg(not(feature = "without-atomics"))]
use store::{Entry, KeyValue, MAX_DELETED, in_order};

/// The default store itself, opened when it is first needed: a backend that is down when an instance
/// starts costs the requests of that moment and no others.
#[cfg(not(feature = "without-atomics"))]
#[derive(Default)]
pub struct DefaultStore {
    store: OnceLock<Store>,
    bucket: OnceLock<buckets::Bucket>,
}

/// The default store itself, opened for each call: a host may answer from what was read and written through the same opened
/// store before, as Spin before 3.2 does, and a claim has to see what others have written.
#[cfg(feature = "without-atomics")]
pub struct DefaultStore;

const LABEL: &str = "default";

impl DefaultStore {
    #[cfg(not(feature = "without-atomics"))]
    fn store(&self) -> Result<&Store, Error> {
        open(&self.store, Store::open)
    }

    #[cfg(not(feature = "without-atomics"))]
    fn bucket(&self) -> Result<&buckets::Bucket, Error> {
        open(&self.bucket, buckets::open)
    }

    #[cfg(feature = "without-atomics")]
    #[expect(clippy::unused_self, reason = "it stands where the other one is")]
    fn store(&self) -> Result<Store, Error> {
        Store::open(LABEL).map_err(unavailable)
    }
}

#[cfg(not(feature = "without-atomics"))]
impl KeyValue for DefaultStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.store()?.get(key).map_err(unavailable)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let found = batch::get_many(self.bucket()?, keys).map_err(unavailable)?;
        Ok(in_order(keys, found))
    }

    async fn set(&self, key: &str, value: &[u8], _until: Option<u64>) -> Result<(), Error> {
        self.store()?.set(key, value).map_err(unavailable)
    }

    /// In one step: SQLite commits once, and Redis has `MSET`.
    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
        let pairs: Vec<_> = entries
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect();
        batch::set_many(self.bucket()?, &pairs).map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.store()?.delete(key).map_err(unavailable)
    }

    /// SQLite commits once for each [`MAX_DELETED`] keys.
    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        let bucket = self.bucket()?;
        for keys in keys.chunks(MAX_DELETED) {
            batch::delete_many(bucket, keys).map_err(unavailable)?;
        }
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.store()?.exists(key).map_err(unavailable)
    }

    async fn increment(&self, key: &str, delta: i64, _until: Option<u64>) -> Result<i64, Error> {
        atomics::increment(self.bucket()?, key, delta).map_err(unavailable)
    }
}

#[cfg(feature = "without-atomics")]
impl PlainKeyValue for DefaultStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.store()?.get(key).map_err(unavailable)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store()?.set(key, value).map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.store()?.delete(key).map_err(unavailable)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.store()?.exists(key).map_err(unavailable)
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        self.store()?.get_keys().map_err(unavailable)
    }
}

#[cfg(not(feature = "without-atomics"))]
fn open<T, E: std::fmt::Debug>(
    opened: &OnceLock<T>,
    open: impl FnOnce(&str) -> Result<T, E>,
) -> Result<&T, Error> {
    if let Some(opened) = opened.get() {
        return Ok(opened);
    }
    let new = open(LABEL).map_err(unavailable)?;
    Ok(opened.get_or_init(|| new))
}

fn unavailable(error: impl std::fmt::Debug) -> Error {
    Error::Unavailable(format!("{error:?}"))
}

//! The default key-value store.

use super::scheduling::note_blocking;
use std::sync::OnceLock;
use store::{Entry, Error, KeyValue, MAX_DELETED, in_order};

// The SDK's own bindings of the whole interface, though it calls them experimental: bindings of a
// part of it cannot be linked beside them into one component.
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store as buckets};

/// The default store itself, opened when it is first needed: a backend that is down when an instance
/// starts costs the requests of that moment and no others.
#[derive(Default)]
pub struct DefaultStore(OnceLock<Opened>);

struct Opened {
    store: spin_sdk::key_value::Store,
    bucket: buckets::Bucket,
}

const LABEL: &str = "default";

impl DefaultStore {
    /// Opens the store for one operation.
    async fn open(&self) -> Result<&Opened, Error> {
        note_blocking();
        if let Some(opened) = self.0.get() {
            return Ok(opened);
        }
        let opened = Opened {
            store: spin_sdk::key_value::Store::open(LABEL)
                .await
                .map_err(unavailable)?,
            bucket: buckets::open(LABEL).map_err(unavailable)?,
        };
        Ok(self.0.get_or_init(|| opened))
    }
}

impl KeyValue for DefaultStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.open().await?.store.get(key).await.map_err(unavailable)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let found = batch::get_many(&self.open().await?.bucket, keys).map_err(unavailable)?;
        Ok(in_order(keys, found))
    }

    async fn set(&self, key: &str, value: &[u8], _until: Option<u64>) -> Result<(), Error> {
        let store = &self.open().await?.store;
        store.set(key, value).await.map_err(unavailable)
    }

    /// In one step: SQLite commits once, and Redis has `MSET`.
    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
        let pairs: Vec<_> = entries
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect();
        batch::set_many(&self.open().await?.bucket, &pairs).map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let store = &self.open().await?.store;
        store.delete(key).await.map_err(unavailable)
    }

    /// SQLite commits once for each [`MAX_DELETED`] keys.
    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        let bucket = &self.open().await?.bucket;
        for keys in keys.chunks(MAX_DELETED) {
            batch::delete_many(bucket, keys).map_err(unavailable)?;
        }
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        let store = &self.open().await?.store;
        store.exists(key).await.map_err(unavailable)
    }

    async fn increment(&self, key: &str, delta: i64, _until: Option<u64>) -> Result<i64, Error> {
        atomics::increment(&self.open().await?.bucket, key, delta).map_err(unavailable)
    }
}

fn unavailable(error: impl std::fmt::Debug) -> Error {
    Error::Unavailable(format!("{error:?}"))
}

//! Spin's key-value store behind the [`store::KeyValue`] contract.

use store::{Error, KeyValue};

// The SDK's own bindings of the whole interface, though it calls them experimental: bindings of a
// part of it cannot be linked beside them into one component.
use spin_sdk::experimental::wasi::keyvalue::{atomics, store as buckets};

/// The component's default store. Open it once per instance.
pub struct SpinKeyValue {
    store: spin_sdk::key_value::Store,
    bucket: buckets::Bucket,
}

const LABEL: &str = "default";

impl SpinKeyValue {
    /// Opens the store labelled `default`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the manifest does not grant the store or the backend is down.
    pub async fn open() -> Result<Self, Error> {
        Ok(Self {
            store: spin_sdk::key_value::Store::open(LABEL)
                .await
                .map_err(unavailable)?,
            bucket: buckets::open(LABEL).map_err(unavailable)?,
        })
    }
}

impl KeyValue for SpinKeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.store.get(key).await.map_err(unavailable)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store.set(key, value).await.map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.store.delete(key).await.map_err(unavailable)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.store.exists(key).await.map_err(unavailable)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.bucket, key, delta).map_err(unavailable)
    }
}

fn unavailable(error: impl std::fmt::Debug) -> Error {
    Error::Unavailable(format!("{error:?}"))
}

//! The key-value store, opened when it is first needed: a backend that is down when the instance
//! starts costs the requests of that moment and no others.

use platform::key_value::SpinKeyValue;
use std::sync::OnceLock;
use store::{Error, KeyValue};

/// The component's default store.
#[derive(Default)]
pub(crate) struct LazyKeyValue(OnceLock<SpinKeyValue>);

impl LazyKeyValue {
    async fn open(&self) -> Result<&SpinKeyValue, Error> {
        if let Some(store) = self.0.get() {
            return Ok(store);
        }
        let store = SpinKeyValue::open().await?;
        Ok(self.0.get_or_init(|| store))
    }
}

impl KeyValue for LazyKeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.open().await?.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.open().await?.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.open().await?.delete(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.open().await?.exists(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        self.open().await?.increment(key, delta).await
    }
}

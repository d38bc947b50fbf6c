//! A key-value store in memory that several instances share.

use std::sync::Arc;
use store::{KeyValue, MemoryKeyValue};

/// A store that several instances share.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<MemoryKeyValue>);

impl KeyValue for Shared {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, store::Error> {
        self.0.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), store::Error> {
        self.0.set(key, value, until).await
    }

    async fn delete(&self, key: &str) -> Result<(), store::Error> {
        self.0.delete(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, store::Error> {
        self.0.exists(key).await
    }

    async fn increment(
        &self,
        key: &str,
        delta: i64,
        until: Option<u64>,
    ) -> Result<i64, store::Error> {
        self.0.increment(key, delta, until).await
    }
}

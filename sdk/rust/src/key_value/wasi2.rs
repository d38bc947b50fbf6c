//! Stores of Spin with WASI 0.2. While one is waited for, so is the whole instance, which serves one call.

use crate::platform_portable::fermyon::spin::key_value;

pub(super) use key_value::Error;

#[derive(Debug)]
pub(super) struct Store(key_value::Store);

impl Store {
    pub(super) async fn open(name: &str) -> Result<Self, Error> {
        key_value::Store::open(name).map(Self)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key)
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key, value)
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key)
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.0.exists(key)
    }
}

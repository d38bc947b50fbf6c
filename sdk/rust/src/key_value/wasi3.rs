//! Stores of Spin with WASI 0.3.

use crate::platform_main::spin::key_value::key_value;

pub(super) use key_value::Error;

#[derive(Debug)]
pub(super) struct Store(key_value::Store);

impl Store {
    pub(super) async fn open(name: &str) -> Result<Self, Error> {
        key_value::Store::open(name.to_owned()).await.map(Self)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key.to_owned()).await
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key.to_owned(), value.to_owned()).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key.to_owned()).await
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.0.exists(key.to_owned()).await
    }
}

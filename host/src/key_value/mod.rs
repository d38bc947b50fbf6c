//! Key-value stores: the backends, and the interfaces that components reach them by.

mod error;
mod granted;
mod redis;
mod regions;
mod restricted;
mod sqlite;
mod wasip2;
mod wasip3;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

pub use self::error::KeyValueError;
use self::error::Pairs;
pub use self::granted::{Cas, Store};
pub(crate) use self::{regions::Region, restricted::Stores};

/// No value and no list of keys may be larger than this many bytes.
const MAX_RESULT: usize = 128 << 20;

/// What holds the values of one or more stores. Clones share it, so that a second host can go on with the first one's data.
#[derive(Clone)]
pub struct KeyValue(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<sqlite::Database>),
    Redis(Arc<redis::Server>),
}

impl KeyValue {
    /// An SQLite database in memory, gone with the last clone.
    pub fn memory() -> Self {
        Self(Backend::Sqlite(Arc::new(sqlite::Database::new(None))))
    }

    /// An SQLite database in a file, which is made on first use, with its directory.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Backend::Sqlite(Arc::new(sqlite::Database::new(Some(
            path.into(),
        )))))
    }

    /// A Redis server, by its URL. As in Spin, all stores on it share one key space. Its connection belongs to the host that first uses
    /// it: give each host a value of its own.
    ///
    /// # Errors
    /// The URL is not one of Redis.
    pub fn redis(url: &str) -> Result<Self, KeyValueError> {
        Ok(Self(Backend::Redis(Arc::new(redis::Server::new(url)?))))
    }

    /// Opens the store of this label, to look at it or to change it from outside of any component.
    ///
    /// # Errors
    /// The database cannot be opened or the server cannot be reached.
    pub async fn open(&self, label: &str) -> Result<KeyValueStore, KeyValueError> {
        Ok(KeyValueStore(match &self.0 {
            Backend::Sqlite(database) => StoreBackend::Sqlite(database.open(label)?),
            Backend::Redis(server) => StoreBackend::Redis(Arc::new(server.open().await?)),
        }))
    }
}

/// One open store.
#[derive(Clone)]
pub struct KeyValueStore(StoreBackend);

#[derive(Clone)]
enum StoreBackend {
    Sqlite(sqlite::Store),
    Redis(Arc<redis::Store>),
}

/// Calls the method of the same name on whichever backend there is; SQLite's answer at once.
macro_rules! delegate {
    ($store:expr, $method:ident($($argument:expr),*)) => {
        match &$store.0 {
            StoreBackend::Sqlite(store) => store.$method($($argument),*),
            StoreBackend::Redis(store) => store.$method($($argument),*).await,
        }
    };
}

impl KeyValueStore {
    /// Returns the value of a key, if it has one.
    ///
    /// # Errors
    /// The backend's, or the value is larger than 128 MiB.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let value = delegate!(self, get(key))?;
        limit(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// The backend's.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), KeyValueError> {
        delegate!(self, set(key, value))
    }

    /// Removes a key; it need not be there.
    ///
    /// # Errors
    /// The backend's.
    pub async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        delegate!(self, delete(key))
    }

    /// Whether a key has a value.
    ///
    /// # Errors
    /// The backend's.
    pub async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        delegate!(self, exists(key))
    }

    /// Returns every key, in no particular order.
    ///
    /// # Errors
    /// The backend's, or the keys are larger than 128 MiB.
    pub async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        let keys = delegate!(self, keys())?;
        limit(keys.iter().map(|key| key.len() + size_of::<String>()).sum())?;
        Ok(keys)
    }

    /// Adds to the number that a key holds, 0 where it holds none, and returns the sum.
    ///
    /// # Errors
    /// The backend's, or the key holds something else than a number, or the sum is out of range.
    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        delegate!(self, increment(key, delta))
    }

    async fn get_many(&self, keys: Vec<String>) -> Result<Pairs, KeyValueError> {
        let pairs = delegate!(self, get_many(keys))?;
        limit(
            pairs
                .iter()
                .map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len))
                .sum(),
        )?;
        Ok(pairs)
    }

    /// Sets several keys, in one transaction.
    ///
    /// # Errors
    /// The backend's.
    pub async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<(), KeyValueError> {
        delegate!(self, set_many(pairs))
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), KeyValueError> {
        delegate!(self, delete_many(keys))
    }
}

fn limit(bytes: usize) -> Result<(), KeyValueError> {
    if bytes > MAX_RESULT {
        return Err(KeyValueError(format!(
            "query result exceeds limit of {MAX_RESULT} bytes"
        )));
    }
    Ok(())
}

/// The backends of an application's stores by label.
pub(crate) type Backends = BTreeMap<String, KeyValue>;

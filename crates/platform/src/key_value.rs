//! The component's store behind the [`store::KeyValue`] contract: Spin's default key-value store, or a Redis.

#[cfg(feature = "portable")]
use crate::wasi2::{clock::monotonic, key_value::DefaultStore};
#[cfg(not(feature = "portable"))]
use crate::wasi3::{clock::monotonic, key_value::DefaultStore};

use crate::redis::RedisConnection;
use std::time::Duration;
#[cfg(feature = "without-atomics")]
use store::WithoutAtomics;
use store::{Capabilities, Claimed, Clock, Deadlined, Entry, Error, KeyValue, RedisKeyValue};

/// Returns the store: the Redis at `redis_url`, or the component's default key-value store. Either is opened when
/// it is first needed.
pub fn open(redis_url: Option<&str>) -> KeyValueStore {
    match redis_url {
        Some(url) => {
            let redis = RedisKeyValue::new(RedisConnection::new(url));
            KeyValueStore::Redis(Deadlined::new(redis, PlatformClock))
        }
        None => KeyValueStore::Spin(host_store()),
    }
}

/// The component's store. Each call of what holds it has a deadline.
pub enum KeyValueStore {
    /// Spin's default key-value store.
    Spin(HostStore),
    /// A Redis that the application speaks to itself.
    Redis(Deadlined<RedisKeyValue<RedisConnection>, PlatformClock>),
}

/// Spin's default key-value store, whose claims are atomic.
#[cfg(not(feature = "without-atomics"))]
pub type HostStore = Deadlined<DefaultStore, PlatformClock>;

#[cfg(not(feature = "without-atomics"))]
fn host_store() -> HostStore {
    HostStore::default()
}

/// Spin's default key-value store, whose claims are timed.
#[cfg(feature = "without-atomics")]
pub type HostStore =
    WithoutAtomics<Deadlined<DefaultStore, PlatformClock>, PlatformClock, fn() -> [u8; 16]>;

/// The hosts without atomics do not say in how many regions their stores are.
#[cfg(feature = "without-atomics")]
fn host_store() -> HostStore {
    let store = Deadlined::new(DefaultStore, PlatformClock);
    WithoutAtomics::new(store, PlatformClock, rand::random, store::Regions::Several)
}

/// Calls a method of the store that there is.
macro_rules! of_store {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            KeyValueStore::Spin($store) => $call,
            KeyValueStore::Redis($store) => $call,
        }
    };
}

impl KeyValue for KeyValueStore {
    fn capabilities(&self) -> Capabilities {
        of_store!(self, store => store.capabilities())
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        of_store!(self, store => store.get(key).await)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        of_store!(self, store => store.get_many(keys).await)
    }

    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
        of_store!(self, store => store.set(key, value, until).await)
    }

    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
        of_store!(self, store => store.set_many(entries).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        of_store!(self, store => store.delete(key).await)
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        of_store!(self, store => store.delete_many(keys).await)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        of_store!(self, store => store.exists(key).await)
    }

    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        of_store!(self, store => store.increment(key, delta, until).await)
    }

    async fn counted(&self, key: &str) -> Result<Option<i64>, Error> {
        of_store!(self, store => store.counted(key).await)
    }

    async fn claim(&self, key: &str, note: i64, until: Option<u64>) -> Result<Claimed, Error> {
        of_store!(self, store => store.claim(key, note, until).await)
    }

    async fn claim_with(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<bool, Error> {
        of_store!(self, store => store.claim_with(key, value, until).await)
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        of_store!(self, store => store.keys().await)
    }
}

/// The monotonic clock.
#[derive(Default)]
pub struct PlatformClock;

impl Clock for PlatformClock {
    fn now(&self) -> u64 {
        monotonic() / 1_000_000
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        crate::time::sleep(duration)
    }
}

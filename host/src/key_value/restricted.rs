//! The restrictions of stores: sizes, numbers of keys, rates, and regions.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use host_limits::KeyValueLimits;
use tokio::sync::{Mutex, MutexGuard};
use wasmtime_wasi::HostWallClock;

use super::{
    Backends, KeyValue, KeyValueStore,
    error::{KeyValueError, Pairs},
    regions::{Region, Writes},
};
use crate::{clock::Clock, rate::Rate};

/// The stores of an application by label, with their restrictions if there are some.
pub(crate) struct Stores(BTreeMap<String, (KeyValue, Option<Arc<Restrictions>>)>);

impl Stores {
    pub(crate) fn new(backends: Backends, limits: &KeyValueLimits, clock: &Clock) -> Self {
        let stores = backends.into_iter().map(|(label, backend)| {
            let restrictions = Restrictions::new(limits, clock).map(Arc::new);
            (label, (backend, restrictions))
        });
        Self(stores.collect())
    }

    pub(crate) fn contains(&self, label: &str) -> bool {
        self.0.contains_key(label)
    }

    pub(super) fn get(&self, label: &str) -> Option<&(KeyValue, Option<Arc<Restrictions>>)> {
        self.0.get(label)
    }
}

/// What restricts a store, for all who have it open.
pub(crate) struct Restrictions {
    limits: KeyValueLimits,
    clock: Clock,
    reads: Option<Rate>,
    writes: Option<Rate>,
    /// Held from a look at what is there until it is written.
    noted: Mutex<Writes>,
}

impl Restrictions {
    /// Nothing if there are no restrictions.
    fn new(limits: &KeyValueLimits, clock: &Clock) -> Option<Self> {
        let rate = |most: u32| Rate::new(most, Duration::from_secs(1));
        (*limits != KeyValueLimits::default()).then(|| Self {
            limits: limits.clone(),
            clock: clock.clone(),
            reads: limits.max_reads_per_second.map(rate),
            writes: limits.max_writes_per_second.map(rate),
            noted: Mutex::default(),
        })
    }

    fn read<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Result<(), KeyValueError> {
        let mut number = 0;
        for key in keys {
            self.check_key(key)?;
            number += 1;
        }
        self.take(self.reads.as_ref(), number)
    }

    fn write<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), KeyValueError> {
        let mut number = 0;
        for (key, value) in pairs {
            self.check_key(key)?;
            check_length("value", value.len(), self.limits.max_value_bytes)?;
            number += 1;
        }
        self.take(self.writes.as_ref(), number)
    }

    fn check_key(&self, key: &str) -> Result<(), KeyValueError> {
        check_length("key", key.len(), self.limits.max_key_bytes)
    }

    fn take(&self, rate: Option<&Rate>, number: usize) -> Result<(), KeyValueError> {
        match rate {
            // As Spin says where its own bound is reached.
            Some(rate) if !rate.take(number, self.clock.now()) => {
                Err(KeyValueError("too many requests".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn check_length(what: &str, bytes: usize, most: Option<usize>) -> Result<(), KeyValueError> {
    match most {
        Some(most) if bytes > most => Err(KeyValueError(format!(
            "the {what} has {bytes} bytes, and may have {most}"
        ))),
        _ => Ok(()),
    }
}

/// An open store with its restrictions, as a region sees it.
#[derive(Clone)]
pub(super) struct Restricted {
    pub(super) store: KeyValueStore,
    pub(super) restrictions: Option<Arc<Restrictions>>,
    pub(super) region: Region,
}

impl Restricted {
    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let Some(restrictions) = &self.restrictions else {
            return self.store.get(key).await;
        };
        restrictions.read([key])?;
        let Some(lag) = restrictions.limits.replication_lag else {
            return self.store.get(key).await;
        };
        let noted = restrictions.noted.lock().await;
        let latest = self.store.get(key).await?;
        let now = restrictions.clock.now();
        Ok(noted.seen(key, latest, &self.region, now, lag))
    }

    /// Counts a read that is done by other means.
    pub(super) fn check_read(&self, key: &str) -> Result<(), KeyValueError> {
        match &self.restrictions {
            Some(restrictions) => restrictions.read([key]),
            None => Ok(()),
        }
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        match &self.restrictions {
            Some(restrictions) if restrictions.limits.replication_lag.is_some() => {
                Ok(self.get(key).await?.is_some())
            }
            Some(restrictions) => {
                restrictions.read([key])?;
                self.store.exists(key).await
            }
            None => self.store.exists(key).await,
        }
    }

    pub(super) async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        let Some(restrictions) = &self.restrictions else {
            return self.store.keys().await;
        };
        restrictions.take(restrictions.reads.as_ref(), 1)?;
        let Some(lag) = restrictions.limits.replication_lag else {
            return self.store.keys().await;
        };
        let noted = restrictions.noted.lock().await;
        let now = restrictions.clock.now();
        let mut keys: BTreeSet<String> = self.store.keys().await?.into_iter().collect();
        for key in noted.keys() {
            let latest = self.store.get(key).await?;
            match noted.seen(key, latest, &self.region, now, lag) {
                Some(_) => keys.insert(key.clone()),
                None => keys.remove(key),
            };
        }
        Ok(keys.into_iter().collect())
    }

    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Pairs, KeyValueError> {
        let Some(restrictions) = &self.restrictions else {
            return self.store.get_many(keys).await;
        };
        restrictions.read(keys.iter().map(String::as_str))?;
        let Some(lag) = restrictions.limits.replication_lag else {
            return self.store.get_many(keys).await;
        };
        let noted = restrictions.noted.lock().await;
        let now = restrictions.clock.now();
        let latest = self.store.get_many(keys.clone()).await?;
        let mut latest: HashMap<_, _> = latest.into_iter().collect();
        let seen = keys.into_iter().filter_map(|key| {
            let value = latest.remove(&key).flatten();
            let value = noted.seen(&key, value, &self.region, now, lag)?;
            Some((key, Some(value)))
        });
        Ok(seen.collect())
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> Result<(), KeyValueError> {
        let _noted = self.writing(&[(key, value)]).await?;
        self.store.set(key, value).await
    }

    pub(super) async fn set_many(
        &self,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<(), KeyValueError> {
        let written: Vec<(&str, &[u8])> = pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
            .collect();
        let _noted = self.writing(&written).await?;
        self.store.set_many(pairs).await
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        let _noted = self.writing(&[(key, &[])]).await?;
        self.store.increment(key, delta).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        let _noted = self.removing(&[key]).await?;
        self.store.delete(key).await
    }

    pub(super) async fn delete_many(&self, keys: Vec<String>) -> Result<(), KeyValueError> {
        let removed: Vec<&str> = keys.iter().map(String::as_str).collect();
        let _noted = self.removing(&removed).await?;
        self.store.delete_many(keys).await
    }

    /// Checks and notes that these pairs are about to be written, which is to be done while the result is held.
    pub(super) async fn writing(
        &self,
        pairs: &[(&str, &[u8])],
    ) -> Result<Option<MutexGuard<'_, Writes>>, KeyValueError> {
        let Some(restrictions) = &self.restrictions else {
            return Ok(None);
        };
        restrictions.write(pairs.iter().copied())?;
        let keys: Vec<&str> = pairs.iter().map(|(key, _)| *key).collect();
        let mut noted = restrictions.noted.lock().await;
        if let Some(most) = restrictions.limits.max_keys {
            self.check_number(&keys, most).await?;
        }
        self.note(restrictions, &mut noted, &keys).await?;
        Ok(Some(noted))
    }

    async fn removing(
        &self,
        keys: &[&str],
    ) -> Result<Option<MutexGuard<'_, Writes>>, KeyValueError> {
        let Some(restrictions) = &self.restrictions else {
            return Ok(None);
        };
        restrictions.write(keys.iter().map(|key| (*key, &[][..])))?;
        let mut noted = restrictions.noted.lock().await;
        self.note(restrictions, &mut noted, keys).await?;
        Ok(Some(noted))
    }

    async fn check_number(&self, keys: &[&str], most: usize) -> Result<(), KeyValueError> {
        let mut new = BTreeSet::new();
        for key in keys {
            if !self.store.exists(key).await? {
                new.insert(*key);
            }
        }
        if !new.is_empty() && self.store.keys().await?.len() + new.len() > most {
            return Err(KeyValueError(format!(
                "the store has {most} keys at most, and no place for another"
            )));
        }
        Ok(())
    }

    async fn note(
        &self,
        restrictions: &Restrictions,
        noted: &mut Writes,
        keys: &[&str],
    ) -> Result<(), KeyValueError> {
        let Some(lag) = restrictions.limits.replication_lag else {
            return Ok(());
        };
        for key in keys {
            let before = self.store.get(key).await?;
            noted.note(key, before, &self.region, restrictions.clock.now(), lag);
        }
        Ok(())
    }
}

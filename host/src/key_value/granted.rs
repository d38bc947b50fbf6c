//! Stores in the hands of a component: granted by the manifest, counted, and failed or delayed by hooks.

use std::sync::Arc;

use super::{
    StoreBackend,
    error::{KeyValueError, Pairs},
    limit, redis,
    regions::Region,
    restricted::Restricted,
};
use crate::{
    component::Component,
    hooks::{KeyValueCall, Operation},
};

/// Why a store cannot be opened.
pub(crate) enum OpenError {
    NotGranted,
    Unknown,
    Backend(KeyValueError),
}

/// Gives the error type of an interface what the errors of all interfaces have.
macro_rules! convert_errors {
    ($error:ty) => {
        impl From<$crate::key_value::error::KeyValueError> for $error {
            fn from(error: $crate::key_value::error::KeyValueError) -> Self {
                Self::Other(error.0)
            }
        }

        impl From<$crate::key_value::granted::OpenError> for $error {
            fn from(error: $crate::key_value::granted::OpenError) -> Self {
                use $crate::key_value::granted::OpenError;

                match error {
                    OpenError::NotGranted => Self::AccessDenied,
                    OpenError::Unknown => Self::NoSuchStore,
                    OpenError::Backend(error) => error.into(),
                }
            }
        }
    };
}
pub(super) use convert_errors;

/// An open store in the hands of a component: every call is counted, and may be failed or delayed by a hook.
#[derive(Clone)]
pub struct Store {
    component: Arc<Component>,
    label: Arc<str>,
    inner: Restricted,
}

impl Store {
    pub(super) async fn open(
        component: Arc<Component>,
        region: Region,
        label: &str,
    ) -> Result<Self, OpenError> {
        if !component.key_value_stores.contains(label) {
            return Err(OpenError::NotGranted);
        }
        let (backend, restrictions) = component
            .key_value
            .get(label)
            .ok_or(OpenError::Unknown)?
            .clone();
        announce(&component, label, Operation::Open, "")
            .await
            .map_err(OpenError::Backend)?;
        let store = backend
            .open(label)
            .await
            .map_err(|error| OpenError::Backend(logged(error)))?;
        let inner = Restricted {
            store,
            restrictions,
            region,
        };
        Ok(Self {
            component,
            label: label.into(),
            inner,
        })
    }

    pub(super) async fn announced(
        &self,
        operation: Operation,
        key: &str,
    ) -> Result<&Restricted, KeyValueError> {
        announce(&self.component, &self.label, operation, key).await?;
        Ok(&self.inner)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        self.announced(Operation::Get, key)
            .await?
            .get(key)
            .await
            .map_err(logged)
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> Result<(), KeyValueError> {
        self.announced(Operation::Set, key)
            .await?
            .set(key, value)
            .await
            .map_err(logged)
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        self.announced(Operation::Delete, key)
            .await?
            .delete(key)
            .await
            .map_err(logged)
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        self.announced(Operation::Exists, key)
            .await?
            .exists(key)
            .await
            .map_err(logged)
    }

    pub(super) async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        self.announced(Operation::Keys, "")
            .await?
            .keys()
            .await
            .map_err(logged)
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        self.announced(Operation::Increment, key)
            .await?
            .increment(key, delta)
            .await
            .map_err(logged)
    }

    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Pairs, KeyValueError> {
        let inner = self
            .announced(Operation::GetMany, keys.first().map_or("", |key| key))
            .await?
            .clone();
        inner.get_many(keys).await.map_err(logged)
    }

    pub(super) async fn set_many(
        &self,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<(), KeyValueError> {
        let inner = self
            .announced(Operation::SetMany, pairs.first().map_or("", |(key, _)| key))
            .await?
            .clone();
        inner.set_many(pairs).await.map_err(logged)
    }

    pub(super) async fn delete_many(&self, keys: Vec<String>) -> Result<(), KeyValueError> {
        let inner = self
            .announced(Operation::DeleteMany, keys.first().map_or("", |key| key))
            .await?
            .clone();
        inner.delete_many(keys).await.map_err(logged)
    }
}

async fn announce(
    component: &Component,
    label: &str,
    operation: Operation,
    key: &str,
) -> Result<(), KeyValueError> {
    component.counters.count(operation);
    let Some(hook) = &component.hooks.key_value else {
        return Ok(());
    };
    let call = KeyValueCall {
        component: component.id.clone(),
        store: label.to_owned(),
        operation,
        key: key.to_owned(),
    };
    hook(call).await.map_err(KeyValueError)
}

fn logged(error: KeyValueError) -> KeyValueError {
    tracing::warn!("key-value error: {error}");
    error
}

/// A compare-and-swap in the hands of a component.
pub struct Cas {
    pub(super) store: Store,
    pub(super) key: String,
    state: CasState,
}

enum CasState {
    /// The value last seen.
    Sqlite(Option<Vec<u8>>),
    /// A connection of its own, on which the key is watched.
    Redis(redis::Watch),
}

/// How a swap can fail.
pub(super) enum SwapError {
    /// The value has changed since it was read.
    Lost,
    Backend(KeyValueError),
}

impl Cas {
    pub(super) async fn new(store: Store, key: String) -> Result<Self, KeyValueError> {
        let state = match &store.inner.store.0 {
            StoreBackend::Sqlite(_) => CasState::Sqlite(None),
            StoreBackend::Redis(inner) => CasState::Redis(inner.watch(&key).await.map_err(logged)?),
        };
        Ok(Self { store, key, state })
    }

    pub(super) async fn current(&mut self) -> Result<Option<Vec<u8>>, KeyValueError> {
        let inner = self.store.announced(Operation::Get, &self.key).await?;
        inner.check_read(&self.key)?;
        let value = match &mut self.state {
            CasState::Sqlite(seen) => {
                let value = inner.store.get(&self.key).await.map_err(logged)?;
                seen.clone_from(&value);
                value
            }
            CasState::Redis(watch) => watch.current().await.map_err(logged)?,
        };
        limit(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    pub(super) async fn swap(&mut self, value: Vec<u8>) -> Result<(), SwapError> {
        let inner = self
            .store
            .announced(Operation::Swap, &self.key)
            .await
            .map_err(SwapError::Backend)?;
        let _noted = inner
            .writing(&[(&self.key, &value)])
            .await
            .map_err(SwapError::Backend)?;
        let swapped = match (&mut self.state, &inner.store.0) {
            (CasState::Sqlite(seen), StoreBackend::Sqlite(store)) => {
                store.swap(&self.key, seen.as_deref(), &value)
            }
            (CasState::Redis(watch), _) => watch.swap(value).await,
            (CasState::Sqlite(_), StoreBackend::Redis(_)) => Ok(false),
        };
        match swapped.map_err(|error| SwapError::Backend(logged(error)))? {
            true => Ok(()),
            false => Err(SwapError::Lost),
        }
    }
}

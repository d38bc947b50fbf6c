//! Key-value stores, which the manifest grants.

mod error;
#[cfg(not(target_arch = "wasm32"))]
mod memory;
#[cfg(all(target_arch = "wasm32", feature = "portable"))]
mod wasi2;
#[cfg(all(target_arch = "wasm32", not(feature = "portable")))]
mod wasi3;

pub use error::KeyValueError;
#[cfg(not(target_arch = "wasm32"))]
pub use memory::MemoryStore;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use memory::{Stores, given};

#[cfg(not(target_arch = "wasm32"))]
use memory as platform;
use serde::Serialize;
use serde::de::DeserializeOwned;
#[cfg(all(target_arch = "wasm32", feature = "portable"))]
use wasi2 as platform;
#[cfg(all(target_arch = "wasm32", not(feature = "portable")))]
use wasi3 as platform;

/// A key-value store that `spin.toml` grants to these tools: what it holds outlives the call and the instance.
///
/// ```
/// use gatehouse_sdk::{Caller, KeyValue, Result, tool};
///
/// /// Remembers where the person lives.
/// #[tool]
/// async fn move_to(city: String, caller: Caller) -> Result<String> {
///     let homes = KeyValue::open("weather").await?;
///     homes.set(&caller.subject, &city).await?;
///     Ok(format!("{city} is home now."))
/// }
/// ```
///
/// Nothing in a store expires, and no operation is atomic with another one: of two calls that read and then write the same
/// key, the later one wins. Keys have at most 256 bytes on SQLite, values 1 MB. Keys are not listed: that can stop a
/// store which others write to. Keep a list under a key of its own where one is needed.
#[derive(Debug)]
pub struct KeyValue {
    store: platform::Store,
    name: String,
}

impl KeyValue {
    /// Opens the store of this name, as `key_value_stores` of the component has it.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::NotGranted`], or [`KeyValueError::Unavailable`].
    pub async fn open(name: &str) -> Result<Self, KeyValueError> {
        let store = platform::Store::open(name).await;
        Ok(Self {
            store: store.map_err(|error| KeyValueError::of(name, error))?,
            name: name.to_owned(),
        })
    }

    /// Returns the value of a key; `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Unavailable`].
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let value = self.store.get(key).await;
        value.map_err(|error| self.failed(error))
    }

    /// Returns the value of a key as a text; `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Invalid`] if the value is not UTF-8, [`KeyValueError::Unavailable`].
    pub async fn get_text(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        let value = self.get(key).await?.map(String::from_utf8).transpose();
        value.map_err(|_| self.invalid(key, "is not UTF-8".to_owned()))
    }

    /// Returns the value of a key, read as JSON; `None` if it has none.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Invalid`] if the value is not JSON of this type, [`KeyValueError::Unavailable`].
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<T>, KeyValueError> {
        let Some(value) = self.get(key).await? else {
            return Ok(None);
        };
        // The error's text may have parts of the value.
        let read = serde_json::from_slice(&value).map(Some);
        read.map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            self.invalid(key, format!("is not the JSON that is wanted ({place})"))
        })
    }

    /// Gives a key a value: a text or bytes.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Unavailable`].
    pub async fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), KeyValueError> {
        let set = self.store.set(key, value.as_ref()).await;
        set.map_err(|error| self.failed(error))
    }

    /// Gives a key a value, written as JSON.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Invalid`] if the value cannot be written, [`KeyValueError::Unavailable`].
    pub async fn set_json(&self, key: &str, value: &impl Serialize) -> Result<(), KeyValueError> {
        let written = serde_json::to_vec(value);
        let written =
            written.map_err(|error| self.invalid(key, format!("cannot be JSON: {error}")))?;
        self.set(key, written).await
    }

    /// Removes a key. It need not be there.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Unavailable`].
    pub async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        let deleted = self.store.delete(key).await;
        deleted.map_err(|error| self.failed(error))
    }

    /// Returns whether a key has a value.
    ///
    /// # Errors
    ///
    /// [`KeyValueError::Unavailable`].
    pub async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        let exists = self.store.exists(key).await;
        exists.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: platform::Error) -> KeyValueError {
        KeyValueError::of(&self.name, error)
    }

    fn invalid(&self, key: &str, what: String) -> KeyValueError {
        KeyValueError::Invalid(self.name.clone(), key.to_owned(), what)
    }
}

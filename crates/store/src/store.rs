//! The store: a backend, a prefix, and the keys of records and their slots.

use crate::key_value::{Claims, Error, KeyValue, Regions};
use crate::ledger_numbers::LedgerNumbers;

/// The records of one deployment, under one key prefix.
///
/// Keys are `<prefix><kind>:<id>`. Ids are URL-safe Base64 or hex, and a prefix has none of `/ \ ? #`, because
/// some backend forbids each of these.
pub struct Store<K> {
    pub(crate) backend: K,
    pub(crate) prefix: String,
    pub(crate) ledger_numbers: LedgerNumbers,
}

impl<K: KeyValue> Store<K> {
    /// Opens the records in `backend` whose keys start with `prefix`.
    pub fn new(backend: K, prefix: impl Into<String>) -> Self {
        Self {
            backend,
            prefix: prefix.into(),
            ledger_numbers: LedgerNumbers::default(),
        }
    }

    /// The backend, for keys that are not records.
    pub fn backend(&self) -> &K {
        &self.backend
    }

    /// Returns whether the backend counts atomically. Without, a ring of several writers loses messages.
    pub fn has_atomics(&self) -> bool {
        self.backend.capabilities().claims == Claims::Atomic
    }

    /// Returns whether a read may see another region's write only seconds later.
    pub fn has_several_regions(&self) -> bool {
        self.backend.capabilities().regions == Regions::Several
    }

    /// Returns the backend.
    pub fn into_backend(self) -> K {
        self.backend
    }

    /// Returns the key of the record or counter `id` of this `kind`.
    pub fn key(&self, kind: &str, id: &str) -> String {
        format!("{}{kind}:{id}", self.prefix)
    }

    /// Removes a key, and returns whether it was there. Looks first, which costs less than removing an absent
    /// key.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete_key(&self, key: &str) -> Result<bool, Error> {
        if !self.backend.exists(key).await? {
            return Ok(false);
        }
        self.backend.delete(key).await?;
        Ok(true)
    }

    /// Removes those of `keys` that are there, in one step where the backend can.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete_keys(
        &self,
        keys: impl Iterator<Item = String> + Send,
    ) -> Result<(), Error> {
        let there = there(&self.backend, keys).await?;
        match there.is_empty() {
            true => Ok(()),
            false => self.backend.delete_many(there).await,
        }
    }
}

/// Returns those of `keys` that have a value.
pub(crate) async fn there(
    backend: &impl KeyValue,
    keys: impl Iterator<Item = String> + Send,
) -> Result<Vec<String>, Error> {
    let mut there = Vec::new();
    for key in keys {
        if backend.exists(&key).await? {
            there.push(key);
        }
    }
    Ok(there)
}

/// Returns the keys of the slots 0 to `slots - 1` of `key`.
pub(crate) fn slot_keys(key: &str, slots: u32) -> impl Iterator<Item = String> {
    (0..slots).map(|slot| slot_key(key, slot))
}

/// Returns the key of a slot that belongs to `key`.
pub(crate) fn slot_key(key: &str, slot: u32) -> String {
    format!("{key}.{slot}")
}

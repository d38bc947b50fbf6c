//! Records with an expiry.

use crate::store::{slot_key, slot_keys};
use crate::{Error, KeyValue, ReadAhead, Store};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The part of the key that names the kind.
    const KIND: &'static str;
}

/// The stored form of a record: with the time from which it is absent.
#[derive(Deserialize)]
struct Envelope<T> {
    /// Seconds since the Unix epoch; `None`: it never expires.
    exp: Option<u64>,
    rec: T,
}

#[derive(Serialize)]
struct EnvelopeRef<'a, T> {
    exp: Option<u64>,
    rec: &'a T,
}

/// Returns the stored form of the record under `key`.
pub(crate) fn encode<R: Record>(
    key: &str,
    record: &R,
    expires_at: Option<u64>,
) -> Result<Vec<u8>, Error> {
    let envelope = EnvelopeRef {
        exp: expires_at,
        rec: record,
    };
    serde_json::to_vec(&envelope).map_err(|_| Error::Unreadable(key.to_owned()))
}

impl<K: KeyValue> Store<K> {
    /// Returns the record with this id; `None` if there is none, or it expired at or before `now` (seconds
    /// since the Unix epoch).
    ///
    /// # Errors
    ///
    /// Fails if the backend does, or with [`Error::Unreadable`].
    pub async fn get<R: Record>(&self, id: &str, now: u64) -> Result<Option<R>, Error> {
        self.get_ahead(id, now, &mut ReadAhead::default()).await
    }

    /// Returns the same record. Takes it from `ahead` if its [`key`](Self::key) was read ahead.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_ahead<R: Record>(
        &self,
        id: &str,
        now: u64,
        ahead: &mut ReadAhead,
    ) -> Result<Option<R>, Error> {
        let found = self.find(id, now, ahead).await?;
        Ok(found.map(|(record, _)| record))
    }

    /// Returns the record with the time at which it expires (seconds since the Unix epoch), if it does.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_with_expiry<R: Record>(
        &self,
        id: &str,
        now: u64,
    ) -> Result<Option<(R, Option<u64>)>, Error> {
        self.find(id, now, &mut ReadAhead::default()).await
    }

    async fn find<R: Record>(
        &self,
        id: &str,
        now: u64,
        ahead: &mut ReadAhead,
    ) -> Result<Option<(R, Option<u64>)>, Error> {
        let key = self.key(R::KIND, id);
        let Some(bytes) = ahead.get(&self.backend, &key).await? else {
            return Ok(None);
        };
        let envelope: Envelope<R> =
            serde_json::from_slice(&bytes).map_err(|_| Error::Unreadable(key))?;
        let alive = envelope.exp.is_none_or(|exp| exp > now);
        Ok(alive.then_some((envelope.rec, envelope.exp)))
    }

    /// Returns whether there is a record with this id, expired or not, without parsing it.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn exists<R: Record>(&self, id: &str) -> Result<bool, Error> {
        self.backend.exists(&self.key(R::KIND, id)).await
    }

    /// Returns the key of a slot of the record with this id.
    pub fn slot_key<R: Record>(&self, id: &str, slot: u32) -> String {
        slot_key(&self.key(R::KIND, id), slot)
    }

    /// Removes the record with this id and its slots.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete_with_slots<R: Record>(&self, id: &str, slots: u32) -> Result<(), Error> {
        let key = self.key(R::KIND, id);
        self.backend.delete(&key).await?;
        self.delete_keys(slot_keys(&key, slots)).await
    }

    /// Removes the record with this id, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn delete<R: Record>(&self, id: &str) -> Result<(), Error> {
        self.backend.delete(&self.key(R::KIND, id)).await
    }
}

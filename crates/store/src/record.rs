//! Records with an expiry.

use crate::ledger::COMPANION;
use crate::store::slot_key;
use crate::{Error, KeyValue, Store};
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
        let found = self.get_with_expiry(id, now).await?;
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
        let key = self.key(R::KIND, id);
        let Some(bytes) = self.backend.get(&key).await? else {
            return Ok(None);
        };
        let envelope: Envelope<R> =
            serde_json::from_slice(&bytes).map_err(|_| Error::Unreadable(key))?;
        let alive = envelope.exp.is_none_or(|exp| exp > now);
        Ok(alive.then_some((envelope.rec, envelope.exp)))
    }

    /// Writes a record that expires at `expires_at` (seconds since the Unix epoch), or never.
    ///
    /// Does **not** schedule the expiry for the sweep: for records that never expire, or replace one that is
    /// scheduled.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn put<R: Record>(
        &self,
        id: &str,
        record: &R,
        expires_at: Option<u64>,
    ) -> Result<(), Error> {
        let key = self.key(R::KIND, id);
        let bytes = encode(&key, record, expires_at)?;
        self.backend.set(&key, &bytes, expires_at).await
    }

    /// Writes a new record that expires at `expires_at` (seconds since the Unix epoch), and schedules its
    /// expiry.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn create<R: Record>(
        &self,
        id: &str,
        record: &R,
        expires_at: u64,
    ) -> Result<(), Error> {
        // Scheduled first: the sweep would never remove a record without a line.
        self.schedule_expiry(&self.key(R::KIND, id), expires_at)
            .await?;
        self.put(id, record, Some(expires_at)).await
    }

    /// Writes a new record that expires at `expires_at` (seconds since the Unix epoch), with `slots` slots:
    /// keys that the caller writes, and that the sweep removes with the record. One ledger line covers them
    /// all.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn create_with_slots<R: Record>(
        &self,
        id: &str,
        record: &R,
        slots: u32,
        expires_at: u64,
    ) -> Result<(), Error> {
        let entry = format!("{} {slots}", self.key(R::KIND, id));
        self.schedule_expiry(&entry, expires_at).await?;
        self.put(id, record, Some(expires_at)).await
    }

    /// Schedules the expiry of the record with this id at `expires_at` (seconds since the Unix epoch), and of
    /// the keys in `companions` with it, also if the record is gone by then. One ledger line covers them all.
    /// [`put`](Self::put) writes the record.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn schedule_expiry_with<R: Record>(
        &self,
        id: &str,
        companions: &[String],
        expires_at: u64,
    ) -> Result<(), Error> {
        let mut entry = self.key(R::KIND, id);
        for key in companions {
            entry.push(COMPANION);
            entry.push_str(key);
        }
        self.schedule_expiry(&entry, expires_at).await
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
        self.delete_slots(&key, slots).await
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

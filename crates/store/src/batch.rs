//! Writes of records, each in one step with the ledger lines that cover it.
//!
//! A line comes before what it covers: the sweep would never remove a record without a line, and a line without a
//! record costs it a step.

use crate::key_value::Entry;
use crate::ledger::{COMPANION, Ledger};
use crate::record::encode;
use crate::{Error, KeyValue, Record, Store};

/// Records that are written together, with the ledger lines that cover them: in one step where the backend can,
/// otherwise the lines first, and then the records in their order ([`KeyValue::set_many`]).
pub struct Batch<'a, K> {
    store: &'a Store<K>,
    /// What expires, and when (seconds since the Unix epoch).
    scheduled: Vec<(String, u64)>,
    entries: Vec<Entry>,
}

impl<K: KeyValue> Batch<'_, K> {
    /// Adds a record that expires at `expires_at` (seconds since the Unix epoch), or never.
    ///
    /// Does **not** schedule the expiry for the sweep.
    ///
    /// # Errors
    ///
    /// Fails if the record cannot be encoded.
    pub fn put<R: Record>(
        &mut self,
        id: &str,
        record: &R,
        expires_at: Option<u64>,
    ) -> Result<(), Error> {
        let key = self.store.key(R::KIND, id);
        self.entries.push(Entry {
            value: encode(&key, record, expires_at)?,
            key,
            until: expires_at,
        });
        Ok(())
    }

    /// Adds a new record that expires at `expires_at` (seconds since the Unix epoch), and schedules its expiry.
    ///
    /// # Errors
    ///
    /// Fails if the record cannot be encoded.
    pub fn create<R: Record>(
        &mut self,
        id: &str,
        record: &R,
        expires_at: u64,
    ) -> Result<(), Error> {
        self.schedule::<R>(id, &[], expires_at);
        self.put(id, record, Some(expires_at))
    }

    /// Schedules the expiry of the record with this id at `expires_at` (seconds since the Unix epoch), and of the keys in
    /// `companions` with it, also if the record is gone by then. One ledger line covers them all.
    pub fn schedule<R: Record>(&mut self, id: &str, companions: &[String], expires_at: u64) {
        self.schedule_keys(&self.store.key(R::KIND, id), companions, expires_at);
    }

    /// Schedules the expiry of the claim `id` of this `kind` at `forget_at` (seconds since the Unix epoch), for
    /// [`claim_scheduled`](Store::claim_scheduled).
    pub fn schedule_claim(&mut self, kind: &str, id: &str, forget_at: u64) {
        self.schedule_keys(&self.store.key(kind, id), &[], forget_at);
    }

    /// Writes what was added. An empty batch costs nothing.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. Some of it may have been written then.
    pub async fn write(self) -> Result<(), Error> {
        let Self {
            store,
            scheduled,
            entries: records,
        } = self;
        let mut entries = Vec::with_capacity(scheduled.len() + records.len());
        for (entry, expires_at) in scheduled {
            entries.extend(Ledger(store).line_for(&entry, expires_at).await?);
        }
        entries.extend(records);
        match entries.as_slice() {
            [] => Ok(()),
            [Entry { key, value, until }] => store.backend.set(key, value, *until).await,
            _ => store.backend.set_many(entries).await,
        }
    }

    fn schedule_keys(&mut self, key: &str, companions: &[String], expires_at: u64) {
        let mut entry = key.to_owned();
        for key in companions {
            entry.push(COMPANION);
            entry.push_str(key);
        }
        self.scheduled.push((entry, expires_at));
    }
}

impl<K: KeyValue> Store<K> {
    /// Returns an empty batch.
    pub fn batch(&self) -> Batch<'_, K> {
        Batch {
            store: self,
            scheduled: Vec::new(),
            entries: Vec::new(),
        }
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
        let mut batch = self.batch();
        batch.put(id, record, expires_at)?;
        batch.write().await
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
        let mut batch = self.batch();
        batch.create(id, record, expires_at)?;
        batch.write().await
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
        let mut batch = self.batch();
        let entry = format!("{} {slots}", self.key(R::KIND, id));
        batch.schedule_keys(&entry, &[], expires_at);
        batch.put(id, record, Some(expires_at))?;
        batch.write().await
    }
}

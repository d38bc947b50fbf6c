//! The record of a grant: sealed, written once, and never changed.

use crate::Grant;
use keys::{KeyRing, Purpose};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Batch, KeyValue, ReadAhead, Record, Store};

const SEALED_GRANT: Purpose = Purpose("grant");

/// A grant with its sealed form, by which it is recognized when it is read again.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedGrant {
    /// The grant.
    pub grant: Grant,
    sealed: String,
}

/// What is sealed in a grant's record: the grant, and beside it which slot it has in its person's
/// index.
#[derive(Serialize)]
struct Slotted<'a> {
    #[serde(flatten)]
    grant: &'a Grant,
    slot: Option<String>,
}

/// What the end of a grant needs of a [`Slotted`].
#[derive(Deserialize)]
pub(crate) struct SlotOf {
    /// The slot that the grant has in its subject's index.
    #[serde(default)]
    pub(crate) slot: Option<String>,
    /// When the grant began, in seconds since the Unix epoch.
    pub(crate) created_at: u64,
}

/// The record of a grant.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SealedGrant(String);

impl Record for SealedGrant {
    const KIND: &'static str = "grant";
}

/// The records of grants in a store.
#[derive(Clone, Copy)]
pub(crate) struct GrantRecords<'a, K> {
    pub(crate) store: &'a Store<K>,
    pub(crate) keys: &'a KeyRing,
}

impl<K: KeyValue> GrantRecords<'_, K> {
    /// Schedules the removal of a grant's record and of what belongs to it.
    pub(crate) async fn schedule_expiry(
        &self,
        id: &str,
        companions: &[String],
        at: u64,
    ) -> Result<(), store::Error> {
        let mut batch = self.store.batch();
        batch.schedule::<SealedGrant>(id, companions, at);
        batch.write().await
    }

    /// Adds the record of a grant with this slot in its subject's index to what is written, and schedules its removal
    /// with that of `companions`.
    pub(crate) fn add(
        &self,
        batch: &mut Batch<'_, K>,
        id: &str,
        grant: &Grant,
        slot: &str,
        companions: &[String],
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        let slot = Some(slot.to_owned());
        let plain = serde_json::to_vec(&Slotted { grant, slot })
            .map_err(|_| store::Error::Unreadable(self.key(id)))?;
        let sealed = self.keys.seal(SEALED_GRANT, id.as_bytes(), &plain, random);
        batch.schedule::<SealedGrant>(id, companions, grant.expires_at);
        batch.put(id, &SealedGrant(sealed), Some(grant.expires_at))
    }

    /// Returns the key of a grant's record.
    pub(crate) fn key(&self, id: &str) -> String {
        self.store.key(SealedGrant::KIND, id)
    }

    /// Returns the grant with this id, unless it has ended by `now` (seconds since the Unix epoch). If it
    /// was `opened` before, the record is compared with what it was then, which costs less than opening it
    /// again. One read of the store, or none if the record's [`key`](Self::key) was read `ahead`.
    ///
    /// # Errors
    ///
    /// Fails if the store does. A record that no key of the ring opens is an ended grant: its key was
    /// dropped.
    pub(crate) async fn find(
        &self,
        id: &str,
        now: u64,
        opened: Option<Arc<OpenedGrant>>,
        ahead: &mut ReadAhead,
    ) -> Result<Option<Arc<OpenedGrant>>, store::Error> {
        let Some(SealedGrant(sealed)) = self.store.get_ahead(id, now, ahead).await? else {
            return Ok(None);
        };
        if let Some(opened) = opened
            && opened.sealed == sealed
        {
            return Ok(Some(opened));
        }
        let Ok(plain) = self.keys.open(SEALED_GRANT, id.as_bytes(), &sealed) else {
            return Ok(None);
        };
        let grant =
            serde_json::from_slice(&plain).map_err(|_| store::Error::Unreadable(self.key(id)))?;
        Ok(Some(Arc::new(OpenedGrant { grant, sealed })))
    }

    /// Returns where a grant stands in its subject's index, if its record can be read.
    pub(crate) async fn slot(&self, id: &str) -> Result<Option<SlotOf>, store::Error> {
        let record = match self.store.get(id, 0).await {
            Err(store::Error::Unreadable(_)) => None,
            record => record?,
        };
        Ok(record.and_then(|SealedGrant(sealed)| {
            let plain = self.keys.open(SEALED_GRANT, id.as_bytes(), &sealed).ok()?;
            serde_json::from_slice(&plain).ok()
        }))
    }

    /// Returns whether a grant's record is there. Opens nothing.
    pub(crate) async fn is_there(&self, id: &str) -> Result<bool, store::Error> {
        self.store.exists::<SealedGrant>(id).await
    }

    /// Removes the record.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), store::Error> {
        self.store.delete::<SealedGrant>(id).await
    }
}

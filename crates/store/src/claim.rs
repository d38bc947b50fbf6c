//! Claims: what may happen once, decided by a counter or by a timed claim.

use crate::key_value::Claimed;
use crate::ledger::{COMPANION, Ledger};
use crate::{Error, KeyValue, Record, Store};

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller made the claim.
    Made,
    /// Another caller made it, at this time (seconds since the Unix epoch).
    Before(u64),
}

/// The amount that a claim adds to its counter beside its time. The times of all callers that race fit below
/// it.
pub(crate) const CLAIM: i64 = 1 << 32;

/// Seconds after its epoch up to which a claim's time is exact.
const MAX_CLAIM_OFFSET: u64 = 0xffff;

impl<K: KeyValue> Store<K> {
    /// Claims what may happen once. Returns `true` to exactly one caller, also if several race; to one or none
    /// on a store without atomics ([`Claims::Timed`](crate::Claims)).
    ///
    /// The claim lasts until the sweep after `forget_at` (seconds since the Unix epoch). By then, what it
    /// guards has to be over.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. The caller must then take the claim as made.
    pub async fn claim_once(&self, kind: &str, id: &str, forget_at: u64) -> Result<bool, Error> {
        let key = self.key(kind, id);
        // A late caller writes nothing.
        if self.backend.exists(&key).await? {
            return Ok(false);
        }
        Ledger(self).schedule(&key, forget_at).await?;
        self.claim_scheduled(kind, id, forget_at).await
    }

    /// Claims as [`claim_once`](Self::claim_once) does, where the caller has scheduled the expiry of the claim
    /// ([`Batch::schedule_claim`](crate::Batch::schedule_claim)) and seen that there was none. One write.
    ///
    /// # Errors
    ///
    /// As [`claim_once`](Self::claim_once).
    pub async fn claim_scheduled(
        &self,
        kind: &str,
        id: &str,
        forget_at: u64,
    ) -> Result<bool, Error> {
        let key = self.key(kind, id);
        let claimed = self.backend.claim(&key, 1, Some(forget_at)).await?;
        Ok(claimed == Claimed::Made)
    }

    /// Notes down what should happen once, and returns `true` to the first caller. As
    /// [`claim_once`](Self::claim_once) does, but for a store without atomics: there, callers that race may all
    /// be first, and none of them waits.
    ///
    /// # Errors
    ///
    /// As [`claim_once`](Self::claim_once).
    pub async fn note_once(&self, kind: &str, id: &str, forget_at: u64) -> Result<bool, Error> {
        let key = self.key(kind, id);
        // A late caller writes nothing.
        if self.backend.exists(&key).await? {
            return Ok(false);
        }
        Ledger(self).schedule(&key, forget_at).await?;
        Ok(self.backend.increment(&key, 1, Some(forget_at)).await? == 1)
    }

    /// Claims a slot of a record as [`claim_once`](Self::claim_once) does. The slot expires with the record, at
    /// `expires_at` (seconds since the Unix epoch).
    ///
    /// # Errors
    ///
    /// As [`claim_once`](Self::claim_once).
    pub async fn claim_slot<R: Record>(
        &self,
        id: &str,
        slot: u32,
        expires_at: u64,
    ) -> Result<bool, Error> {
        let key = self.slot_key::<R>(id, slot);
        let claimed = self.backend.claim(&key, 1, Some(expires_at)).await?;
        Ok(claimed == Claimed::Made)
    }

    /// Claims as [`claim_once`](Self::claim_once) does, with the time of the claim: the `now` of the caller
    /// that succeeds, counted from `epoch` (both in seconds since the Unix epoch).
    ///
    /// Does **not** schedule the expiry for the sweep: for a claim that is a companion of a record
    /// ([`Batch::schedule`](crate::Batch::schedule)). One write.
    ///
    /// # Errors
    ///
    /// As [`claim_once`](Self::claim_once).
    pub async fn claim_at(
        &self,
        kind: &str,
        id: &str,
        epoch: u64,
        now: u64,
        forget_at: u64,
    ) -> Result<Claim, Error> {
        if let Some(at) = self.claimed_at(kind, id, epoch).await? {
            return Ok(Claim::Before(at));
        }
        let key = self.key(kind, id);
        let offset = now.saturating_sub(epoch).min(MAX_CLAIM_OFFSET);
        let claim = CLAIM + i64::try_from(offset).unwrap_or(0);
        let claimed = self.backend.claim(&key, claim, Some(forget_at)).await?;
        Ok(match claimed {
            Claimed::Made => Claim::Made,
            Claimed::Before(sum) => Claim::Before(claim_time(sum, epoch)),
        })
    }

    /// Returns the time of the claim that [`claim_at`](Self::claim_at) made with the same `epoch`; `None` if
    /// there is none.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn claimed_at(&self, kind: &str, id: &str, epoch: u64) -> Result<Option<u64>, Error> {
        let sum = self.backend.counted(&self.key(kind, id)).await?;
        Ok(sum.map(|sum| claim_time(sum, epoch)))
    }

    /// Claims the end of the record with this id, as [`claim_once`](Self::claim_once) does, and removes the
    /// record. After `forget_at` the sweep removes the claim, and the record again. A caller that writes the
    /// record at the same time has to look at [`is_claimed`](Self::is_claimed) after its write, so that the
    /// end wins. Without a ledger, a record that is written by a caller that ends there stays until it expires.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn claim_end<R: Record>(
        &self,
        kind: &str,
        id: &str,
        forget_at: u64,
    ) -> Result<(), Error> {
        let key = self.key(kind, id);
        if !self.backend.exists(&key).await? {
            let entry = format!("{key}{COMPANION}{}", self.key(R::KIND, id));
            Ledger(self).schedule(&entry, forget_at).await?;
            // Every caller may end it, so nothing has to be decided.
            self.backend.increment(&key, 1, Some(forget_at)).await?;
        }
        self.delete::<R>(id).await
    }

    /// Returns whether there is a claim, without making one.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn is_claimed(&self, kind: &str, id: &str) -> Result<bool, Error> {
        // An increment of 0 would create the key.
        self.backend.exists(&self.key(kind, id)).await
    }
}

/// Returns the time of the claim whose counter is `sum`. Callers that raced for it have added their own times,
/// which are of the same moment, so the mean is right.
fn claim_time(sum: i64, epoch: u64) -> u64 {
    let claims = (sum / CLAIM).max(1);
    let mean = (sum % CLAIM) / claims;
    epoch.saturating_add(u64::try_from(mean).unwrap_or(0))
}

//! Claims: what may happen once, decided by a counter.

use crate::ledger::COMPANION;
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
    /// Claims what may happen once. Returns `true` to exactly one caller, also if several race.
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
        self.schedule_expiry(&key, forget_at).await?;
        Ok(self.backend.increment(&key, 1).await? == 1)
    }

    /// Claims as [`claim_once`](Self::claim_once) does, with the time of the claim: the `now` of the caller
    /// that succeeds, counted from `epoch` (both in seconds since the Unix epoch). Costs no further write.
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
        self.schedule_expiry(&key, forget_at).await?;
        let offset = now.saturating_sub(epoch).min(MAX_CLAIM_OFFSET);
        let claim = CLAIM + i64::try_from(offset).unwrap_or(0);
        let sum = self.backend.increment(&key, claim).await?;
        Ok(if sum == claim {
            Claim::Made
        } else {
            Claim::Before(claim_time(sum, epoch))
        })
    }

    /// Returns the time of the claim that [`claim_at`](Self::claim_at) made with the same `epoch`; `None` if
    /// there is none.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn claimed_at(&self, kind: &str, id: &str, epoch: u64) -> Result<Option<u64>, Error> {
        let key = self.key(kind, id);
        // An increment alone would create the key.
        if !self.backend.exists(&key).await? {
            return Ok(None);
        }
        let sum = self.backend.increment(&key, 0).await?;
        Ok(Some(claim_time(sum, epoch)))
    }

    /// Claims the end of the record with this id, as [`claim_once`](Self::claim_once) does, and removes the
    /// record. After `forget_at` the sweep removes the claim, and the record again. A caller that writes the
    /// record at the same time has to look at [`is_claimed`](Self::is_claimed) after its write, so that the
    /// end wins.
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
            self.schedule_expiry(&entry, forget_at).await?;
            self.backend.increment(&key, 1).await?;
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

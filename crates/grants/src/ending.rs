//! Ending a grant, with everything that belongs to it.

use crate::Grants;
use crate::record_kinds::{code_key, companions};
use store::KeyValue;

impl<K: KeyValue> Grants<'_, K> {
    /// Ends a grant at `now` (seconds since the Unix epoch): its code, its tokens and what the
    /// identity provider gave for it, which is noted down to be revoked there (see
    /// [`with_revocations`](Grants::with_revocations)). For one that has ended already this removes
    /// what a kill left of it, and writes nothing if that is nothing.
    ///
    /// # Errors
    ///
    /// Fails if the store does. The grant's own record goes first, so that an error later on leaves no token
    /// alive.
    pub async fn end(&self, id: &str, now: u64) -> Result<(), store::Error> {
        let slot = self.records().slot(id).await?;
        let upstream = match self.upstream_records().find(id, now).await {
            Err(store::Error::Unreadable(_)) => None,
            upstream => upstream?,
        };
        let companions = companions(self.store, id, slot.as_deref());
        let is_there = self.records().is_there(id).await?;
        if is_there {
            // Due at once: a process that is killed here, or writes something of the grant right now,
            // leaves nothing that the next sweeps do not find.
            self.records().schedule_expiry(id, &companions, now).await?;
            self.records().remove(id).await?;
        }
        // The claim of the code is left to the sweep: a request that redeems the code this very moment must
        // not find it unclaimed.
        let code = code_key(self.store, id);
        for key in companions.iter().filter(|key| **key != code) {
            self.store.delete_key(key).await?;
        }
        if let Some(upstream) = upstream {
            self.revoke_upstream(upstream.tokens);
        }
        Ok(())
    }
}

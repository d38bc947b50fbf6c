//! Ending a grant, with everything that belongs to it.

use crate::Grants;
use crate::grant_limits::counts_until;
use crate::grant_record::SlotOf;
use crate::record_kinds::{INDEX_SLOT, code_key, companions};
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
        let place = self.records().slot(id).await?;
        let slot = place.as_ref().and_then(|place| place.slot.as_deref());
        let upstream = match self.upstream_records().find(id, now).await {
            Err(store::Error::Unreadable(_)) => None,
            upstream => upstream?,
        };
        let companions = companions(self.store, id, slot);
        let is_there = self.records().is_there(id).await?;
        if is_there {
            // Due at once: a process that is killed here, or writes something of the grant right now,
            // leaves nothing that the next sweeps do not find.
            self.records().schedule_expiry(id, &companions, now).await?;
            self.records().remove(id).await?;
        }
        // The claim of the code is left to the sweep: a request that redeems the code this very moment must
        // not find it unclaimed.
        let mut kept = vec![code_key(self.store, id)];
        if let Some(SlotOf {
            slot: Some(slot),
            created_at,
        }) = &place
            && let Some(until) = counts_until(*created_at, now)
        {
            self.index_slots()
                .keep(slot, id, *created_at, until)
                .await?;
            kept.push(self.store.key(INDEX_SLOT, slot));
        }
        let others = companions.into_iter().filter(|key| !kept.contains(key));
        self.store.delete_keys(others).await?;
        if let Some(upstream) = upstream {
            self.revoke_upstream(upstream.tokens);
        }
        Ok(())
    }
}

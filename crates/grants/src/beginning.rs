//! Writing a new grant, with everything that belongs to it.

use crate::record_kinds::companions;
use crate::token_format::{CODE, TokenParts, new_id};
use crate::{Grant, Grants};
use identity::UpstreamTokens;
use rand::CryptoRng;
use store::KeyValue;

/// A grant that was just made.
#[derive(Debug)]
pub struct NewGrant {
    /// Names the grant; unguessable, but no secret.
    pub id: String,
    /// The authorization code.
    pub code: String,
    /// How many older grants of the same person and client ended, as there were too many.
    pub replaced: usize,
}

impl<K: KeyValue> Grants<'_, K> {
    /// Writes a new grant and what the identity provider gave for it.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn begin(
        &self,
        grant: &Grant,
        upstream: &UpstreamTokens,
        random: &mut impl CryptoRng,
    ) -> Result<NewGrant, store::Error> {
        let id = new_id(random);
        self.create(&id, grant, Some(upstream), random).await?;
        let replaced = self
            .end_oldest(&grant.profile.subject, &grant.client_id, grant.created_at)
            .await?;
        let parts = TokenParts {
            grant_id: id,
            generation: 0,
            key: None,
        };
        Ok(NewGrant {
            code: parts.write(&CODE, self.keys),
            id: parts.grant_id,
            replaced,
        })
    }

    /// Writes a new grant, what the identity provider gave for it if it did, and its entry in its
    /// subject's index, in two steps: the number of the entry, and all else.
    pub(crate) async fn create(
        &self,
        id: &str,
        grant: &Grant,
        upstream: Option<&UpstreamTokens>,
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        let slot = self.take_slot(id, grant).await?;
        let mut batch = self.store.batch();
        // The grant last: one that its owner cannot find would be one that they cannot end.
        self.fill_slot(&mut batch, &slot, id, grant.expires_at)?;
        if let Some(upstream) = upstream {
            self.upstream_records()
                .add(&mut batch, id, upstream, grant.expires_at, random)?;
        }
        let companions = companions(self.store, id, Some(&slot));
        self.records()
            .add(&mut batch, id, grant, slot, &companions, random)?;
        batch.write().await
    }
}

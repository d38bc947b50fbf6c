//! Writing a new grant, with everything that belongs to it.

use crate::grant_limits::Standing;
use crate::record_kinds::companions;
use crate::token_format::{CODE, TokenParts, new_id};
use crate::{Grant, Grants};
use identity::UpstreamTokens;
use rand::CryptoRng;
use store::{Batch, KeyValue};

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

/// A grant that is written and whose code no one has: [confirmed](Grants::confirm), or [taken back](Grants::take_back).
#[derive(Debug)]
#[must_use = "a grant that is neither confirmed nor taken back lives on"]
pub struct UnconfirmedGrant {
    id: String,
    /// Older grants that end with the confirmation.
    replaced: Vec<String>,
}

/// Why a grant was not written.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The person has begun [`MAX_GRANTS_PER_HOUR`](crate::MAX_GRANTS_PER_HOUR) in this hour.
    #[error("the person has begun too many grants in this hour")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl<K: KeyValue> Grants<'_, K> {
    /// Writes a new grant and what the identity provider gave for it, and confirms it.
    ///
    /// # Errors
    ///
    /// [`BeginError`].
    pub async fn begin(
        &self,
        grant: &Grant,
        upstream: &UpstreamTokens,
        random: &mut impl CryptoRng,
    ) -> Result<NewGrant, BeginError> {
        let batch = self.store.batch();
        let unconfirmed = self
            .begin_unconfirmed(grant, upstream, batch, random)
            .await?;
        Ok(self.confirm(unconfirmed, grant.created_at).await?)
    }

    /// Writes a new grant, what the identity provider gave for it, and what is in `batch`: in two steps, of which the
    /// first gives the grant a number in its person's index.
    ///
    /// # Errors
    ///
    /// [`BeginError`]. For a person who has begun too many nothing is written, or a number is lost if sign-ins race.
    pub async fn begin_unconfirmed(
        &self,
        grant: &Grant,
        upstream: &UpstreamTokens,
        batch: Batch<'_, K>,
        random: &mut impl CryptoRng,
    ) -> Result<UnconfirmedGrant, BeginError> {
        let standing = self.standing(grant).await?;
        if !standing.has_room() {
            return Err(BeginError::TooMany);
        }
        let id = new_id(random);
        let (slot, number) = self.index_slots().take(&id, grant).await?;
        if !standing.has_room_for(number) {
            return Err(BeginError::TooMany);
        }
        self.write(&id, grant, Some(upstream), &slot, batch, random)
            .await?;
        let Standing { replaced, .. } = standing;
        Ok(UnconfirmedGrant { id, replaced })
    }

    /// Ends the older grants that a new one takes the place of, at `now` (seconds since the Unix epoch), and returns it
    /// with its code.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn confirm(
        &self,
        grant: UnconfirmedGrant,
        now: u64,
    ) -> Result<NewGrant, store::Error> {
        let UnconfirmedGrant { id, replaced } = grant;
        for id in &replaced {
            self.end(id, now).await?;
        }
        let parts = TokenParts {
            grant_id: id,
            generation: 0,
            key: None,
        };
        Ok(NewGrant {
            code: parts.write(&CODE, self.keys),
            id: parts.grant_id,
            replaced: replaced.len(),
        })
    }

    /// Removes a grant again at `now` (seconds since the Unix epoch), with all that was written for it. Its upstream tokens
    /// are not revoked: they may be those of the grant that lives in its place.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn take_back(&self, grant: UnconfirmedGrant, now: u64) -> Result<(), store::Error> {
        Grants::new(self.store, self.keys).end(&grant.id, now).await
    }

    /// Writes a new grant of a client, which the identity provider gave nothing for.
    pub(crate) async fn create(
        &self,
        id: &str,
        grant: &Grant,
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        let (slot, _) = self.index_slots().take(id, grant).await?;
        self.write(id, grant, None, &slot, self.store.batch(), random)
            .await
    }

    /// Writes a new grant with what belongs to it, and what is in `batch`.
    async fn write(
        &self,
        id: &str,
        grant: &Grant,
        upstream: Option<&UpstreamTokens>,
        slot: &str,
        mut batch: Batch<'_, K>,
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        // The grant last: one that its owner cannot find would be one that they cannot end.
        self.index_slots().fill(&mut batch, slot, id, grant)?;
        if let Some(upstream) = upstream {
            self.upstream_records()
                .add(&mut batch, id, upstream, grant.expires_at, random)?;
        }
        let companions = companions(self.store, id, Some(slot));
        self.records()
            .add(&mut batch, id, grant, slot, &companions, random)?;
        batch.write().await
    }
}

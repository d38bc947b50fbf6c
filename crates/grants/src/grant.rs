//! The grant itself.

use crate::Grants;
use crate::token_format::{CODE, ID_BYTES, TokenParts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Profile, UpstreamTokens};
use keys::Purpose;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{KeyValue, Record};

const SEALED_GRANT: Purpose = Purpose("grant");

/// What a person has allowed a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The client.
    pub client_id: String,
    /// The client as the person saw it when they allowed it.
    #[serde(default)]
    pub client: ShownClient,
    /// The scopes allowed (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
    /// The resources it is good for (RFC 8707 section 2).
    pub resources: Vec<String>,
    /// The person.
    pub profile: Profile,
    /// When it began, in seconds since the Unix epoch.
    pub created_at: u64,
    /// When it ends by itself, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// What the authorization code is bound to; nothing if there never was one.
    pub code: Option<CodeBinding>,
}

/// What a person saw of a client when they allowed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownClient {
    /// What it calls itself.
    pub name: String,
    /// Where its answers go, in words: a host, a program on the person's machine, an app.
    pub destination: String,
}

/// What a request must show to redeem the code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeBinding {
    /// The redirect URI of the authorization request, if that had one (RFC 6749 section 4.1.3).
    pub redirect_uri: Option<String>,
    /// The PKCE S256 code challenge (RFC 7636 section 4.2).
    pub challenge: String,
    /// The thumbprint of the key that the client proves (RFC 9449 section 10), if the
    /// authorization request had one.
    pub dpop_jkt: Option<String>,
    /// When the code ends, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// A grant, and how it lies in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedGrant {
    /// The grant.
    pub grant: Grant,
    sealed: String,
}

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

/// What is sealed in a grant's record: the grant, and beside it which slot it has in its person's
/// index.
#[derive(Serialize)]
struct Slotted<'a> {
    #[serde(flatten)]
    grant: &'a Grant,
    slot: Option<String>,
}

/// The part of a [`Slotted`] that is not the grant.
#[derive(Deserialize)]
struct SlotOf {
    #[serde(default)]
    slot: Option<String>,
}

/// A grant as it lies in the store.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SealedGrant(String);

impl Record for SealedGrant {
    const KIND: &'static str = "grant";
}

impl<K: KeyValue> Grants<'_, K> {
    /// Writes a new grant and what the identity provider gave for it.
    ///
    /// # Errors
    ///
    /// The store's.
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
    /// subject's index.
    pub(crate) async fn create(
        &self,
        id: &str,
        grant: &Grant,
        upstream: Option<&UpstreamTokens>,
        random: &mut impl CryptoRng,
    ) -> Result<(), store::Error> {
        let subject = &grant.profile.subject;
        let slot = self.take_slot(subject, grant.created_at).await?;
        // First of all: what the sweep does not know of would never be removed, and a grant that its
        // owner cannot find would be one that they cannot end.
        let companions = self.companions(id, Some(&slot));
        self.store
            .schedule_expiry_with::<SealedGrant>(id, &companions, grant.expires_at)
            .await?;
        self.fill_slot(&slot, id, grant.expires_at).await?;
        if let Some(upstream) = upstream {
            self.write_upstream(id, upstream, grant.expires_at, random)
                .await?;
        }
        let sealed = self.seal_grant(id, grant, Some(slot), random)?;
        self.store.put(id, &sealed, Some(grant.expires_at)).await
    }

    fn seal_grant(
        &self,
        id: &str,
        grant: &Grant,
        slot: Option<String>,
        random: &mut impl CryptoRng,
    ) -> Result<SealedGrant, store::Error> {
        let plain = serde_json::to_vec(&Slotted { grant, slot })
            .map_err(|_| store::Error::Unreadable(self.store.key(SealedGrant::KIND, id)))?;
        Ok(SealedGrant(self.keys.seal(
            SEALED_GRANT,
            id.as_bytes(),
            &plain,
            random,
        )))
    }

    /// The grant with this id, unless it has ended by `now` (seconds since the Unix epoch). One
    /// read of the store.
    ///
    /// # Errors
    ///
    /// The store's. A record that no key of the ring opens is an ended grant: its key was dropped.
    pub async fn find(&self, id: &str, now: u64) -> Result<Option<Grant>, store::Error> {
        let opened = self.find_cached(id, now, None).await?;
        Ok(opened.map(|opened| Arc::unwrap_or_clone(opened).grant))
    }

    /// The same for a grant that was `opened` before: as it lies in the store it is compared with
    /// what it was then, which costs less than opening it anew.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn find_cached(
        &self,
        id: &str,
        now: u64,
        opened: Option<Arc<OpenedGrant>>,
    ) -> Result<Option<Arc<OpenedGrant>>, store::Error> {
        let Some(SealedGrant(sealed)) = self.store.get(id, now).await? else {
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
        let grant = serde_json::from_slice(&plain)
            .map_err(|_| store::Error::Unreadable(self.store.key(SealedGrant::KIND, id)))?;
        Ok(Some(Arc::new(OpenedGrant { grant, sealed })))
    }

    /// Ends a grant at `now` (seconds since the Unix epoch): its code, its tokens and what the
    /// identity provider gave for it, which is noted down to be revoked there (see
    /// [`with_revocations`](Grants::with_revocations)). For one that has ended already this removes
    /// what a kill left of it, and writes nothing if that is nothing.
    ///
    /// # Errors
    ///
    /// The store's. The grant's own record goes first, so that an error later on leaves no token
    /// alive.
    pub async fn end(&self, id: &str, now: u64) -> Result<(), store::Error> {
        let record = self.raw(id).await?;
        let slot = record.and_then(|SealedGrant(sealed)| {
            let plain = self.keys.open(SEALED_GRANT, id.as_bytes(), &sealed).ok()?;
            serde_json::from_slice::<SlotOf>(&plain).ok()?.slot
        });
        let upstream = match self.upstream(id, now).await {
            Err(store::Error::Unreadable(_)) => None,
            upstream => upstream?,
        };
        let companions = self.companions(id, slot.as_deref());
        let is_there = self.store.exists::<SealedGrant>(id).await?;
        if is_there {
            // Due at once: a process that is killed here, or writes something of the grant right now,
            // leaves nothing that the next sweeps do not find.
            self.store
                .schedule_expiry_with::<SealedGrant>(id, &companions, now)
                .await?;
            self.store.delete::<SealedGrant>(id).await?;
        }
        for key in companions.iter().filter(|key| **key != self.code_key(id)) {
            self.store.delete_key(key).await?;
        }
        if let Some(upstream) = upstream {
            self.revoke_upstream(upstream.tokens);
        }
        Ok(())
    }

    /// Whether a grant's record is there. Opens nothing.
    pub(crate) async fn is_there(&self, id: &str) -> Result<bool, store::Error> {
        self.store.exists::<SealedGrant>(id).await
    }

    /// The keys of what belongs to a grant and ends with it. The claim of the code among them is
    /// left to the sweep: who redeems the code this very moment shall not find it unclaimed.
    fn companions(&self, id: &str, slot: Option<&str>) -> Vec<String> {
        let mut keys = vec![
            self.upstream_key(id),
            self.refresh_key(id),
            self.code_key(id),
        ];
        keys.extend(slot.map(|slot| self.slot_key(slot)));
        keys
    }

    async fn raw(&self, id: &str) -> Result<Option<SealedGrant>, store::Error> {
        match self.store.get(id, 0).await {
            Err(store::Error::Unreadable(_)) => Ok(None),
            record => record,
        }
    }
}

/// An id that nobody can guess.
pub(crate) fn new_id(random: &mut impl CryptoRng) -> String {
    let mut id = [0; ID_BYTES];
    random.fill_bytes(&mut id);
    URL_SAFE_NO_PAD.encode(id)
}

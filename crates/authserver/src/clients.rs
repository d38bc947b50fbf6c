//! Clients: configured, registered (RFC 7591), or described by the metadata document whose URL is their
//! identifier.
//!
//! | record | holds | written |
//! | --- | --- | --- |
//! | `client:<id>` | a registered [`Client`], for a day; once a person has signed in with it, for [`USED_MARGIN`] longer than its last grant | at registration, at sign-in and refresh when that moves its end, and when it is changed |
//! | `client-document:<hash>` | a client as its document had it, for a week after it was last used | at sign-in, at refresh when that moves its end, and when it is fetched again |
//! | `client-removed:<id>` | a counter: that the client was removed | when it is removed |
//! | `registrations:<hour>` | a counter: registrations of that hour | at registration |
//! | `registrations-from:<tag>:<hour>` | a counter: those of one client address | at registration |
//!
//! A removal wins over every write in flight: each writer of a registered client's record checks after the write
//! whether the client was removed, and then deletes the record. `client-removed` outlives every request in flight,
//! and the sweep that deletes it also deletes what a killed writer left.
//!
//! Only a sign-in creates the record of a document.

use crate::client_metadata_documents::{CachedClient, Documents, FetchError, RETRY_INTERVAL};
use crate::limits::Limits;
use config::Server;
use oauth::document::MIN_CACHED;
use oauth::{Client, document, secret};
use serde::{Deserialize, Serialize};
use store::{Batch, KeyValue, Record, Store};

/// Seconds that an unused registration is kept.
pub const UNUSED_TTL: u64 = 86_400;

/// Seconds that a used registration outlives its last grant: a client may come back after it.
pub const USED_MARGIN: u64 = 30 * 86_400;

/// Seconds that the last good copy of a client's document is kept after it was fetched or the client
/// last refreshed: so long may a person be away while the client's host is down.
pub const LAST_GOOD_TTL: u64 = 7 * 86_400;

/// Seconds by which an expiry has to move to be worth a write.
const MIN_EXTENSION: u64 = 86_400;

/// The claim that a registered client was removed.
const REMOVED: &str = "client-removed";

/// Seconds that it is remembered: longer than any request takes.
const REMOVED_TTL: u64 = 900;

/// Seconds of the window in which registrations are counted.
pub const WINDOW: u64 = 3600;

/// Lookup, registration and removal of clients.
pub struct Clients<'a, K> {
    store: &'a Store<K>,
    limits: Limits<'a, K>,
    config: &'a Server,
    documents: Option<&'a Documents>,
}

/// A client that has sent a request of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedClient {
    /// The client.
    pub client: Client,
    /// Whether it may ever have been given something: it was configured, or a person has signed in
    /// with it.
    pub is_used: bool,
}

/// A client that a person signs in with.
pub struct UsedClient {
    /// The client.
    pub client: Client,
    /// Whether the record of its registration is written.
    is_written: bool,
}

impl UsedClient {
    fn unchanged(client: Client) -> Self {
        Self {
            client,
            is_written: false,
        }
    }
}

/// Why a client cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is no client with this identifier.
    #[error("the client is unknown")]
    Unknown,
    /// Its metadata document cannot be had.
    #[error(transparent)]
    Document(FetchError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<FetchError> for FindError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Store(error) => Self::Store(error),
            error => Self::Document(error),
        }
    }
}

/// A registered client as it lies in the store.
#[derive(Serialize, Deserialize)]
struct ClientRecord {
    client: Client,
    /// Whether a person has signed in with it. Before there was an end to that, such a record had no
    /// expiry; it gets one when it is next used.
    kept: bool,
}

impl Record for ClientRecord {
    const KIND: &'static str = "client";
}

/// A client as its document had it.
#[derive(Serialize, Deserialize)]
struct DocumentRecord {
    client: Client,
    /// Until when it is as good as fetched, in seconds since the Unix epoch.
    good_until: u64,
}

impl Record for DocumentRecord {
    const KIND: &'static str = "client-document";
}

impl<'a, K: KeyValue> Clients<'a, K> {
    /// Returns the clients that `config` and `store` know, and those that `documents` describe. Without
    /// `documents` nothing is fetched.
    pub(crate) fn new(
        limits: Limits<'a, K>,
        config: &'a Server,
        documents: Option<&'a Documents>,
    ) -> Self {
        Self {
            store: limits.store,
            limits,
            config,
            documents,
        }
    }

    /// Counts one more registration at `now` (seconds since the Unix epoch), if the hour and the
    /// client's address have one left.
    ///
    /// # Errors
    ///
    /// Fails if the store does, here and below.
    pub async fn may_register(&self, now: u64) -> Result<bool, store::Error> {
        let Server {
            registrations_per_hour,
            registrations_per_source,
            ..
        } = self.config;
        let of_source = self.limits.of_source("registrations-from");
        let mut counters = vec![("registrations".to_owned(), *registrations_per_hour)];
        counters.extend(of_source.map(|kind| (kind, *registrations_per_source)));
        self.limits.count(&counters, WINDOW, now).await
    }

    /// Stores a new client, for [`UNUSED_TTL`].
    pub async fn add(&self, client: Client, now: u64) -> Result<(), store::Error> {
        let id = client.client_id.clone();
        let record = ClientRecord {
            client,
            kept: false,
        };
        self.store.create(&id, &record, now + UNUSED_TTL).await
    }

    /// Returns the client with this identifier, which anybody may have made up, by what is known here:
    /// nothing is fetched. For showing what a client is called.
    pub async fn find(&self, id: &str, now: u64) -> Result<Option<Client>, store::Error> {
        if let Some(client) = self.configured(id) {
            return Ok(Some(client.clone()));
        }
        if document::is_url(id) {
            let stored = self.last_good(id, now).await?;
            return Ok(stored.map(|(record, _)| record.client));
        }
        Ok(self.record(id, now).await?.map(|(record, _)| record.client))
    }

    /// Returns the client that a person is asked about: with its current document, if it has one.
    ///
    /// # Errors
    ///
    /// [`FindError`]; a document that cannot be fetched ends the request (section 5.1 of the draft).
    pub async fn resolve_for_consent(&self, id: &str, now: u64) -> Result<Client, FindError> {
        if document::is_url(id) && self.configured(id).is_none() {
            let stored = self.last_good(id, now).await?;
            let stored = stored.as_ref().map(|(record, _)| record);
            return self.fresh(id, stored, now).await;
        }
        self.find(id, now).await?.ok_or(FindError::Unknown)
    }

    /// Whether a client could be known by what is stored here. One that is not may still be described
    /// by a document, which is fetched for a client with a grant alone: a request at the token
    /// endpoint without one leads to no fetch.
    pub(crate) async fn is_stored(&self, id: &str, now: u64) -> Result<bool, store::Error> {
        if self.configured(id).is_some() || !document::is_url(id) {
            return Ok(true);
        }
        Ok(self.last_good(id, now).await?.is_some())
    }

    /// Returns the client that has sent a request of its own. For one that a person has signed in with, the last
    /// good document serves for [`LAST_GOOD_TTL`] while its host is down.
    ///
    /// # Errors
    ///
    /// [`FindError`].
    pub async fn resolve(&self, id: &str, now: u64) -> Result<ResolvedClient, FindError> {
        if let Some(client) = self.configured(id) {
            let client = client.clone();
            return Ok(ResolvedClient {
                client,
                is_used: true,
            });
        }
        if document::is_url(id) {
            let stored = self.last_good(id, now).await?.map(|(record, _)| record);
            let is_used = stored.is_some();
            let client = match (self.fresh(id, stored.as_ref(), now).await, stored) {
                (Ok(client), _) => client,
                (Err(FindError::Document(error)), Some(stored)) => {
                    log_line::write(format_args!(
                        "a client's last good document is used: {error}"
                    ));
                    self.cache(&stored.client, now + RETRY_INTERVAL);
                    stored.client
                }
                (Err(error), _) => return Err(error),
            };
            return Ok(ResolvedClient { client, is_used });
        }
        let (record, _) = self.record(id, now).await?.ok_or(FindError::Unknown)?;
        Ok(ResolvedClient {
            client: record.client,
            is_used: record.kept,
        })
    }

    /// Returns the client with this identifier, which is kept longer than the grant that ends at
    /// `grant_ends_at` (seconds since the Unix epoch): its user would be stranded without it. What keeps it is added to
    /// `batch`, and [`is_kept`](Self::is_kept) has to be asked after the batch was written.
    ///
    /// # Errors
    ///
    /// [`FindError`].
    pub async fn use_with(
        &self,
        batch: &mut Batch<'_, K>,
        id: &str,
        grant_ends_at: u64,
        now: u64,
    ) -> Result<UsedClient, FindError> {
        if let Some(client) = self.configured(id) {
            return Ok(UsedClient::unchanged(client.clone()));
        }
        if document::is_url(id) {
            let client = self.resolve(id, now).await?.client;
            self.keep_document(batch, &client, now).await?;
            return Ok(UsedClient::unchanged(client));
        }
        let (record, expires_at) = self.record(id, now).await?.ok_or(FindError::Unknown)?;
        Ok(prolong(batch, record, expires_at, grant_ends_at)?)
    }

    /// Returns whether a client is there, after what was added for it is written: a registration that was removed meanwhile
    /// is not, and its record is deleted again.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn is_kept(&self, used: &UsedClient) -> Result<bool, store::Error> {
        if !used.is_written {
            return Ok(true);
        }
        self.stays(&used.client.client_id).await
    }

    /// Keeps a client that was just [resolved](Self::resolve) at the token endpoint longer than the grant that ends at
    /// `grant_ends_at` (seconds since the Unix epoch).
    ///
    /// # Errors
    ///
    /// [`FindError`]: a registration may have been removed since.
    pub async fn mark_resolved_used(
        &self,
        client: &Client,
        grant_ends_at: u64,
        now: u64,
    ) -> Result<(), FindError> {
        let id = &client.client_id;
        let mut batch = self.store.batch();
        if self.configured(id).is_none() && document::is_url(id) {
            self.keep_document(&mut batch, client, now).await?;
            return Ok(batch.write().await?);
        }
        let used = self.use_with(&mut batch, id, grant_ends_at, now).await?;
        batch.write().await?;
        if self.is_kept(&used).await? {
            Ok(())
        } else {
            Err(FindError::Unknown)
        }
    }

    /// Adds the record of a client that a document describes to what is written, or moves its end.
    async fn keep_document(
        &self,
        batch: &mut Batch<'_, K>,
        client: &Client,
        now: u64,
    ) -> Result<(), store::Error> {
        let id = document_key(&client.client_id);
        let wanted = now + LAST_GOOD_TTL;
        match self.last_good(&client.client_id, now).await? {
            Some((record, expires_at)) => {
                if expires_at.is_some_and(|at| at + MIN_EXTENSION < wanted) {
                    batch.put(&id, &record, Some(wanted))?;
                }
            }
            None => {
                let record = DocumentRecord {
                    client: client.clone(),
                    good_until: now + MIN_CACHED,
                };
                batch.create(&id, &record, wanted)?;
            }
        }
        Ok(())
    }

    /// Returns the registered client with this identifier: not a configured one, and none of a document.
    pub async fn registered(&self, id: &str, now: u64) -> Result<Option<Client>, store::Error> {
        Ok(self.record(id, now).await?.map(|(record, _)| record.client))
    }

    /// Writes what a registered client now says of itself. `false` if it is gone.
    ///
    /// A sign-in that completes in the same instant may find its mark overwritten; the redemption
    /// of its code makes it again.
    pub async fn change(&self, client: Client, now: u64) -> Result<bool, store::Error> {
        let Some((record, expires_at)) = self.record(&client.client_id, now).await? else {
            return Ok(false);
        };
        let id = client.client_id.clone();
        let record = ClientRecord { client, ..record };
        self.write(&id, &record, expires_at).await
    }

    /// Removes a registered client at `now` (seconds since the Unix epoch). The caller makes sure that
    /// it exists, so that no claim is written for a made-up identifier.
    pub async fn remove(&self, id: &str, now: u64) -> Result<(), store::Error> {
        if is_identifier(id) {
            self.store
                .claim_end::<ClientRecord>(REMOVED, id, now + REMOVED_TTL)
                .await?;
        }
        Ok(())
    }

    /// Writes the record of a registered client over the one that is there. `false` if the client
    /// was removed in the meantime: then the record is deleted again.
    async fn write(
        &self,
        id: &str,
        record: &ClientRecord,
        expires_at: Option<u64>,
    ) -> Result<bool, store::Error> {
        self.store.put(id, record, expires_at).await?;
        self.stays(id).await
    }

    /// Returns whether a registered client whose record was just written was not removed in the meantime; otherwise the
    /// record is deleted again.
    async fn stays(&self, id: &str) -> Result<bool, store::Error> {
        // Looked at after the write: a removal that came before it deleted what was there then, and
        // one that comes after it deletes this.
        if !self.store.is_claimed(REMOVED, id).await? {
            return Ok(true);
        }
        self.store.delete::<ClientRecord>(id).await?;
        Ok(false)
    }

    fn configured(&self, id: &str) -> Option<&'a Client> {
        let clients = &self.config.clients.pre_registered;
        clients.iter().find(|client| client.client_id == id)
    }

    /// Returns a registration, and when it ends.
    async fn record(
        &self,
        id: &str,
        now: u64,
    ) -> Result<Option<(ClientRecord, Option<u64>)>, store::Error> {
        if !is_identifier(id) {
            return Ok(None);
        }
        self.store.get_with_expiry(id, now).await
    }

    async fn last_good(
        &self,
        id: &str,
        now: u64,
    ) -> Result<Option<(DocumentRecord, Option<u64>)>, store::Error> {
        self.store.get_with_expiry(&document_key(id), now).await
    }

    /// Returns the client as its document has it, by a copy that is good or by a new one.
    async fn fresh(
        &self,
        id: &str,
        stored: Option<&DocumentRecord>,
        now: u64,
    ) -> Result<Client, FindError> {
        let documents = self.documents.ok_or(FindError::Unknown)?;
        if let Some(client) = documents.cached(id, now) {
            return Ok(client);
        }
        if let Some(stored) = stored.filter(|stored| stored.good_until > now) {
            self.cache(&stored.client, stored.good_until);
            return Ok(stored.client.clone());
        }
        let origin = self.config.clients.documents_origin.as_deref();
        let private_use = self.config.clients.private_use;
        let CachedClient {
            client,
            fresh_until,
        } = documents
            .fetch(
                &self.limits,
                id,
                &self.config.scopes,
                origin,
                private_use,
                now,
            )
            .await
            .map_err(FindError::from)?;
        if stored.is_some() {
            let record = DocumentRecord {
                client: client.clone(),
                good_until: fresh_until,
            };
            // It was entered for the sweep when it was made, and will be again where it is found.
            let expires_at = Some(now + LAST_GOOD_TTL);
            self.store
                .put(&document_key(id), &record, expires_at)
                .await?;
        }
        Ok(client)
    }

    fn cache(&self, client: &Client, fresh_until: u64) {
        if let Some(documents) = self.documents {
            let client = client.clone();
            documents.insert(CachedClient {
                client,
                fresh_until,
            });
        }
    }
}

/// Moves the end of a registration, which is at `expires_at`, behind that of a grant, in what is written.
fn prolong<K: KeyValue>(
    batch: &mut Batch<'_, K>,
    mut record: ClientRecord,
    expires_at: Option<u64>,
    grant_ends_at: u64,
) -> Result<UsedClient, store::Error> {
    let wanted = grant_ends_at + USED_MARGIN;
    let ends_too_soon = expires_at.is_none_or(|at| at + MIN_EXTENSION < wanted);
    if record.kept && !ends_too_soon {
        return Ok(UsedClient::unchanged(record.client));
    }
    record.kept = true;
    let id = record.client.client_id.clone();
    if expires_at.is_none() {
        // The sweep has forgotten it. Otherwise it finds it at its old end, and enters it again
        // at its new one.
        batch.schedule::<ClientRecord>(&id, &[], wanted);
    }
    let end = expires_at.map_or(wanted, |at| wanted.max(at));
    batch.put(&id, &record, Some(end))?;
    Ok(UsedClient {
        client: record.client,
        is_written: true,
    })
}

/// Returns the key of a document's record: a URL cannot stand in a key.
fn document_key(url: &str) -> String {
    secret::hash(url)
}

/// Whether a text could be an identifier of ours, and so part of a key.
fn is_identifier(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

//! The clients that are known here, whichever way: configured, registered, or described by the
//! metadata document that their identifier is the URL of.
//!
//! | record | holds | written |
//! | --- | --- | --- |
//! | `client:<id>` | a registered [`Client`], for a day; for ever once a person has signed in with it | at registration, at the first sign-in, and when it is changed |
//! | `client-document:<hash>` | a client as its document had it, for a week after it was fetched | when a person has signed in with it, and when it is fetched again |
//! | `registrations:<hour>` | a counter: registrations of that hour | at registration |
//!
//! Nobody can make a document's record but by signing in.

use crate::documents::{Described, Documents, FetchError, PAUSE};
use config::Server;
use oauth::document::MIN_CACHED;
use oauth::{Client, document, secret};
use serde::{Deserialize, Serialize};
use store::{KeyValue, Record, Store};

/// Seconds that a registration nobody uses is kept.
pub const UNUSED_LIFETIME: u64 = 86_400;

/// Seconds that the last good copy of a client's document is kept: so long may the client's host be
/// down without any person who has signed in with the client being signed out.
pub const LAST_GOOD_LIFETIME: u64 = 7 * 86_400;

/// Seconds of the window in which registrations are counted.
pub const WINDOW: u64 = 3600;

/// The clients that are known.
pub struct Clients<'a, K> {
    store: &'a Store<K>,
    config: &'a Server,
    documents: Option<&'a Documents>,
}

/// A client, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The client.
    pub client: Client,
    /// Whether it may ever have been given something: it was configured, or a person has signed in
    /// with it.
    pub used: bool,
}

/// Why there is no such client.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nobody knows it.
    #[error("the client is not known")]
    Unknown,
    /// Its metadata document brings nothing.
    #[error(transparent)]
    Document(#[from] FetchError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A registered client as it lies in the store.
#[derive(Serialize, Deserialize)]
struct ClientRecord {
    client: Client,
    /// Whether it is kept for ever.
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
    /// The clients that `config` and `store` know, and those that `documents` describe. Without
    /// `documents` nothing is fetched.
    pub fn new(store: &'a Store<K>, config: &'a Server, documents: Option<&'a Documents>) -> Self {
        Self {
            store,
            config,
            documents,
        }
    }

    /// Whether one more client may register at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    ///
    /// The store's, here and below.
    pub async fn may_register(&self, now: u64) -> Result<bool, store::Error> {
        let per_hour = self.config.registrations_per_hour;
        self.store
            .within_limit("registrations", per_hour, WINDOW, now)
            .await
    }

    /// Keeps a new client for a day.
    pub async fn add(&self, client: Client, now: u64) -> Result<(), store::Error> {
        let id = client.client_id.clone();
        let record = ClientRecord {
            client,
            kept: false,
        };
        self.store.create(&id, &record, now + UNUSED_LIFETIME).await
    }

    /// The client with this identifier, which anybody may have made up, by what is known here:
    /// nothing is fetched. For showing what a client is called.
    pub async fn find(&self, id: &str, now: u64) -> Result<Option<Client>, store::Error> {
        if let Some(client) = self.configured(id) {
            return Ok(Some(client.clone()));
        }
        if document::is_url(id) {
            return Ok(self.last_good(id, now).await?.map(|record| record.client));
        }
        Ok(self.record(id, now).await?.map(|record| record.client))
    }

    /// The client that a person is asked about: as its document says now, if it has one.
    ///
    /// # Errors
    ///
    /// [`FindError`]; a document that cannot be fetched ends the request (section 5.1 of the draft).
    pub async fn ask_for(&self, id: &str, now: u64) -> Result<Client, FindError> {
        if document::is_url(id) && self.configured(id).is_none() {
            let stored = self.last_good(id, now).await?;
            return self.fresh(id, stored.as_ref(), now).await;
        }
        self.find(id, now).await?.ok_or(FindError::Unknown)
    }

    /// The client that has sent a request of its own. One that a person has signed in with is
    /// known though its host is down: its last good document counts, for a week.
    ///
    /// # Errors
    ///
    /// [`FindError`].
    pub async fn recognize(&self, id: &str, now: u64) -> Result<Known, FindError> {
        if let Some(client) = self.configured(id) {
            let client = client.clone();
            return Ok(Known { client, used: true });
        }
        if document::is_url(id) {
            let stored = self.last_good(id, now).await?;
            let used = stored.is_some();
            let client = match (self.fresh(id, stored.as_ref(), now).await, stored) {
                (Ok(client), _) => client,
                (Err(FindError::Document(error)), Some(stored)) => {
                    log_line::write(format_args!(
                        "a client's last good document is used: {error}"
                    ));
                    self.remember(&stored.client, now + PAUSE, now);
                    stored.client
                }
                (Err(error), _) => return Err(error),
            };
            return Ok(Known { client, used });
        }
        let record = self.record(id, now).await?.ok_or(FindError::Unknown)?;
        Ok(Known {
            client: record.client,
            used: record.kept,
        })
    }

    /// The client with this identifier, which from now on is kept: its user would be stranded
    /// without it.
    ///
    /// # Errors
    ///
    /// [`FindError`].
    pub async fn keep(&self, id: &str, now: u64) -> Result<Client, FindError> {
        if let Some(client) = self.configured(id) {
            return Ok(client.clone());
        }
        if document::is_url(id) {
            let known = self.recognize(id, now).await?;
            if !known.used {
                let record = DocumentRecord {
                    client: known.client.clone(),
                    good_until: now + MIN_CACHED,
                };
                let expires_at = now + LAST_GOOD_LIFETIME;
                self.store
                    .create(&document_key(id), &record, expires_at)
                    .await?;
            }
            return Ok(known.client);
        }
        let mut record = self.record(id, now).await?.ok_or(FindError::Unknown)?;
        if !record.kept {
            record.kept = true;
            self.store.put(id, &record, None).await?;
        }
        Ok(record.client)
    }

    /// The registered client with this identifier: not a configured one, and none of a document.
    pub async fn registered(&self, id: &str, now: u64) -> Result<Option<Client>, store::Error> {
        Ok(self.record(id, now).await?.map(|record| record.client))
    }

    /// Writes what a registered client now says of itself. `false` if it is gone.
    ///
    /// A sign-in that completes in the same instant may find its mark overwritten; the redemption
    /// of its code makes it again.
    pub async fn change(&self, client: Client, now: u64) -> Result<bool, store::Error> {
        let Some(record) = self.record(&client.client_id, now).await? else {
            return Ok(false);
        };
        let expires_at = (!record.kept).then(|| client.issued_at + UNUSED_LIFETIME);
        let id = client.client_id.clone();
        let record = ClientRecord { client, ..record };
        self.store.put(&id, &record, expires_at).await?;
        Ok(true)
    }

    /// Forgets a registered client.
    pub async fn remove(&self, id: &str) -> Result<(), store::Error> {
        if is_identifier(id) {
            self.store.delete::<ClientRecord>(id).await?;
        }
        Ok(())
    }

    fn configured(&self, id: &str) -> Option<&'a Client> {
        let clients = &self.config.clients.pre_registered;
        clients.iter().find(|client| client.client_id == id)
    }

    async fn record(&self, id: &str, now: u64) -> Result<Option<ClientRecord>, store::Error> {
        if !is_identifier(id) {
            return Ok(None);
        }
        self.store.get(id, now).await
    }

    async fn last_good(&self, id: &str, now: u64) -> Result<Option<DocumentRecord>, store::Error> {
        self.store.get(&document_key(id), now).await
    }

    /// The client as its document has it, by a copy that is good or by a new one.
    async fn fresh(
        &self,
        id: &str,
        stored: Option<&DocumentRecord>,
        now: u64,
    ) -> Result<Client, FindError> {
        let documents = self.documents.ok_or(FindError::Unknown)?;
        if let Some(client) = documents.remembered(id, now) {
            return Ok(client);
        }
        if let Some(stored) = stored.filter(|stored| stored.good_until > now) {
            self.remember(&stored.client, stored.good_until, now);
            return Ok(stored.client.clone());
        }
        let origin = self.config.clients.documents_origin.as_deref();
        let Described { client, good_until } = documents
            .fetch(id, &self.config.scopes, origin, now)
            .await?;
        if stored.is_some() {
            let record = DocumentRecord {
                client: client.clone(),
                good_until,
            };
            // It was entered for the sweep when it was made, and will be again where it is found.
            let expires_at = Some(now + LAST_GOOD_LIFETIME);
            self.store
                .put(&document_key(id), &record, expires_at)
                .await?;
        }
        Ok(client)
    }

    fn remember(&self, client: &Client, good_until: u64, now: u64) {
        if let Some(documents) = self.documents {
            let client = client.clone();
            documents.remember(Described { client, good_until }, now);
        }
    }
}

/// A URL cannot stand in a key.
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

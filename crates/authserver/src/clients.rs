//! The clients that have registered.
//!
//! | record | holds | written |
//! | --- | --- | --- |
//! | `client:<id>` | the [`Client`], for a day; for ever once a person has signed in with it | at registration, and at the first sign-in |
//! | `registrations:<hour>` | a counter: registrations of that hour | at registration |

use oauth::Client;
use serde::{Deserialize, Serialize};
use store::{KeyValue, Record, Store};

/// Seconds that a registration nobody uses is kept.
pub const UNUSED_LIFETIME: u64 = 86_400;

/// Seconds of the window in which registrations are counted.
pub const WINDOW: u64 = 3600;

/// The clients in a store.
pub struct Clients<'a, K> {
    store: &'a Store<K>,
}

/// A client as it lies in the store.
#[derive(Serialize, Deserialize)]
struct ClientRecord {
    client: Client,
    /// Whether it is kept for ever.
    kept: bool,
}

impl Record for ClientRecord {
    const KIND: &'static str = "client";
}

impl<'a, K: KeyValue> Clients<'a, K> {
    /// The clients in `store`.
    pub fn new(store: &'a Store<K>) -> Self {
        Self { store }
    }

    /// Whether one more client may register at `now` (seconds since the Unix epoch), when
    /// `per_hour` may.
    ///
    /// # Errors
    ///
    /// The store's, here and below.
    pub async fn may_register(&self, per_hour: u64, now: u64) -> Result<bool, store::Error> {
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

    /// The client with this identifier, which anybody may have made up.
    pub async fn find(&self, id: &str, now: u64) -> Result<Option<Client>, store::Error> {
        Ok(self.record(id, now).await?.map(|record| record.client))
    }

    /// The client with this identifier, which from now on is kept for ever: its user would be
    /// stranded without it.
    pub async fn keep(&self, id: &str, now: u64) -> Result<Option<Client>, store::Error> {
        let Some(mut record) = self.record(id, now).await? else {
            return Ok(None);
        };
        if !record.kept {
            record.kept = true;
            self.store.put(id, &record, None).await?;
        }
        Ok(Some(record.client))
    }

    async fn record(&self, id: &str, now: u64) -> Result<Option<ClientRecord>, store::Error> {
        if !is_identifier(id) {
            return Ok(None);
        }
        self.store.get(id, now).await
    }
}

/// Whether a text could be an identifier of ours, and so part of a key.
fn is_identifier(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

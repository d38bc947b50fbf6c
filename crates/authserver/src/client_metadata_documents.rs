//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document) and the JWK Sets of clients,
//! fetched and cached.
//!
//! An instance caches a bounded number of documents, each for as long as it is fresh. What has to hold for all
//! instances is in the store, since an instance ends after some requests:
//!
//! | key | holds |
//! | --- | --- |
//! | `document-fetches:<minute>` | a counter: fetches of all clients' hosts |
//! | `document-fetches-for:<tag>:<minute>` | a counter: fetches that one client address asked for |
//! | `document-fetches-from:<tag>:<minute>` | a counter: fetches from one host |
//! | `document-failure:<hash>` | that a fetch of a URL just failed, for [`FAILURE_TTL`] |
//!
//! The first of them bounds how many of the others there are: each stands for a fetch. The document
//! of a client that a person has signed in with is in [`clients`](crate::clients).

use crate::limits::Limits;
use cache::Cache;
use jwt::KeySet;
use oauth::document::{self, DocumentError, MIN_CACHED};
use oauth::redirect_uri::PrivateUse;
use oauth::{Client, secret};
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use std::sync::Arc;
use store::{KeyValue, Record};
use url::Url;

/// Documents, and JWK Sets, per generation of an instance's caches.
const MAX_CACHED: usize = 32;

/// Fetches of all instances in a minute.
const MAX_FETCHES: u64 = 600;

/// Fetches in a minute that one client address may ask for, so that no client uses up all of them.
const MAX_FETCHES_OF_SOURCE: u64 = 60;

/// Fetches in a minute from one host, whatever the port.
const MAX_FETCHES_OF_HOST: u64 = 20;

/// Seconds of that window.
const WINDOW: u64 = 60;

/// Seconds for which a URL is not fetched again after a failure.
const FAILURE_TTL: u64 = 10;

/// Bytes that are kept of a failure's message.
const MAX_FAILURE_BYTES: usize = 300;

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// A client's metadata document, of at most [`document::MAX_DOCUMENT_BYTES`] bytes.
    Metadata,
    /// A JWK Set, of at most [`document::MAX_KEYS_BYTES`] bytes.
    JwkSet,
}

/// A document as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedDocument {
    /// The body of the response.
    pub body: Vec<u8>,
    /// Seconds for which it may be cached.
    pub max_age: u64,
}

/// Fetches documents from clients' hosts, with limits on the address, the time and the size. An error is text for
/// a page; it says nothing of the server's own network.
pub trait DocumentFetcher: Send + Sync {
    /// Fetches from `url`, which has been [checked](document::check_url).
    fn fetch<'a>(
        &'a self,
        kind: DocumentKind,
        url: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<FetchedDocument, String>> + Send + 'a>>;
}

/// Why a document or a JWK Set cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL must not be fetched.
    #[error("{0}")]
    Url(#[from] document::UrlError),
    /// The host did not send it.
    #[error("{0}")]
    Unavailable(String),
    /// A limit on fetches is reached.
    #[error("too many clients' documents were fetched just now; try again in a minute")]
    TooMany,
    /// The document is invalid.
    #[error("the document at this URL is refused: {0}")]
    Refused(#[from] DocumentError),
    /// The JWK Set is invalid.
    #[error("the client's jwks_uri gives no keys: {0}")]
    Keys(jwt::KeyError),
    /// A fetch of the same URL failed a moment ago.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl FetchError {
    /// Whether the same fetch may succeed later, without a change by the client.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::TooMany => true,
            Self::Failed(failure) => failure.temporary,
            _ => false,
        }
    }
}

/// A failed fetch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    #[serde(rename = "words")]
    message: String,
    temporary: bool,
}

impl Record for Failure {
    const KIND: &'static str = "document-failure";
}

/// A client as its metadata document describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedClient {
    /// The client.
    pub client: Client,
    /// Until when the document is fresh, in seconds since the Unix epoch.
    pub fresh_until: u64,
}

/// The documents that an instance caches, and the way to others.
pub struct Documents {
    fetcher: Box<dyn DocumentFetcher>,
    clients: Cache<String, CachedClient>,
    keys: Cache<String, CachedKeys>,
}

#[derive(Clone)]
struct CachedKeys {
    keys: Arc<KeySet>,
    fetched_at: u64,
    fresh_until: u64,
}

impl Documents {
    /// Returns an empty cache in front of `fetcher`.
    pub fn new(fetcher: impl DocumentFetcher + 'static) -> Self {
        Self {
            fetcher: Box::new(fetcher),
            clients: Cache::new(MAX_CACHED),
            keys: Cache::new(MAX_CACHED),
        }
    }

    /// Returns the cached client, if it is fresh at `now` (seconds since the Unix epoch).
    pub(crate) fn cached(&self, client_id: &str, now: u64) -> Option<Client> {
        let cached = self.clients.get(client_id)?;
        (cached.fresh_until > now).then_some(cached.client)
    }

    /// Caches a client.
    pub(crate) fn insert(&self, cached: CachedClient) {
        self.clients.insert(cached.client.client_id.clone(), cached);
    }

    /// Fetches the document of a client and caches it. `scopes` are the scopes that exist,
    /// `extra_origin` is as [`document::check_url`] has it, `private_use` says which private-use
    /// schemes its redirect URIs may have.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub(crate) async fn fetch<K: KeyValue>(
        &self,
        limits: &Limits<'_, K>,
        client_id: &str,
        scopes: &[String],
        extra_origin: Option<&str>,
        private_use: PrivateUse,
        now: u64,
    ) -> Result<CachedClient, FetchError> {
        let read = |body: &[u8]| {
            Ok(document::read(
                client_id,
                body,
                scopes,
                extra_origin,
                private_use,
            )?)
        };
        let (client, max_age) = self
            .fetch_and_read(
                limits,
                DocumentKind::Metadata,
                client_id,
                extra_origin,
                read,
                now,
            )
            .await?;
        let cached = CachedClient {
            client,
            fresh_until: now.saturating_add(max_age),
        };
        self.insert(cached.clone());
        Ok(cached)
    }

    /// Returns the JWK Set at `url`. With `refresh`, because it lacks a key, it is fetched again unless it was
    /// fetched within the last minute.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub(crate) async fn keys<K: KeyValue>(
        &self,
        limits: &Limits<'_, K>,
        url: &str,
        extra_origin: Option<&str>,
        refresh: bool,
        now: u64,
    ) -> Result<Arc<KeySet>, FetchError> {
        if let Some(cached) = self.keys.get(url) {
            let is_old = refresh && cached.fetched_at + WINDOW <= now;
            if cached.fresh_until > now && !is_old {
                return Ok(cached.keys);
            }
        }
        let read = |body: &[u8]| KeySet::from_json(body).map_err(FetchError::Keys);
        let (keys, max_age) = self
            .fetch_and_read(limits, DocumentKind::JwkSet, url, extra_origin, read, now)
            .await?;
        let keys = Arc::new(keys);
        let cached = CachedKeys {
            keys: Arc::clone(&keys),
            fetched_at: now,
            fresh_until: now.saturating_add(max_age),
        };
        self.keys.insert(url.to_owned(), cached);
        Ok(keys)
    }

    /// Fetches the document at `url` and reads it with `read`. Returns with it the seconds for which it may be
    /// cached. A failure is kept in the store.
    async fn fetch_and_read<K: KeyValue, T>(
        &self,
        limits: &Limits<'_, K>,
        kind: DocumentKind,
        url: &str,
        extra_origin: Option<&str>,
        read: impl Fn(&[u8]) -> Result<T, FetchError>,
        now: u64,
    ) -> Result<(T, u64), FetchError> {
        document::check_url(url, extra_origin)?;
        let id = secret::hash(url);
        if let Some(failure) = limits.store.get::<Failure>(&id, now).await? {
            return Err(FetchError::Failed(failure));
        }
        count(limits, url, now).await?;
        let fetched = self.fetcher.fetch(kind, url).await;
        let read = fetched
            .map_err(FetchError::Unavailable)
            .and_then(|fetched| Ok((read(&fetched.body)?, fetched.max_age)));
        if let Err(error) = &read {
            let failure = Failure {
                message: shortened(&error.to_string()),
                temporary: error.is_temporary(),
            };
            let until = now + FAILURE_TTL;
            limits.store.create(&id, &failure, until).await?;
        }
        read
    }
}

/// Counts a fetch.
///
/// # Errors
///
/// [`FetchError::TooMany`] if a limit is reached, [`FetchError::Store`].
async fn count<K: KeyValue>(limits: &Limits<'_, K>, url: &str, now: u64) -> Result<(), FetchError> {
    const ALL: &str = "document-fetches";
    let host = Url::parse(url).ok();
    let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
    let of_host = limits.tagged("document-fetches-from", host.as_bytes());
    let of_source = limits.of_source("document-fetches-for");
    let mut counters = vec![(ALL.to_owned(), MAX_FETCHES)];
    counters.extend(of_source.map(|kind| (kind, MAX_FETCHES_OF_SOURCE)));
    counters.push((of_host, MAX_FETCHES_OF_HOST));
    if limits.count(&counters, WINDOW, now).await? {
        Ok(())
    } else {
        Err(FetchError::TooMany)
    }
}

/// Returns as much of the beginning of a text as [`MAX_FAILURE_BYTES`] hold.
fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_FAILURE_BYTES);
    text[..end].to_owned()
}

/// Seconds for which the last good copy of a document serves before its host is asked again, after the host failed.
pub(crate) const RETRY_INTERVAL: u64 = MIN_CACHED / 5;

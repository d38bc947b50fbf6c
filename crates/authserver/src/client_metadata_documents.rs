//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document) and the JWK Sets of clients,
//! fetched and cached.
//!
//! An instance caches a bounded number of documents, each for as long as it is fresh. Copies for other instances are
//! in the [store](shared_cache), as is what has to hold for all instances:
//!
//! | key | holds |
//! | --- | --- |
//! | `client-metadata-copy:<slot>`, `client-keys-copy:<slot>` | a document or a JWK Set, for [`COPY_TTL`] at most |
//! | `document-fetches:<minute>` | a counter: fetches of all clients' hosts |
//! | `document-fetches-for:<tag>:<minute>` | a counter: fetches that one client address asked for |
//! | `document-fetches-from:<tag>:<minute>` | a counter: fetches from one host |
//! | `document-failure:<hash>` | that a fetch of a URL just failed, for [`FAILURE_TTL`] |
//!
//! The first counter bounds how many of the others there are: each stands for a fetch. Of copies there are
//! [`SLOTS`] of each kind, whatever is fetched. The document of a client that a person has signed in with is in
//! [`clients`](crate::clients).

use crate::limits::Limits;
use cache::Cache;
use jwt::KeySet;
use keys::Purpose;
use oauth::document::{self, DocumentError, MIN_CACHED};
use oauth::redirect_uri::PrivateUse;
use oauth::{Client, secret};
use serde::{Deserialize, Serialize};
use shared_cache::{Document, Kind, SharedCache};
use std::pin::Pin;
use std::sync::Arc;
use store::{KeyValue, Record};
use url::Url;

/// Documents, and JWK Sets, per generation of an instance's caches.
const MAX_CACHED: usize = 32;

/// Copies of each kind in the store: strangers choose the URLs.
const SLOTS: u64 = 64;

/// Seconds for which a copy is in the store at most, however long the document may be cached.
const COPY_TTL: u64 = 600;

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

/// What copies of clients' metadata documents are authenticated for.
struct MetadataCopy;

impl Kind for MetadataCopy {
    const NAME: &'static str = "client-metadata-copy";
    const PURPOSE: Purpose = Purpose("copy of a client's metadata");
    const SLOTS: Option<u64> = Some(SLOTS);
}

/// What copies of clients' JWK Sets are authenticated for.
struct KeysCopy;

impl Kind for KeysCopy {
    const NAME: &'static str = "client-keys-copy";
    const PURPOSE: Purpose = Purpose("copy of a client's keys");
    const SLOTS: Option<u64> = Some(SLOTS);
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
        let wanted = Wanted {
            kind: DocumentKind::Metadata,
            url: client_id,
            extra_origin,
            fetched_after: 0,
        };
        let fetched = self
            .copy_or_fetch::<MetadataCopy, _, _>(limits, wanted, read, now)
            .await?;
        let cached = CachedClient {
            client: fetched.value,
            fresh_until: fetched.fresh_until,
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
        let fetched_after = if refresh {
            now.saturating_sub(WINDOW)
        } else {
            0
        };
        if let Some(cached) = self.keys.get(url)
            && cached.fresh_until > now
            && cached.fetched_at > fetched_after
        {
            return Ok(cached.keys);
        }
        let read = |body: &[u8]| KeySet::from_json(body).map_err(FetchError::Keys);
        let wanted = Wanted {
            kind: DocumentKind::JwkSet,
            url,
            extra_origin,
            fetched_after,
        };
        let fetched = self
            .copy_or_fetch::<KeysCopy, _, _>(limits, wanted, read, now)
            .await?;
        let keys = Arc::new(fetched.value);
        let cached = CachedKeys {
            keys: Arc::clone(&keys),
            fetched_at: fetched.fetched_at,
            fresh_until: fetched.fresh_until,
        };
        self.keys.insert(url.to_owned(), cached);
        Ok(keys)
    }

    /// Reads the document with `read`, from the copy in the store or else from the URL.
    async fn copy_or_fetch<C: Kind, K: KeyValue, T>(
        &self,
        limits: &Limits<'_, K>,
        wanted: Wanted<'_>,
        read: impl Fn(&[u8]) -> Result<T, FetchError>,
        now: u64,
    ) -> Result<Fetched<T>, FetchError> {
        document::check_url(wanted.url, wanted.extra_origin)?;
        let copies = SharedCache::<_, C>::new(limits.store, limits.keys);
        if let Some(copy) = copies.find(wanted.url, now).await
            && copy.fetched_at > wanted.fetched_after
            && let Ok(value) = read(copy.text.as_bytes())
        {
            return Ok(Fetched {
                value,
                fetched_at: copy.fetched_at,
                fresh_until: copy.expires_at,
            });
        }
        let (value, document) = self.fetch_and_read(limits, &wanted, read, now).await?;
        let fresh_until = now.saturating_add(document.max_age);
        // What was read as JSON is UTF-8.
        if let Ok(text) = String::from_utf8(document.body) {
            let copy = Document {
                text,
                fetched_at: now,
                expires_at: fresh_until.min(now.saturating_add(COPY_TTL)),
            };
            copies.insert(wanted.url, &copy).await;
        }
        Ok(Fetched {
            value,
            fetched_at: now,
            fresh_until,
        })
    }

    /// Fetches a document and reads it with `read`. A failure is kept in the store.
    async fn fetch_and_read<K: KeyValue, T>(
        &self,
        limits: &Limits<'_, K>,
        wanted: &Wanted<'_>,
        read: impl Fn(&[u8]) -> Result<T, FetchError>,
        now: u64,
    ) -> Result<(T, FetchedDocument), FetchError> {
        let url = wanted.url;
        let id = secret::hash(url);
        if let Some(failure) = limits.store.get::<Failure>(&id, now).await? {
            return Err(FetchError::Failed(failure));
        }
        count(limits, url, now).await?;
        let fetched = self.fetcher.fetch(wanted.kind, url).await;
        let read = fetched
            .map_err(FetchError::Unavailable)
            .and_then(|fetched| Ok((read(&fetched.body)?, fetched)));
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

/// A document that is looked for.
struct Wanted<'a> {
    kind: DocumentKind,
    url: &'a str,
    /// As [`document::check_url`] has it.
    extra_origin: Option<&'a str>,
    /// A copy that was fetched at this time or earlier is too old, in seconds since the Unix epoch.
    fetched_after: u64,
}

/// What a document says, and its times in seconds since the Unix epoch.
struct Fetched<T> {
    value: T,
    fetched_at: u64,
    fresh_until: u64,
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

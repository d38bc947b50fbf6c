//! What clients publish about themselves, fetched and remembered for a while: metadata documents
//! and the keys that clients refer to.
//!
//! An instance remembers a bounded number of good answers, each for as long as it is good. What has
//! to hold for all instances lies in the store, since an instance ends after some requests:
//!
//! | key | holds |
//! | --- | --- |
//! | `document-fetches:<minute>` | a counter: fetches of all clients' hosts |
//! | `document-fetches-for:<tag>:<minute>` | a counter: fetches that one client address asked for |
//! | `document-fetches-from:<tag>:<minute>` | a counter: fetches from one host |
//! | `document-failure:<hash>` | that a URL just gave nothing good, for [`FAILURE_LIFETIME`] |
//!
//! The first of them bounds how many of the others there are: each stands for a fetch. The document
//! of a client that a person has signed in with is in [`clients`](crate::clients).

use crate::limits::Limits;
use jwt::KeySet;
use oauth::document::{self, DocumentError, MIN_CACHED};
use oauth::redirect_uri::PrivateUse;
use oauth::{Client, secret};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use store::{KeyValue, Record};
use url::Url;

/// Answers that an instance remembers.
const MAX_ENTRIES: usize = 64;

/// Fetches of all instances in a minute.
const MAX_FETCHES: u64 = 600;

/// Fetches in a minute that one client address may ask for, so that nobody uses up all of them.
const MAX_FETCHES_OF_SOURCE: u64 = 60;

/// Fetches in a minute from one host, whatever the port.
const MAX_FETCHES_OF_HOST: u64 = 20;

/// Seconds of that window.
const WINDOW: u64 = 60;

/// Seconds for which a URL that gave nothing good is not fetched from again.
const FAILURE_LIFETIME: u64 = 10;

/// Bytes of the words that are kept of a failure.
const MAX_FAILURE_BYTES: usize = 300;

/// What to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A metadata document, of at most [`document::MAX_DOCUMENT_BYTES`] bytes.
    Document,
    /// A JWK Set, of at most [`document::MAX_KEYS_BYTES`] bytes.
    Keys,
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// Seconds that it is good for.
    pub good_for: u64,
}

/// Fetches from clients' hosts, with bounds on where, how long and how much. An error is in words
/// for a page; it says nothing of the network that the server is in.
pub trait Source: Send + Sync {
    /// Fetches from `url`, which has been [checked](document::check_url).
    fn fetch<'a>(
        &'a self,
        what: What,
        url: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Fetched, String>> + Send + 'a>>;
}

/// Why there is no document, or there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is not fetched from.
    #[error("{0}")]
    Url(#[from] document::UrlError),
    /// The host did not give it.
    #[error("{0}")]
    Unavailable(String),
    /// Too much was fetched of late.
    #[error("too many clients' documents were fetched just now; try again in a minute")]
    TooMany,
    /// The document is refused.
    #[error("the document at this URL is refused: {0}")]
    Refused(#[from] DocumentError),
    /// The keys are refused.
    #[error("the client's jwks_uri gives no keys: {0}")]
    Keys(jwt::KeyError),
    /// The same URL gave nothing good a moment ago.
    #[error("{}", .0.words)]
    Failed(Failure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl FetchError {
    /// Whether it may go well later without the client changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::TooMany => true,
            Self::Failed(failure) => failure.temporary,
            _ => false,
        }
    }
}

/// That a URL gave nothing good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    words: String,
    temporary: bool,
}

impl Record for Failure {
    const KIND: &'static str = "document-failure";
}

/// A client as its document had it.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The client.
    pub client: Client,
    /// Until when it is good, in seconds since the Unix epoch.
    pub good_until: u64,
}

/// The documents of an instance.
pub struct Documents {
    source: Box<dyn Source>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    clients: HashMap<String, Described>,
    keys: HashMap<String, CachedKeys>,
}

struct CachedKeys {
    keys: Arc<KeySet>,
    fetched_at: u64,
    good_until: u64,
}

impl Documents {
    /// Those that `source` fetches.
    pub fn new(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            memory: Mutex::default(),
        }
    }

    /// The client that is remembered and still good at `now` (seconds since the Unix epoch).
    pub(crate) fn remembered(&self, client_id: &str, now: u64) -> Option<Client> {
        let memory = self.memory();
        let described = memory.clients.get(client_id)?;
        (described.good_until > now).then(|| described.client.clone())
    }

    /// Remembers a client.
    pub(crate) fn remember(&self, described: Described, now: u64) {
        let clients = &mut self.memory().clients;
        make_room(clients, now, |described| described.good_until);
        clients.insert(described.client.client_id.clone(), described);
    }

    /// Fetches the document of a client and remembers it. `scopes` are the scopes that exist,
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
    ) -> Result<Described, FetchError> {
        let read = |body: &[u8]| {
            Ok(document::read(
                client_id,
                body,
                scopes,
                extra_origin,
                private_use,
            )?)
        };
        let (client, good_for) = self
            .get(limits, What::Document, client_id, extra_origin, read, now)
            .await?;
        let described = Described {
            client,
            good_until: now.saturating_add(good_for),
        };
        self.remember(described.clone(), now);
        Ok(described)
    }

    /// The keys at `url`. Those that were fetched are good for a while; `anew` asks for them again
    /// if that was not just now, because a key that is looked for is not among them.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub(crate) async fn keys<K: KeyValue>(
        &self,
        limits: &Limits<'_, K>,
        url: &str,
        extra_origin: Option<&str>,
        anew: bool,
        now: u64,
    ) -> Result<Arc<KeySet>, FetchError> {
        if let Some(known) = self.memory().keys.get(url) {
            let settled = anew && known.fetched_at + WINDOW <= now;
            if known.good_until > now && !settled {
                return Ok(Arc::clone(&known.keys));
            }
        }
        let read = |body: &[u8]| KeySet::from_json(body).map_err(FetchError::Keys);
        let (keys, good_for) = self
            .get(limits, What::Keys, url, extra_origin, read, now)
            .await?;
        let keys = Arc::new(keys);
        let all = &mut self.memory().keys;
        make_room(all, now, |cached| cached.good_until);
        let cached = CachedKeys {
            keys: Arc::clone(&keys),
            fetched_at: now,
            good_until: now.saturating_add(good_for),
        };
        all.insert(url.to_owned(), cached);
        Ok(keys)
    }

    /// What lies at `url`, as `read` reads it, and the seconds that it is good for.
    async fn get<K: KeyValue, T>(
        &self,
        limits: &Limits<'_, K>,
        what: What,
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
        let fetched = self.source.fetch(what, url).await;
        let read = fetched
            .map_err(FetchError::Unavailable)
            .and_then(|fetched| Ok((read(&fetched.body)?, fetched.good_for)));
        if let Err(error) = &read {
            let failure = Failure {
                words: shortened(&error.to_string()),
                temporary: error.is_temporary(),
            };
            let until = now + FAILURE_LIFETIME;
            limits.store.create(&id, &failure, until).await?;
        }
        read
    }

    /// Nothing that holds the lock can panic half-way.
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one more fetch, if it may be made.
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

/// The beginning of a text.
fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_FAILURE_BYTES);
    text[..end].to_owned()
}

/// Drops what is past, and the one that is past first if that is not enough.
fn make_room<T>(entries: &mut HashMap<String, T>, now: u64, good_until: impl Fn(&T) -> u64) {
    if entries.len() < MAX_ENTRIES {
        return;
    }
    entries.retain(|_, entry| good_until(entry) > now);
    if entries.len() >= MAX_ENTRIES {
        let first = entries
            .iter()
            .min_by_key(|(_, entry)| good_until(entry))
            .map(|(name, _)| name.clone());
        if let Some(first) = first {
            entries.remove(&first);
        }
    }
}

/// How long a last good copy is taken for good once more after its host failed.
pub(crate) const PAUSE: u64 = MIN_CACHED / 5;

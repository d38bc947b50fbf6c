//! What clients publish about themselves, fetched and remembered for a while: metadata documents
//! and the keys that clients refer to.
//!
//! An instance remembers a bounded number of answers, each for as long as it is good, and never a
//! bad one. It asks so often in a minute and no more, so that nobody can use it to flood somebody
//! else. What outlives the instance is in [`clients`](crate::clients): the document of a client
//! that a person has signed in with.

use jwt::KeySet;
use oauth::Client;
use oauth::document::{self, DocumentError, MIN_CACHED};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers that an instance remembers.
const MAX_ENTRIES: usize = 64;

/// Fetches that an instance makes in a minute.
const MAX_FETCHES: u32 = 120;

/// Fetches that an instance makes in a minute from one host.
const MAX_FETCHES_OF_HOST: u32 = 20;

/// Seconds of that window.
const WINDOW: u64 = 60;

/// What to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A metadata document, of at most [`document::MAX_DOCUMENT`] bytes.
    Document,
    /// A JWK Set, of at most [`document::MAX_KEYS`] bytes.
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
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
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
    keys: HashMap<String, Remembered>,
    fetches: Fetches,
}

struct Remembered {
    keys: Arc<KeySet>,
    fetched_at: u64,
    good_until: u64,
}

/// The fetches of a window, by host.
#[derive(Default)]
struct Fetches {
    window: u64,
    all: u32,
    of_host: HashMap<String, u32>,
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
    /// `extra_origin` is as [`document::check_url`] has it.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub(crate) async fn fetch(
        &self,
        client_id: &str,
        scopes: &[String],
        extra_origin: Option<&str>,
        now: u64,
    ) -> Result<Described, FetchError> {
        let fetched = self
            .get(What::Document, client_id, extra_origin, now)
            .await?;
        let described = Described {
            client: document::read(client_id, &fetched.body, scopes, extra_origin)?,
            good_until: now.saturating_add(fetched.good_for),
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
    pub(crate) async fn keys(
        &self,
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
        let fetched = self.get(What::Keys, url, extra_origin, now).await?;
        let keys = Arc::new(KeySet::from_json(&fetched.body).map_err(FetchError::Keys)?);
        let all = &mut self.memory().keys;
        make_room(all, now, |remembered| remembered.good_until);
        let remembered = Remembered {
            keys: Arc::clone(&keys),
            fetched_at: now,
            good_until: now.saturating_add(fetched.good_for),
        };
        all.insert(url.to_owned(), remembered);
        Ok(keys)
    }

    async fn get(
        &self,
        what: What,
        url: &str,
        extra_origin: Option<&str>,
        now: u64,
    ) -> Result<Fetched, FetchError> {
        document::check_url(url, extra_origin)?;
        if !self.memory().fetches.count(url, now) {
            return Err(FetchError::TooMany);
        }
        self.source
            .fetch(what, url)
            .await
            .map_err(FetchError::Unavailable)
    }

    /// Nothing that holds the lock can panic half-way.
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetches {
    /// Counts one more, and says whether it may be made.
    fn count(&mut self, url: &str, now: u64) -> bool {
        if self.window != now / WINDOW {
            *self = Self {
                window: now / WINDOW,
                ..Self::default()
            };
        }
        if self.all >= MAX_FETCHES {
            return false;
        }
        let host = url.split('/').nth(2).unwrap_or_default();
        let of_host = self.of_host.entry(host.to_owned()).or_default();
        if *of_host >= MAX_FETCHES_OF_HOST {
            return false;
        }
        *of_host += 1;
        self.all += 1;
        true
    }
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

//! The provider's metadata and keys in the store, for instances that have not fetched them.

use bytes::Bytes;
use identity::Error;
use jwt::KeyCache;
use keys::{KeyRing, Purpose};
use shared_cache::{Document, Kind, SharedCache};
use store::{KeyValue, Store};

/// Seconds for which a copy is in the store. Keys are fetched again after ten minutes, and their copy serves for the rest if
/// that fails. Metadata is fetched again when its copy ends.
const COPY_TTL: u64 = KeyCache::MAX_STALE;

/// Seconds of the window in which the fetches of all instances are counted.
const FETCH_WINDOW: u64 = KeyCache::REFRESH_INTERVAL;

/// Fetches of a document in a window, by instances that have an older copy of it to fall back on: whether a token
/// names a key id that does not exist is up to its sender.
const MAX_REFRESHES: u64 = 1;

/// Fetches of a document in a window, by instances that have none: many may begin at once.
const MAX_FIRST_FETCHES: u64 = 60;

/// The copies of what a provider publishes, which the instances of a deployment share.
pub struct SharedDocuments<K>(Option<(Store<K>, KeyRing)>);

/// What the copies are authenticated for.
struct Published;

impl Kind for Published {
    const NAME: &'static str = "provider-document";
    const PURPOSE: Purpose = Purpose("copy of a provider's document");
    // The configuration has their URLs, or a document that it has the URL of.
    const SLOTS: Option<u64> = None;
}

impl<K: KeyValue> SharedDocuments<K> {
    /// Returns the copies in `store`, which `keys` authenticate.
    pub fn new(store: Store<K>, keys: KeyRing) -> Self {
        Self(Some((store, keys)))
    }

    /// Returns no copies: each instance fetches.
    pub fn unshared() -> Self {
        Self(None)
    }

    /// Returns the copy of the document at `url`.
    pub(crate) async fn find(&self, url: &str, now: u64) -> Option<Document> {
        self.cache()?.find(url, now).await
    }

    /// Fetches the document at `url` as `fetch` does, takes what `read` finds in it, and writes a copy. `None` if other
    /// instances have fetched it as often as is allowed; `has_older` says whether this one has an older copy.
    ///
    /// # Errors
    ///
    /// Those of `fetch` and of `read`.
    pub(crate) async fn fetch<T, F>(
        &self,
        url: &str,
        has_older: bool,
        now: u64,
        fetch: impl FnOnce() -> F,
        read: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<Option<T>, Error>
    where
        F: Future<Output = Result<Bytes, Error>>,
    {
        if !self.may_fetch(url, has_older, now).await {
            return Ok(None);
        }
        let body = fetch().await?;
        let document = read(&body)?;
        self.insert(url, &body, now).await;
        Ok(Some(document))
    }

    /// Writes a copy of the document that was just fetched from `url`.
    async fn insert(&self, url: &str, body: &[u8], now: u64) {
        // What is read as JSON is UTF-8.
        if let (Some(cache), Ok(text)) = (self.cache(), std::str::from_utf8(body)) {
            let document = Document {
                text: text.to_owned(),
                fetched_at: now,
                expires_at: now.saturating_add(COPY_TTL),
            };
            cache.insert(url, &document).await;
        }
    }

    /// Returns whether an instance may fetch from `url` now, which counts as a fetch.
    async fn may_fetch(&self, url: &str, has_older: bool, now: u64) -> bool {
        let limit = if has_older {
            MAX_REFRESHES
        } else {
            MAX_FIRST_FETCHES
        };
        match self.cache() {
            Some(cache) => cache.may_fetch(url, limit, FETCH_WINDOW, now).await,
            None => true,
        }
    }

    fn cache(&self) -> Option<SharedCache<'_, K, Published>> {
        let (store, keys) = self.0.as_ref()?;
        Some(SharedCache::new(store, keys))
    }
}

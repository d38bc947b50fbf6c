//! A cache in the store, shared by all instances, of documents that others publish at a URL.
//!
//! An instance that serves one request (WASI 0.2) caches nothing in memory for the next one. A copy in the store
//! lasts. Each copy has a message authentication code over its kind, its URL, its times and its text,
//! under a key that is derived from the master secret. So a writer to the store who lacks the secret cannot plant
//! a document. Such a writer can put back an earlier copy of the same URL until that expires, and can remove a
//! copy, which costs a fetch.
//!
//! A copy that is absent, expired or not authentic is not found, and neither is one in a store that fails: the
//! caller fetches.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use store::{KeyValue, Record, Store};

/// Bytes of a document that is kept. A larger one is fetched each time, though fetches are counted: this is no less than
/// what is taken of a provider or of a client.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// The names of copies in the store: a leaked one names no URL by its keys.
const ID: Purpose = Purpose("id of a shared copy");

/// What documents are cached for. A copy of one kind is not found as one of another.
pub trait Kind: Send + Sync {
    /// The part of the key that names the kind.
    const NAME: &'static str;

    /// What the copies are authenticated for.
    const PURPOSE: Purpose;

    /// How many copies there are at most. Two URLs may then have the same slot, and the later one displaces the
    /// earlier. `None`: one for each URL, where the configuration and not a client chooses the URLs.
    const SLOTS: Option<u64>;
}

/// A document as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The body of the response.
    pub text: String,
    /// When it was fetched, in seconds since the Unix epoch.
    pub fetched_at: u64,
    /// From when on it is absent, likewise.
    pub expires_at: u64,
}

/// The copies of one kind in a store.
pub struct SharedCache<'a, K, C> {
    store: &'a Store<K>,
    keys: &'a KeyRing,
    kind: PhantomData<C>,
}

/// A copy as it lies in the store.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct StoredCopy<C> {
    text: String,
    fetched_at: u64,
    expires_at: u64,
    /// URL-safe Base64.
    mac: String,
    #[serde(skip)]
    kind: PhantomData<C>,
}

impl<C: Kind> Record for StoredCopy<C> {
    const KIND: &'static str = C::NAME;
}

impl<'a, K: KeyValue, C: Kind> SharedCache<'a, K, C> {
    /// Opens the copies in `store`, which `keys` authenticate.
    pub fn new(store: &'a Store<K>, keys: &'a KeyRing) -> Self {
        Self {
            store,
            keys,
            kind: PhantomData,
        }
    }

    /// Returns the copy of the document at `url`, if there is an authentic one that has not expired at `now`
    /// (seconds since the Unix epoch).
    pub async fn find(&self, url: &str, now: u64) -> Option<Document> {
        let found = self.store.get::<StoredCopy<C>>(&self.id(url), now).await;
        let stored = found.ok().flatten()?;
        let document = Document {
            text: stored.text,
            fetched_at: stored.fetched_at,
            expires_at: stored.expires_at,
        };
        let mac = URL_SAFE_NO_PAD.decode(&stored.mac).ok()?;
        // The code is over the URL as well: another one may have the same slot.
        let message = message(url, &document);
        let is_authentic = self.keys.verify_mac(C::PURPOSE, &message, &mac);
        (is_authentic && document.expires_at > now).then_some(document)
    }

    /// Writes a copy of the document at `url`, in place of an earlier one. What is too large, or cannot be
    /// written, is fetched again.
    pub async fn insert(&self, url: &str, document: &Document) {
        if document.text.len() > MAX_TEXT_BYTES {
            return;
        }
        let mac = self.keys.mac(C::PURPOSE, &message(url, document));
        let copy = StoredCopy::<C> {
            text: document.text.clone(),
            fetched_at: document.fetched_at,
            expires_at: document.expires_at,
            mac: URL_SAFE_NO_PAD.encode(mac),
            kind: PhantomData,
        };
        let id = self.id(url);
        // A copy that exists has a line in the sweep's ledger, which moves it to the new expiry.
        let _ = match self.store.exists::<StoredCopy<C>>(&id).await {
            Ok(true) => self.store.put(&id, &copy, Some(copy.expires_at)).await,
            Ok(false) => self.store.create(&id, &copy, copy.expires_at).await,
            Err(error) => Err(error),
        };
    }

    /// Counts a fetch of `url` by any instance, and returns whether it is one of the first `limit` in its window
    /// of `window` seconds; `true` as well if the store fails. A refused fetch costs one read.
    pub async fn may_fetch(&self, url: &str, limit: u64, window: u64, now: u64) -> bool {
        let counter = format!("{}-fetches:{}", C::NAME, self.id(url));
        let counted = self.store.check_rate_limit(&counter, limit, window, now);
        counted.await.unwrap_or(true)
    }

    fn id(&self, url: &str) -> String {
        let code = self.keys.mac(ID, url.as_bytes());
        match (C::SLOTS, code.first_chunk()) {
            (Some(slots), Some(chunk)) => (u64::from_be_bytes(*chunk) % slots.max(1)).to_string(),
            _ => URL_SAFE_NO_PAD.encode(&code[..16]),
        }
    }
}

/// Returns what the code of a copy is over.
fn message(url: &str, document: &Document) -> Vec<u8> {
    [
        &(url.len() as u64).to_be_bytes(),
        url.as_bytes(),
        &document.fetched_at.to_be_bytes(),
        &document.expires_at.to_be_bytes(),
        document.text.as_bytes(),
    ]
    .concat()
}

#[cfg(test)]
mod tests;

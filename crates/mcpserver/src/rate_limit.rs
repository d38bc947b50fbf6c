//! Rate limits of what one person may begin in a minute: sessions, streams, cancellations, responses.
//!
//! A client begins these at no cost, and each takes keys in the store.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use store::{KeyValue, Store};

/// Of one kind, for one person.
pub(crate) const MAX_PER_MINUTE: u64 = 120;

/// Returns the name by which the store counts a person: a hash, so that no subject is in a key.
pub(crate) fn person(subject: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(subject)[..16])
}

/// Counts one more of a kind, whose key begins with `kind`. Returns `false` if that is too many.
///
/// # Errors
///
/// The store's.
pub(crate) async fn check<K: KeyValue>(
    store: &Store<K>,
    kind: &str,
    person: &str,
    now: u64,
) -> Result<bool, store::Error> {
    let key = format!("{kind}:{person}");
    store.check_rate_limit(&key, MAX_PER_MINUTE, 60, now).await
}

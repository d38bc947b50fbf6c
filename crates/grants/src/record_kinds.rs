//! The kinds of records that belong to a grant.

use store::{KeyValue, Store};

/// Whether the code was redeemed, and when.
pub(crate) const CODE: &str = "code";

/// The newest refresh token.
pub(crate) const REFRESH: &str = "refresh";

/// The identity provider's tokens.
pub(crate) const UPSTREAM: &str = "upstream";

/// The grant's entry in its subject's index.
pub(crate) const INDEX_SLOT: &str = "subject-grant";

/// Returns the key of the claim of a grant's code.
pub(crate) fn code_key<K: KeyValue>(store: &Store<K>, id: &str) -> String {
    store.key(CODE, id)
}

/// Returns the keys of what belongs to a grant and ends with it.
pub(crate) fn companions<K: KeyValue>(
    store: &Store<K>,
    id: &str,
    slot: Option<&str>,
) -> Vec<String> {
    let mut keys = vec![
        store.key(UPSTREAM, id),
        store.key(REFRESH, id),
        code_key(store, id),
    ];
    keys.extend(slot.map(|slot| store.key(INDEX_SLOT, slot)));
    keys
}

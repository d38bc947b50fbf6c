//! The sweep that lists keys, for stores without atomics: a ledger of theirs would lose lines.
//!
//! Every key is looked at in order, from a cursor in the store on. A record, a counter or a claim holds its
//! expiry. A slot, which holds none, is removed once its record or counter is gone. Sweeps may run at the same
//! time, because every step may be repeated.

use crate::key_value::{Error, KeyValue};
use crate::store::Store;
use serde::Deserialize;

/// The keys that one request may remove: hosts without atomics bound writes to 50 a second, and the people who sign in
/// in that second need some of them.
pub(crate) const MAX_REMOVALS: u64 = 25;

/// The result of a part of a sweep.
pub(crate) struct Listed {
    /// The keys that were read.
    pub(crate) looked_at: u64,
    pub(crate) removed: u64,
    /// Whether keys remain.
    pub(crate) more: bool,
}

/// The part of a stored value that the sweep reads. Not an `Option` in place of the two forms: `null` says
/// that a value never expires, and a slot says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Expires { exp: u64 },
    Stays { exp: () },
}

/// Looks at up to `budget` keys behind the one that is noted under `cursor`, and removes what has expired at
/// `now` (seconds since the Unix epoch), up to [`MAX_REMOVALS`].
pub(crate) async fn sweep<K: KeyValue>(
    store: &Store<K>,
    cursor: &str,
    now: u64,
    budget: u64,
) -> Result<Listed, Error> {
    let backend = store.backend();
    let after = backend.get(cursor).await?;
    let after = after.and_then(|key| String::from_utf8(key).ok());
    let mut keys = backend.keys().await?;
    // The store may be shared with others, whose keys begin otherwise.
    keys.retain(|key| key.starts_with(&store.prefix) && key != cursor);
    keys.retain(|key| after.as_ref().is_none_or(|after| key > after));
    keys.sort_unstable();
    let all = keys.len();
    keys.truncate(usize::try_from(budget).unwrap_or(usize::MAX));
    let (mut looked_at, mut removed) = (0, 0);
    for key in &keys {
        if removed == MAX_REMOVALS {
            break;
        }
        if is_dead(backend, key, now).await? {
            backend.delete(key).await?;
            removed += 1;
        }
        looked_at += 1;
    }
    let more = looked_at < all;
    match looked_at.checked_sub(1).and_then(|last| keys.get(last)) {
        Some(last) if more => backend.set(cursor, last.as_bytes(), None).await?,
        _ if after.is_some() => backend.delete(cursor).await?,
        _ => {}
    }
    Ok(Listed {
        looked_at: looked_at as u64,
        removed,
        more,
    })
}

async fn is_dead<K: KeyValue>(backend: &K, key: &str, now: u64) -> Result<bool, Error> {
    let Some(value) = backend.get(key).await? else {
        return Ok(false);
    };
    match serde_json::from_slice(&value) {
        Ok(Stored::Expires { exp }) => Ok(exp <= now),
        Ok(Stored::Stays { exp: () }) => Ok(false),
        Err(_) => match owner_of_slot(key) {
            // A record is written before its slots.
            Some(owner) => Ok(!backend.exists(owner).await?),
            None => Ok(false),
        },
    }
}

/// Returns the key of the record or counter that a slot belongs to; `None` if `key` is no slot's.
fn owner_of_slot(key: &str) -> Option<&str> {
    let (owner, slot) = key.rsplit_once('.')?;
    let is_number = !slot.is_empty() && slot.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(owner)
}

#[cfg(test)]
mod tests;

//! The contract of a key-value backend, and what a backend can do.

use crate::counter_value::decode_counter;

/// Bytes of a text whose sealed form is still a value that every backend takes (400 KB).
pub const MAX_SEALED_BYTES: usize = 256 * 1024;

/// Keys that every backend of Spin removes in one step: DynamoDB takes no more.
pub const MAX_DELETED: usize = 25;

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The backend failed, or the component may not use it. The text is the backend's.
    #[error("the key-value store failed: {0}")]
    Unavailable(String),
    /// The value of the key is not a record of this version.
    #[error("the record under {0} cannot be read")]
    Unreadable(String),
}

/// How a backend decides which of several callers is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// By an atomic increment: one caller succeeds.
    Atomic,
    /// By a [timed claim](crate::WithoutAtomics): one caller succeeds, or none.
    Timed,
}

/// What removes expired keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The sweep, by ledgers: the backend neither expires keys nor has to list them.
    Ledger,
    /// The backend itself. No ledger is written, and nothing is swept.
    Backend,
    /// A sweep that lists keys, which only an operator starts. No ledger is written.
    Listing,
}

/// Whether a read anywhere sees every write that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regions {
    /// It does.
    One,
    /// It may see another region's write seconds later.
    Several,
}

/// What a backend can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How single use is decided.
    pub claims: Claims,
    /// What removes expired keys.
    pub expiry: Expiry,
    /// Whether reads lag behind writes.
    pub regions: Regions,
}

impl Capabilities {
    /// Spin's key-value stores with `wasi:keyvalue/atomics`: an atomic increment, no expiry, one region.
    pub const ATOMIC: Self = Self {
        claims: Claims::Atomic,
        expiry: Expiry::Ledger,
        regions: Regions::One,
    };
}

/// The result of [`KeyValue::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The caller made the claim.
    Made,
    /// Another caller did, or no caller can now. What the counter holds: the sum of the notes of those who
    /// raced, or one of their notes.
    Before(i64),
}

/// A value that [`KeyValue::set_many`] writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
    /// How long the key is wanted, in seconds since the Unix epoch; `None`: it never expires.
    pub until: Option<u64>,
}

/// The operations of a key-value backend: those that every backend of Spin supports, and one that is atomic
/// where the backend's [`capabilities`](KeyValue::capabilities) say so.
///
/// `until` says how long a key is wanted, in seconds since the Unix epoch; `None`: it never expires. A backend
/// without an expiry of its own ignores it.
///
/// A counter, which [`increment`](KeyValue::increment) and [`claim`](KeyValue::claim) write, must be read by
/// [`counted`](KeyValue::counted): backends encode counters differently.
pub trait KeyValue: Send + Sync {
    /// Returns what the backend can do.
    fn capabilities(&self) -> Capabilities {
        Capabilities::ATOMIC
    }

    /// Returns the value of `key`.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::Unavailable`] if the backend does, as every other operation.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Returns the values of `keys`, in their order. A backend that can reads all of them in one step.
    fn get_many(
        &self,
        keys: &[String],
    ) -> impl Future<Output = Result<Vec<Option<Vec<u8>>>, Error>> + Send {
        async move {
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                values.push(self.get(key).await?);
            }
            Ok(values)
        }
    }

    /// Writes `value` under `key`, and replaces any other value and its expiry.
    fn set(
        &self,
        key: &str,
        value: &[u8],
        until: Option<u64>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Writes `entries`, each as [`set`](KeyValue::set) does. No two of them have the same key.
    ///
    /// A backend that can writes all of them in one step, others one after the other in this order. Where the
    /// backend fails or the caller is killed, the first few may have been written, all of them, or none.
    fn set_many(&self, entries: Vec<Entry>) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            for Entry { key, value, until } in &entries {
                self.set(key, value, *until).await?;
            }
            Ok(())
        }
    }

    /// Removes `key`. An absent key is not an error.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes `keys`. A backend that can removes all of them in one step, others one after the other, in this order or
    /// in any. Where the backend fails or the caller is killed, some may have been removed, all of them, or none.
    fn delete_many(&self, keys: Vec<String>) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            for key in &keys {
                self.delete(key).await?;
            }
            Ok(())
        }
    }

    /// Returns whether `key` has a value.
    fn exists(&self, key: &str) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Adds `delta` to the counter under `key` (0 if absent), and returns the sum. The counter expires at
    /// `until` then, or as before without it.
    ///
    /// One atomic step with [`Claims::Atomic`]. With [`Claims::Timed`] calls that race may lose a count, and
    /// may return the same sum: what happens once is for [`claim`](KeyValue::claim).
    fn increment(
        &self,
        key: &str,
        delta: i64,
        until: Option<u64>,
    ) -> impl Future<Output = Result<i64, Error>> + Send;

    /// Returns the counter under `key` without creating it; `None` if it is absent.
    fn counted(&self, key: &str) -> impl Future<Output = Result<Option<i64>, Error>> + Send {
        async move {
            match self.get(key).await {
                Ok(None) => return Ok(None),
                Ok(Some(bytes)) => {
                    if let Some(count) = decode_counter(&bytes) {
                        return Ok(Some(count));
                    }
                }
                Err(_) => {}
            }
            // A backend whose counters have a form of their own. An increment of 0 is a write to many backends, and alone would
            // create the key.
            if !self.exists(key).await? {
                return Ok(None);
            }
            self.increment(key, 0, None).await.map(Some)
        }
    }

    /// Claims `key`, which must be absent, with `note`, which is more than 0. Succeeds for one caller at most.
    ///
    /// With [`Claims::Timed`] it succeeds for none if the store is slow, and takes half a second.
    fn claim(
        &self,
        key: &str,
        note: i64,
        until: Option<u64>,
    ) -> impl Future<Output = Result<Claimed, Error>> + Send {
        async move {
            let sum = self.increment(key, note, until).await?;
            Ok(if sum == note {
                Claimed::Made
            } else {
                Claimed::Before(sum)
            })
        }
    }

    /// Claims `key` with a `value` that no other caller has, and returns whether the caller succeeded. For
    /// [`Claims::Timed`] alone.
    fn claim_with(
        &self,
        key: &str,
        value: &[u8],
        until: Option<u64>,
    ) -> impl Future<Output = Result<bool, Error>> + Send {
        let _ = (value, until);
        let text = format!("{key} is claimed by a counter here");
        async move { Err(Error::Unavailable(text)) }
    }

    /// Returns every key. For [`Expiry::Listing`] alone.
    fn keys(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send {
        async { Err(Error::Unavailable("its keys are not listed".to_owned())) }
    }
}

/// A key-value backend without an atomic operation and without expiry.
/// [`WithoutAtomics`](crate::WithoutAtomics) makes a [`KeyValue`] of it.
pub trait PlainKeyValue: Send + Sync {
    /// Returns the value of `key`.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::Unavailable`] if the backend does, as every other operation.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Writes `value` under `key`, and replaces any other value.
    fn set(&self, key: &str, value: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes `key`. An absent key is not an error.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Returns whether `key` has a value.
    fn exists(&self, key: &str) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Returns every key, in any order.
    fn keys(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send;
}

/// Returns the values of `keys` in their order, out of those that were `found`: a host leaves out those that it has not, and
/// gives the others in any order.
pub fn in_order(
    keys: &[String],
    mut found: Vec<(String, Option<Vec<u8>>)>,
) -> Vec<Option<Vec<u8>>> {
    let value = |key| {
        let of_key = found.iter_mut().find(|(found, _)| found == key);
        of_key.and_then(|(_, value)| value.take())
    };
    keys.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_the_order_of_their_keys() {
        let keys = ["a", "b", "c", "d"].map(str::to_owned);
        let value = |key: &str, value: Option<u8>| (key.to_owned(), value.map(|value| vec![value]));
        let found = vec![value("d", Some(4)), value("c", None), value("a", Some(1))];
        let expected = [Some(vec![1]), None, None, Some(vec![4])];
        assert_eq!(in_order(&keys, found), expected);
    }
}

//! The contract with a key-value backend.

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The backend failed or is not granted; the text is the backend's own.
    #[error("the key-value store failed: {0}")]
    Unavailable(String),
    /// What lies under the key is not a record of this version.
    #[error("the record under {0} cannot be read")]
    Unreadable(String),
}

/// The least that every key-value backend of Spin gives: no expiry, no listing, no
/// compare-and-swap, one atomic operation.
///
/// A key that [`increment`](KeyValue::increment) wrote must be read by an increment of 0: backends
/// encode counters differently.
pub trait KeyValue: Send + Sync {
    /// The value under `key`, or `None`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the backend fails, here and in every other operation.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Writes `value` under `key`, over whatever is there.
    fn set(&self, key: &str, value: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes `key`; no error if it is not there.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether `key` is there.
    fn exists(&self, key: &str) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Adds `delta` to the counter under `key` (0 if it is not there) in one atomic step, and
    /// returns the sum.
    fn increment(&self, key: &str, delta: i64) -> impl Future<Output = Result<i64, Error>> + Send;
}

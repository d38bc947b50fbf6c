//! The contract of a key-value backend.

/// Bytes of a text whose sealed form is still a value that every backend takes (400 KB).
pub const MAX_SEALED_BYTES: usize = 256 * 1024;

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

/// The operations that every key-value backend of Spin supports: no expiry, no listing, no compare-and-swap,
/// one atomic operation.
///
/// A counter, which [`increment`](KeyValue::increment) writes, must be read by an increment of 0: backends
/// encode counters differently.
pub trait KeyValue: Send + Sync {
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

    /// Adds `delta` to the counter under `key` (0 if absent) in one atomic step, and returns the sum.
    fn increment(&self, key: &str, delta: i64) -> impl Future<Output = Result<i64, Error>> + Send;
}

//! Errors of key-value backends, and their keys with values.

/// Keys and their values.
pub(super) type Pairs = Vec<(String, Option<Vec<u8>>)>;

/// What a backend answers when it cannot do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyValueError(pub String);

//! Errors of key-value stores.

use super::platform::Error;

/// Why a store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueError {
    /// The manifest does not grant the store.
    #[error(
        "no such store: spin.toml grants these tools none of the name {0:?}. Behind a tool server, add {0:?} to key_value_stores of its [component.NAME], and inherit_configuration = true to their line in its dependencies; composed into mcp, they have no store (docs/tools.md, \"A component of its own\")"
    )]
    NotGranted(String),
    /// The store failed: its name, and the error.
    #[error("the store {0:?} failed: {1}")]
    Unavailable(String, String),
    /// A value is not what is wanted: the store, the key, and what is wrong.
    #[error("the value of {1:?} in the store {0:?} {2}")]
    Invalid(String, String, String),
    /// There are no stores in a unit test.
    #[error("a unit test has no stores: TestClient::store gives it {0:?}")]
    NotInTest(String),
}

impl KeyValueError {
    /// Returns what an error of the host means for the store of this name.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn of(store: &str, error: Error) -> Self {
        let store = store.to_owned();
        match error {
            Error::NoSuchStore | Error::AccessDenied => Self::NotGranted(store),
            Error::StoreTableFull => Self::Unavailable(store, "too many are open".to_owned()),
            Error::Other(text) => Self::Unavailable(store, text),
        }
    }

    /// Returns what it means that a test gives no store of this name.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn of(store: &str, _: Error) -> Self {
        Self::NotInTest(store.to_owned())
    }
}

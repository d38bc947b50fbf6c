//! Tools that ask the host for what it may have granted, or not.

use gatehouse_sdk::{Error, KeyValue, Result, data, tool, variable};

/// Returns the value of a variable
#[tool]
pub(crate) async fn read_variable(name: &str) -> Result<String> {
    variable(name).await.map_err(Error::internal)
}

/// Says whether a store has a key
#[tool]
pub(crate) async fn read_key(store: &str, key: &str) -> Result<Found> {
    let store = KeyValue::open(store).await.map_err(Error::internal)?;
    let exists = store.exists(key).await.map_err(Error::internal)?;
    Ok(Found { exists })
}

#[data(output)]
pub(crate) struct Found {
    exists: bool,
}

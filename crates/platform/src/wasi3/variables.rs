//! Application variables.

use super::scheduling::note_blocking;

/// Returns the variable; `None` if the manifest does not grant it, or the provider fails.
pub(crate) async fn get(name: &str) -> Option<String> {
    let value = spin_sdk::variables::get(name).await;
    note_blocking();
    value.ok()
}

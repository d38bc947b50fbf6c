//! Application variables.

/// Returns the variable; `None` if the manifest does not grant it, or the provider fails.
pub(crate) async fn get(name: &str) -> Option<String> {
    spin_sdk::variables::get(name).await.ok()
}

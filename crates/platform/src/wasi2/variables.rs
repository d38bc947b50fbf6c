//! Application variables.

use super::bindings::fermyon::spin::variables;

/// Returns the variable; `None` if the manifest does not grant it, or the provider fails.
pub(crate) async fn get(name: &str) -> Option<String> {
    variables::get(name).ok()
}

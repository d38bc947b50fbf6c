//! URLs that may be called.

use tool_adapters::stays_here;
use url::Url;

/// Returns whether nothing on the way can read or change what this URL is asked for: https, or http that does not leave
/// the machine or the host of the application.
pub(crate) fn is_safe(url: &Url) -> bool {
    let is_near = url.host_str().is_some_and(stays_here);
    (url.scheme() == "https" || url.scheme() == "http" && is_near) && !has_credentials(url)
}

/// Returns whether a URL has a user or a password in it.
pub(crate) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

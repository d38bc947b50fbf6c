//! URLs that may be called.

use url::{Host, Url};

/// Returns whether nothing on the way can read or change what this URL is asked for: https, or http that does not leave
/// the machine or the host of the application.
pub(crate) fn is_safe(url: &Url) -> bool {
    let is_near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".spin.internal"),
        None => false,
    };
    (url.scheme() == "https" || url.scheme() == "http" && is_near) && !has_credentials(url)
}

/// Returns whether a URL has a user or a password in it.
pub(crate) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

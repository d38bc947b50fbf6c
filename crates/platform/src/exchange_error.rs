//! Errors of outbound HTTP, in the words that both generations of WASI have.

/// Why there is no response, or not all of it.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// The manifest does not allow the host.
    Denied,
    /// The address is in a blocked network.
    Blocked,
    /// Anything else: WASI's error code.
    Failed(String),
}

//! Signing in with an OpenID Connect provider: what is sent, what comes back, and which of its
//! tokens are good.
//!
//! [`Provider`] is any provider that has discovery. It does everything through an [`Http`] that it
//! is given and at a time that it is given, so that all of it runs in tests. What other providers
//! need as well is in modules of its own: the [`answer`] of a token endpoint, the [`claims`] of a
//! token, the [`request`]s, and the [`keys`] that tokens are checked by; `crates/descope` is built
//! of them.
//!
//! A login is bound to one browser by PKCE (RFC 7636) and by a nonce in the ID token (OpenID
//! Connect Core section 3.1.2.1). A presented token is good if it is a JWT access
//! token (RFC 9068) of this provider for this server.

pub mod answer;
pub mod claims;
mod discovery;
pub mod keys;
pub mod misconfiguration;
pub mod profile;
mod provider;
pub mod request;
mod settings;
mod shared_documents;

#[cfg(test)]
mod tests;

pub use discovery::Metadata;
pub use provider::Provider;
pub use settings::{DEFAULT_SCOPES, Settings};
pub use shared_documents::SharedDocuments;

use bytes::Bytes;
use http::{Request, Response};

/// What sends a request, with bounds of its own on time and size. It follows no redirect.
pub trait Http {
    /// Sends `request` and gives the whole response, whatever its status.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, SendError>>;
}

/// Why there is no response. The texts name the host at most.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The application may not call the host.
    #[error("{0}")]
    Denied(String),
    /// No response in time, too large a one, or no connection.
    #[error("{0}")]
    Failed(String),
}

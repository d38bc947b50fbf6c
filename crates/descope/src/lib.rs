//! Signing in with Descope: what is sent, what comes back, and which of its tokens are good.
//!
//! [`Descope`] holds one project's [`Settings`] and does everything through an [`Http`] that it is
//! given and at a time that it is given, so that all of it runs in tests.
//!
//! There are two ways in ([`Credentials`]): the client id and secret of an inbound app, or the
//! project id with a management key. Either way logins are bound by PKCE (RFC 7636) and by a nonce
//! in the ID token (OpenID Connect Core section 3.1.2.1), and a presented token is
//! good only if this project signed it for this project or this server.
//!
//! The crate `oidc` has all that OpenID Connect providers have in common.

mod checks;
mod descope;
mod endpoint_requests;
mod responses;
mod settings;

#[cfg(test)]
mod fixtures;

pub use descope::Descope;
pub use oidc::{Http, SendError, SharedDocuments};
pub use settings::{App, Credentials, Project, Settings};

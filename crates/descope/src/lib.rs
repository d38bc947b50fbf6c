//! Signing in with Descope: what is sent, what comes back, and which of its tokens are good.
//!
//! [`Descope`] holds one project's [`Settings`] and does everything through an [`Http`] that it is
//! given and at a time that it is given, so that all of it runs in tests.
//!
//! There are two ways in ([`Credentials`]): the client id and secret of an inbound app, or the
//! project id with a management key. Either way logins are bound by PKCE (RFC 7636) and by a nonce
//! in the ID token (OpenID Connect Core section 3.1.2.1), and a token that somebody presents is
//! good only if this project signed it for this project or this server.

mod answers;
mod checks;
mod descope;
mod jwks;
mod jwt;
mod profile;
mod requests;
mod settings;

#[cfg(test)]
mod fixtures;

pub use descope::{CodeExchange, Descope, Http, Login, Presented, SendError, SignIn};
pub use profile::Profile;
pub use settings::{App, Credentials, Project, Settings};

/// The provider's tokens for one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// For the provider's own API.
    pub access_token: String,
    /// Absent when the answer had none.
    pub refresh_token: Option<String>,
    /// When the access token ends, in seconds since the Unix epoch, if the answer says so.
    pub expires_at: Option<u64>,
}

/// Why Descope brought no answer. The texts hold no secret, token or code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A variable is missing or wrong; the text names it and says what to do.
    #[error("{0}")]
    Misconfigured(String),
    /// Descope, or a check of what it issued, refused the code, the token or the person.
    #[error("{0}")]
    Refused(String),
    /// Descope did not answer, or with nonsense; trying again later may help.
    #[error("{0}")]
    Unavailable(String),
}

impl From<config::Problem> for Error {
    fn from(problem: config::Problem) -> Self {
        Self::Misconfigured(problem.to_string())
    }
}

//! The identity provider, as `wit/identity` has it.

use grants::{Profile, UpstreamTokens};

/// Why the identity provider brought no answer. The texts hold no secret.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdentityError {
    /// A variable is missing or wrong: its name, and what to do.
    #[error("{0}")]
    Misconfigured(String),
    /// It refused the token.
    #[error("{0}")]
    Refused(String),
    /// It did not answer, or with nonsense.
    #[error("{0}")]
    Unavailable(String),
}

/// A token of the provider's that somebody presented to us.
#[derive(Clone, Debug, PartialEq)]
pub struct Presented {
    /// Whose it is.
    pub profile: Profile,
    /// The scopes it was handed to somebody with; `None` for a person's own session.
    pub scopes: Option<Vec<String>>,
    /// When it ends, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// What the MCP endpoint asks of an identity provider.
pub trait IdentityProvider: Send + Sync + 'static {
    /// Whether the provider issued `token` for this application, and to whom.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    fn verify(&self, token: &str) -> impl Future<Output = Result<Presented, IdentityError>> + Send;

    /// New tokens for a refresh token.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    fn refresh(
        &self,
        refresh_token: &str,
    ) -> impl Future<Output = Result<UpstreamTokens, IdentityError>> + Send;
}

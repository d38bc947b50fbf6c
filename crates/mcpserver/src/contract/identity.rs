//! The identity provider, as `wit/identity` has it.

use grants::{Profile, RefreshError, UpstreamRefresher, UpstreamTokens};

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

impl From<IdentityError> for RefreshError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Refused(text) => Self::Refused(text),
            IdentityError::Misconfigured(text) | IdentityError::Unavailable(text) => {
                Self::Unavailable(text)
            }
        }
    }
}

/// What a token of the provider's is that was presented to us. Whether it is taken is decided in
/// [`presented`](crate::http::presented_token).
#[derive(Clone, Debug, PartialEq)]
pub struct Presented {
    /// Whose it is.
    pub profile: Profile,
    /// What it is.
    pub kind: TokenKind,
    /// Its issuer identifier.
    pub issuer: String,
    /// Its audience.
    pub audience: Vec<String>,
    /// The client that it was issued to, if it names one.
    pub client_id: Option<String>,
    /// Our own client at the provider, if there is one of ours alone.
    pub our_client_id: Option<String>,
    /// The scopes it was issued with, as the provider spells them; `None` if it has none.
    pub scopes: Option<Vec<String>>,
    /// When it ends, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// What a token of the provider's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token that a client got by a person's leave.
    AccessToken,
    /// An access token that a client got for itself (RFC 6749 section 4.4).
    ClientAccessToken,
    /// A person's session at an application of the provider's customer.
    Session,
    /// The session that a machine got for its key.
    MachineSession,
}

/// What the MCP endpoint asks of an identity provider, besides refreshing tokens.
pub trait IdentityProvider: UpstreamRefresher + Send + Sync + 'static {
    /// Whether the provider issued `token`, and what it is.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    fn verify(&self, token: &str) -> impl Future<Output = Result<Presented, IdentityError>> + Send;

    /// Revokes tokens that nobody holds any more (RFC 7009).
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    fn revoke(
        &self,
        tokens: UpstreamTokens,
    ) -> impl Future<Output = Result<(), IdentityError>> + Send;
}

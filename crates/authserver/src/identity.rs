//! The identity provider, as `wit/identity` has it.

pub use grants::{
    Profile, RefreshError, RefreshedProfile, RefreshedTokens, UpstreamRefresher, UpstreamTokens,
};

/// How a person signs in, and how what they got is refreshed.
pub trait IdentityProvider: UpstreamRefresher + Sync {
    /// A name for the provider that a person recognizes.
    fn display_name(&self) -> impl Future<Output = String> + Send;

    /// The scopes that are asked of the provider at a sign-in.
    fn scopes(&self) -> impl Future<Output = Vec<String>> + Send;

    /// The URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`ProviderError`], here and below.
    fn login_url(&self, login: Login)
    -> impl Future<Output = Result<String, ProviderError>> + Send;

    /// Trades the code that came to the redirect URI for the person and their tokens.
    fn exchange_code(
        &self,
        exchange: CodeExchange,
    ) -> impl Future<Output = Result<SignIn, ProviderError>> + Send;
}

/// What revokes upstream tokens.
pub trait TokenRevoker: Sync {
    /// Revokes tokens that nobody holds any more (RFC 7009).
    ///
    /// # Errors
    ///
    /// [`ProviderError`].
    fn revoke(
        &self,
        tokens: UpstreamTokens,
    ) -> impl Future<Output = Result<(), ProviderError>> + Send;
}

/// A sign-in that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Where the provider sends the browser back to: our `/callback`.
    pub redirect_uri: String,
    /// Comes back with the browser, unchanged.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// The PKCE S256 challenge.
    pub code_challenge: String,
    /// What the client asks of the sign-in: `login`, `select_account`, or both with a space
    /// (OpenID Connect Core section 3.1.2.1).
    pub prompt: Option<String>,
}

/// What the provider sent back with the browser, and what belongs to it.
pub struct CodeExchange {
    /// The code.
    pub code: String,
    /// The `iss` that came with the code (RFC 9207), if any did.
    pub issuer: Option<String>,
    /// The same as in the [`Login`].
    pub redirect_uri: String,
    /// Of the [`Login`]'s code challenge.
    pub code_verifier: String,
    /// The same as in the [`Login`].
    pub nonce: String,
}

/// A person who has signed in.
pub struct SignIn {
    /// Who it is.
    pub profile: Profile,
    /// What the provider gave for them.
    pub tokens: UpstreamTokens,
}

impl From<ProviderError> for RefreshError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Refused(text) => Self::Refused(text),
            ProviderError::Misconfigured(text) | ProviderError::Unavailable(text) => {
                Self::Unavailable(text)
            }
        }
    }
}

/// Why the provider brought no answer. The texts hold no secret, token or code.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProviderError {
    /// A variable is missing or wrong: the text names it, without its value, and says what to do.
    #[error("{0}")]
    Misconfigured(String),
    /// The provider refused the code.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The provider did not answer in time, or answered with nonsense.
    #[error("the identity provider is unavailable: {0}")]
    Unavailable(String),
}

//! Failures of the identity provider.

/// Why the provider brought no result. The texts hold no secret, token or code.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A variable is missing or wrong: the text names it, without its value, and says what to do.
    #[error("{0}")]
    Misconfigured(String),
    /// The provider, or a check of what it issued, refused the code, the token or the person.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The provider did not answer in time, or its answer is invalid; a later attempt may succeed.
    #[error("the identity provider is unavailable: {0}")]
    Unavailable(String),
}

impl Error {
    /// Returns the text alone.
    pub fn reason(&self) -> &str {
        match self {
            Self::Misconfigured(text) | Self::Refused(text) | Self::Unavailable(text) => text,
        }
    }
}

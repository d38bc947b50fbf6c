//! The errors of a proof (RFC 9449 sections 5, 7.1 and 8).

/// Why a proof is refused (RFC 9449 section 4.3).
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The request has to have a proof, and has none.
    #[error("the DPoP header is missing")]
    Missing,
    /// There are several, or the header is not text.
    #[error("there has to be one DPoP header with one proof")]
    Header,
    /// It is not a valid JWT.
    #[error("the DPoP proof is invalid: {0}")]
    Jwt(#[from] jwt::Error),
    /// It is a JWT of another type.
    #[error("the DPoP proof's typ must be dpop+jwt")]
    Type,
    /// It has no key.
    #[error("the DPoP proof's header has no jwk")]
    NoKey,
    /// It has an invalid key, or a private one.
    #[error("the DPoP proof's jwk is invalid: {0}")]
    Key(#[from] jwt::KeyError),
    /// A claim is missing, or of another type.
    #[error("the DPoP proof's {0} is missing or malformed")]
    Claim(&'static str),
    /// It is for another method.
    #[error("the DPoP proof's htm is not the method of this request")]
    Method,
    /// It is for another URL.
    #[error("the DPoP proof's htu is not the URL of this request")]
    Url,
    /// It is for another access token.
    #[error("the DPoP proof's ath is not the hash of this access token")]
    AccessToken,
    /// It is too old, or of the future.
    #[error("the DPoP proof's iat is not within a minute of now")]
    Stale,
    /// It has no nonce, or one that is not good or too old (RFC 9449 section 8).
    #[error("the DPoP proof needs the nonce of the DPoP-Nonce header")]
    Nonce,
    /// It was shown before.
    #[error("the DPoP proof was used before")]
    Replayed,
}

impl Error {
    /// Returns the error code (RFC 9449 sections 5, 7.1 and 8).
    pub fn code(self) -> &'static str {
        match self {
            Self::Nonce => "use_dpop_nonce",
            _ => "invalid_dpop_proof",
        }
    }
}

//! Sign-ins at the identity provider (OpenID Connect Core section 3.1).

use crate::profile::Profile;
use crate::tokens::UpstreamTokens;

/// A sign-in that is about to begin. Every value is URL-safe or gets escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Where the provider sends the browser back to: our `/callback`.
    pub redirect_uri: String,
    /// The value that comes back with the browser, unchanged.
    pub state: String,
    /// The value that comes back in the ID token.
    pub nonce: String,
    /// The S256 challenge of the verifier (RFC 7636 section 4.2).
    pub code_challenge: String,
    /// What the client asks of the sign-in: `login`, `select_account`, or both with a space between them
    /// (OpenID Connect Core section 3.1.2.1).
    pub prompt: Option<String>,
}

/// What came back with the browser, and what belongs to it.
#[derive(Clone)]
pub struct CodeExchange {
    /// The authorization code.
    pub code: String,
    /// The `iss` that came with the code (RFC 9207), if any did.
    pub issuer: Option<String>,
    /// The same as in the [`Login`].
    pub redirect_uri: String,
    /// The verifier of the [`Login`]'s challenge.
    pub code_verifier: String,
    /// The same as in the [`Login`].
    pub nonce: String,
}

/// A completed sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The person.
    pub profile: Profile,
    /// The tokens that the provider issued for them.
    pub tokens: UpstreamTokens,
}

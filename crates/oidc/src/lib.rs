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
//! Connect Core section 3.1.2.1). A token that somebody presents is good if it is a JWT access
//! token (RFC 9068) of this provider for this server.

pub mod answer;
pub mod claims;
mod discovery;
pub mod keys;
mod profile;
mod provider;
pub mod request;
mod settings;

#[cfg(test)]
mod tests;

pub use discovery::Metadata;
pub use profile::Profile;
pub use provider::Provider;
pub use settings::Settings;

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

/// A sign-in that is about to begin. Every value is URL-safe or gets escaped.
#[derive(Clone, Debug)]
pub struct Login {
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// The S256 challenge of the verifier (RFC 7636 section 4.2).
    pub code_challenge: String,
    /// `login`, `select_account`, or both (OpenID Connect Core section 3.1.2.1).
    pub prompt: Option<String>,
}

/// What came back with the browser, and what belongs to it.
#[derive(Clone)]
pub struct CodeExchange {
    /// The authorization code.
    pub code: String,
    /// The `iss` that came with the code (RFC 9207), if any did.
    pub issuer: Option<String>,
    /// As in the [`Login`].
    pub redirect_uri: String,
    /// Of the [`Login`]'s challenge.
    pub code_verifier: String,
    /// As in the [`Login`].
    pub nonce: String,
}

/// A person who has signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Who it is.
    pub profile: Profile,
    /// Their tokens.
    pub tokens: Tokens,
}

/// What a refresh token was traded for.
#[derive(Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The new tokens.
    pub tokens: Tokens,
    /// What is newly known of the person.
    pub profile: RefreshedProfile,
}

/// What a refresh brought of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshedProfile {
    /// Who it is now.
    Current(Profile),
    /// Nothing: it was not asked for, or the provider says nothing of the person at a refresh.
    Unchanged,
    /// It could not be found out just now, for this reason.
    Unavailable(String),
}

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

impl Tokens {
    /// What there is to revoke at `now` (seconds since the Unix epoch), each with its hint (RFC 7009
    /// section 2.1): the refresh token first, and the access token unless it has ended.
    pub fn to_revoke(&self, now: u64) -> impl Iterator<Item = (&str, &'static str)> {
        let access_token = Some(self.access_token.as_str())
            .filter(|token| !token.is_empty())
            .filter(|_| self.expires_at.is_none_or(|end| end > now));
        let refresh_token = self.refresh_token.as_deref();
        refresh_token
            .map(|token| (token, "refresh_token"))
            .into_iter()
            .chain(access_token.map(|token| (token, "access_token")))
    }
}

/// What a token is that somebody presented, and that the provider issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Who it is, as far as the token says.
    pub profile: Profile,
    /// What it is.
    pub kind: TokenKind,
    /// The issuer identifier.
    pub issuer: String,
    /// `aud`.
    pub audience: Vec<String>,
    /// The client that it was issued to, as [`claims::client`] has it.
    pub client_id: Option<String>,
    /// Our own client at the provider; `None` where what we have is not ours alone.
    pub our_client_id: Option<String>,
    /// As the provider spells them; `None` for a session, which has none.
    pub scopes: Option<Vec<String>>,
    /// In seconds since the Unix epoch.
    pub expires_at: u64,
}

/// What a token of a provider's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token that a client got by a person's leave.
    AccessToken,
    /// An access token that a client got for itself (RFC 6749 section 4.4).
    ClientAccessToken,
    /// A person's session.
    Session,
    /// The session that a machine got for its key.
    MachineSession,
}

/// Why the provider brought no answer. The texts hold no secret, token or code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A variable is missing or wrong; the text names it and says what to do.
    #[error("{0}")]
    Misconfigured(String),
    /// The provider, or a check of what it issued, refused the code, the token or the person.
    #[error("{0}")]
    Refused(String),
    /// The provider did not answer, or with nonsense; trying again later may help.
    #[error("{0}")]
    Unavailable(String),
}

impl Error {
    /// Every one of `problems`, in words.
    pub fn misconfigured(problems: &[config::Problem]) -> Self {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self::Misconfigured(texts.join("; "))
    }
}

impl From<config::Problem> for Error {
    fn from(problem: config::Problem) -> Self {
        Self::Misconfigured(problem.to_string())
    }
}

//! Tokens of the identity provider that a client presents to us.

use crate::profile::Profile;

/// A token that the provider issued: facts that it signed. Whether such a token is accepted, the MCP server
/// decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The person, as far as the token says.
    pub profile: Profile,
    /// The kind of token.
    pub kind: TokenKind,
    /// The issuer identifier.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: Vec<String>,
    /// The client that the token was issued to, if it names one.
    pub client_id: Option<String>,
    /// Our own client at the provider; `None` where what we have stands for others too.
    pub our_client_id: Option<String>,
    /// The scopes, as the provider spells them; `None` if the token has none: a session.
    pub scopes: Option<Vec<String>>,
    /// When the token expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// The kind of a token of the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token that a client got with a person's consent.
    AccessToken,
    /// An access token that a client got for itself (RFC 6749 section 4.4).
    ClientAccessToken,
    /// A person's session at an application of the provider's customer.
    Session,
    /// The session that a machine got for its key.
    MachineSession,
}

//! The record of a grant: client, scopes, resources, person.

use identity::Profile;
use serde::{Deserialize, Serialize};

/// What a person has allowed a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The client.
    pub client_id: String,
    /// The client as the person saw it when they allowed it.
    #[serde(default)]
    pub client: ShownClient,
    /// The scopes allowed (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
    /// The resources it is good for (RFC 8707 section 2).
    pub resources: Vec<String>,
    /// The person.
    pub profile: Profile,
    /// When it began, in seconds since the Unix epoch.
    pub created_at: u64,
    /// When it ends by itself, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// What the authorization code is bound to; nothing if there never was one.
    pub code: Option<CodeBinding>,
}

/// What a person saw of a client when they allowed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownClient {
    /// What it calls itself.
    pub name: String,
    /// Where its answers go, in words: a host, a program on the person's machine, an app.
    pub destination: String,
}

/// What a request must show to redeem the code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeBinding {
    /// The redirect URI of the authorization request, if that had one (RFC 6749 section 4.1.3).
    pub redirect_uri: Option<String>,
    /// The PKCE S256 code challenge (RFC 7636 section 4.2).
    pub challenge: String,
    /// The thumbprint of the key that the client proves (RFC 9449 section 10), if the
    /// authorization request had one.
    pub dpop_jkt: Option<String>,
    /// When the code ends, in seconds since the Unix epoch.
    pub expires_at: u64,
}

//! Clients and their metadata (RFC 7591 section 2).

use crate::redirect_uri;
use crate::visible_text::visible;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a client authenticates at the token endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Not at all: a public client.
    None,
    /// With a secret in the `Authorization` header (RFC 6749 section 2.3.1).
    ClientSecretBasic,
    /// With a secret in the form.
    ClientSecretPost,
    /// With a JWT that a key of its own has signed (RFC 7523 section 2.2, OpenID Connect Core
    /// section 9).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// Every method, the preferred one first.
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
    ];

    /// Returns the method with this name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// Whether it rests on a secret that the server knows, too.
    pub fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// A grant type that a client may use (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 6.
    RefreshToken,
    /// RFC 6749 section 4.4: for confidential clients that the operator has configured, and for no
    /// others.
    ClientCredentials,
}

impl GrantType {
    /// Every grant type.
    pub const ALL: [Self; 3] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
    ];

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// What a client says of itself (RFC 7591 section 2), checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Where the browser may be sent back to.
    pub redirect_uris: Vec<String>,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// How else it may: a metadata document, which is written once for every server, can list what
    /// its client is able to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    /// The one algorithm of its assertions (OpenID Connect Dynamic Client Registration section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// The public keys of its assertions, as a JWK Set (RFC 7517 section 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where these keys are, in place of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Whether it always sends a DPoP proof with a token request (RFC 9449 section 5.2), if it says
    /// so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_bound_access_tokens: Option<bool>,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// Always `code`.
    pub response_types: Vec<String>,
    /// Its name, without characters that a person cannot see. The caller escapes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Its home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// The scopes it means to ask for, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whom to write to about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `native` or `web` (OpenID Connect Dynamic Client Registration section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    /// The software it is an installation of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// That software's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

/// A client. Its identifier tells where it comes from: the operator's configuration, a registration
/// here, or a metadata document at the URL that the identifier is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its identifier (RFC 6749 section 2.2).
    pub client_id: String,
    /// When it was registered, in seconds since the Unix epoch; 0 if it was not registered here.
    pub issued_at: u64,
    /// The [`hash`](crate::secret::hash) of its secret, if it has one.
    pub secret_hash: Option<String>,
    /// What it says of itself.
    pub metadata: ClientMetadata,
    /// Whether it is a resource server that learns of every token at introspection (RFC 7662). Only
    /// the operator's configuration says so, so it is never read from a record.
    #[serde(skip)]
    pub resource_server: bool,
}

impl Client {
    /// Whether a token request of it needs a DPoP proof (RFC 9449 section 5.2).
    pub fn requires_dpop(&self) -> bool {
        self.metadata.dpop_bound_access_tokens == Some(true)
    }

    /// Whether it may use a grant type.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant_type)
    }

    /// Whether it may authenticate in this way. A client with a secret may bring it in the header or
    /// in the form, whichever it has registered: libraries choose by themselves (RFC 6749 section
    /// 2.3.1), and either shows the same.
    pub fn may_authenticate_by(&self, method: AuthMethod) -> bool {
        let registered = self.metadata.token_endpoint_auth_method;
        registered == method
            || (registered.has_secret() && method.has_secret())
            || self
                .metadata
                .token_endpoint_auth_methods_supported
                .contains(&method)
    }

    /// Whether it always has to authenticate (RFC 6749 section 2.1).
    pub fn is_confidential(&self) -> bool {
        !self.may_authenticate_by(AuthMethod::None)
    }

    /// Whether it has registered the redirect URI of a request.
    pub fn has_redirect_uri(&self, requested: &str) -> bool {
        self.metadata
            .redirect_uris
            .iter()
            .any(|registered| redirect_uri::matches(registered, requested))
    }

    /// Returns how a page calls it: by its name, or by its identifier if it has given none that can be seen.
    pub fn display_name(&self) -> &str {
        self.metadata
            .client_name
            .as_deref()
            .filter(|name| visible(name).is_some())
            .unwrap_or(&self.client_id)
    }
}

//! Provider metadata (OpenID Connect Discovery section 3), and how long it is cached.

use crate::misconfiguration;
use crate::settings::is_safe;
use identity::Error;
use serde::Deserialize;
use url::Url;

/// The provider's metadata, as far as it matters here, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where the browser is sent.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are traded.
    pub token_endpoint: Url,
    /// Where the person's claims are, if they are anywhere.
    pub userinfo_endpoint: Option<Url>,
    /// Where tokens are revoked (RFC 7009), if they are anywhere.
    pub revocation_endpoint: Option<Url>,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Whether `iss` comes with every code (RFC 9207 section 3).
    pub sends_issuer: bool,
    /// How clients prove themselves at the token endpoint.
    pub authentication: Authentication,
}

/// What of the ways to prove oneself with a secret the provider takes (OpenID Connect Core
/// section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post` alone.
    Post,
    /// Neither.
    Other,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    userinfo_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    jwks_uri: Url,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    response_types_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
}

/// Returns where the metadata of `issuer` is: the path is appended to the issuer's (section 4).
pub(crate) fn url(issuer: &str) -> String {
    format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    )
}

/// Reads and checks a metadata document.
///
/// # Errors
///
/// [`Error::Unavailable`] if it is invalid, [`Error::Misconfigured`] if it is another issuer's or of a
/// provider that cannot be used.
pub(crate) fn read(body: &[u8], issuer: &str) -> Result<Metadata, Error> {
    let problem = |text: &str, remedy: &str| Err(misconfiguration::of("oidc_issuer", text, remedy));
    let document: Document = serde_json::from_slice(body).map_err(|_| {
        Error::Unavailable(
            "the identity provider's metadata is not that of OpenID Connect Discovery section 3"
                .to_owned(),
        )
    })?;
    // Section 4.3: exactly, or another server may speak for the issuer.
    if document.issuer != issuer {
        return problem(
            "the metadata there names another issuer",
            "Set it to exactly what `issuer` in that document says, with or without a slash at its end",
        );
    }
    let endpoints = [
        Some(&document.authorization_endpoint),
        Some(&document.token_endpoint),
        document.userinfo_endpoint.as_ref(),
        document.revocation_endpoint.as_ref(),
        Some(&document.jwks_uri),
    ];
    if !endpoints
        .into_iter()
        .flatten()
        .all(|url| is_safe(url) && url.fragment().is_none())
    {
        return problem(
            "the metadata there has an endpoint that is not https",
            "Use a provider whose endpoints are all https",
        );
    }
    let lacks = |list: &Option<Vec<String>>, wanted: &str| {
        list.as_ref()
            .is_some_and(|list| !list.iter().any(|one| one == wanted))
    };
    if lacks(&document.response_types_supported, "code") {
        return problem(
            "the provider does not know the authorization code flow",
            "Use a provider that has it",
        );
    }
    if lacks(&document.code_challenge_methods_supported, "S256") {
        return problem(
            "the provider does not know PKCE with S256",
            "Use a provider that has it",
        );
    }
    let signs_as_we_read = document
        .id_token_signing_alg_values_supported
        .as_ref()
        .is_none_or(|list| {
            list.iter()
                .any(|name| jwt::Algorithm::parse(name).is_some())
        });
    if !signs_as_we_read {
        return problem(
            "the provider signs with none of EdDSA, ES256 and RS256",
            "Use a provider that does",
        );
    }
    let authentication = match &document.token_endpoint_auth_methods_supported {
        // Section 3: the default where it is left out.
        None => Authentication::Basic,
        Some(list) if list.iter().any(|one| one == "client_secret_basic") => Authentication::Basic,
        Some(list) if list.iter().any(|one| one == "client_secret_post") => Authentication::Post,
        Some(_) => Authentication::Other,
    };
    Ok(Metadata {
        authorization_endpoint: document.authorization_endpoint,
        token_endpoint: document.token_endpoint,
        userinfo_endpoint: document.userinfo_endpoint,
        revocation_endpoint: document.revocation_endpoint,
        jwks_uri: document.jwks_uri,
        sends_issuer: document.authorization_response_iss_parameter_supported,
        authentication,
    })
}

/// The metadata of one provider, remembered for a while.
#[derive(Default)]
pub(crate) struct CachedMetadata {
    metadata: Option<Metadata>,
    /// When `metadata` came, and when it was last asked for, in seconds since the Unix epoch.
    fetched_at: u64,
    asked_at: u64,
}

impl CachedMetadata {
    /// Returns the metadata, if it need not be asked for at `now`; notes that it is asked for otherwise.
    pub(crate) fn look_up(&mut self, now: u64) -> Option<Metadata> {
        let age = now.saturating_sub(self.fetched_at);
        let asked_lately = now.saturating_sub(self.asked_at) < RETRY_INTERVAL;
        match &self.metadata {
            Some(metadata) if age < MAX_AGE || asked_lately && age < MAX_STALE => {
                Some(metadata.clone())
            }
            _ => {
                self.asked_at = now;
                None
            }
        }
    }

    /// Takes what came at `now`.
    pub(crate) fn store(&mut self, metadata: Metadata, now: u64) {
        self.metadata = Some(metadata);
        self.fetched_at = now;
    }

    /// Takes what another instance was answered with at `fetched_at`, and returns whether it is newer than what is
    /// here.
    pub(crate) fn adopt(&mut self, metadata: Metadata, fetched_at: u64) -> bool {
        let is_newer = self.metadata.is_none() || self.fetched_at < fetched_at;
        if is_newer {
            self.store(metadata, fetched_at);
        }
        is_newer
    }

    /// Notes that the metadata is not asked for at `now` after all: another instance asks. What is old serves for a second.
    pub(crate) fn leave_to_others(&mut self, now: u64) {
        self.asked_at = now.saturating_sub(RETRY_INTERVAL - 1);
    }

    /// Returns what is there when asking has just failed, if it is not too old.
    pub(crate) fn old(&self, now: u64) -> Option<Metadata> {
        let age = now.saturating_sub(self.fetched_at);
        self.metadata.clone().filter(|_| age < MAX_STALE)
    }
}

/// How long metadata is used without asking, in seconds.
const MAX_AGE: u64 = 3600;
/// How long it is used while the provider does not answer, in seconds.
const MAX_STALE: u64 = 24 * 3600;
/// How often at most old metadata is asked for again, in seconds.
const RETRY_INTERVAL: u64 = 30;

//! The token request and its answer (RFC 6749 sections 4.1.3, 5.1 and 6).

use crate::client::{Client, GrantType};
use crate::parameters::Parameters;
use crate::pkce::{self, PkceError};
use crate::resource::{ResourceError, Resources};
use crate::scope::{self, Bounds, Holder, ScopeError};
use serde::Serialize;

/// Why a token request is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenRequestError {
    /// A parameter is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The grant type is not supported.
    #[error("grant_type must be authorization_code, refresh_token or client_credentials")]
    GrantType,
    /// The client is not registered for the grant type.
    #[error("the client is not registered for the grant type {0}")]
    ClientGrant(&'static str),
    /// The code or refresh token was issued to another client.
    #[error("it was issued to another client")]
    OtherClient,
    /// The redirect URI is not the one of the authorization request.
    #[error("redirect_uri is not the one of the authorization request")]
    RedirectUri,
    /// It is bound to a key, and none is proved (RFC 9449 sections 5 and 10).
    #[error("it is bound to a key, and there is no DPoP proof")]
    NoProof,
    /// Another key is proved than the one it is bound to.
    #[error("it is bound to another key than the DPoP proof's")]
    OtherKey,
    /// The verifier is missing or wrong.
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// A resource is refused.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The scope is refused.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// A token request.
#[derive(PartialEq, Eq)]
pub enum TokenRequest<'a> {
    /// Redeems a code.
    AuthorizationCode(CodeRequest<'a>),
    /// Uses this refresh token.
    RefreshToken(&'a str),
    /// Asks for a token for the client itself (RFC 6749 section 4.4).
    ClientCredentials,
}

/// The request that redeems a code.
#[derive(PartialEq, Eq)]
pub struct CodeRequest<'a> {
    /// The code.
    pub code: &'a str,
    /// The redirect URI, if the request repeats it.
    pub redirect_uri: Option<&'a str>,
    /// The PKCE verifier.
    pub verifier: &'a str,
}

/// What a code was issued for.
#[derive(Clone, Copy, Debug)]
pub struct CodeTerms<'a> {
    /// To whom.
    pub client_id: &'a str,
    /// The redirect URI of the authorization request, if that had one.
    pub redirect_uri: Option<&'a str>,
    /// The PKCE challenge.
    pub challenge: &'a str,
}

/// The scopes and resources of the token to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// The scopes.
    pub scopes: Vec<String>,
    /// The resources.
    pub resources: Vec<String>,
}

/// The answer with tokens (RFC 6749 section 5.1).
#[derive(Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// How the access token is to be presented: `Bearer` or `DPoP`.
    pub token_type: &'static str,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// The scopes it has.
    pub scope: String,
    /// The refresh token, if the client may use one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Reads the request of `client`. The form has no repeated parameter, `resource` apart.
///
/// # Errors
///
/// [`TokenRequestError`].
pub fn read<'a>(
    form: &'a Parameters,
    client: &Client,
) -> Result<TokenRequest<'a>, TokenRequestError> {
    let required = |name: &'static str| form.get(name).ok_or(TokenRequestError::Missing(name));
    let name = required("grant_type")?;
    let grant_type = GrantType::ALL
        .into_iter()
        .find(|known| known.as_str() == name)
        .ok_or(TokenRequestError::GrantType)?;
    if !client.may_use(grant_type) {
        return Err(TokenRequestError::ClientGrant(grant_type.as_str()));
    }
    Ok(match grant_type {
        GrantType::AuthorizationCode => TokenRequest::AuthorizationCode(CodeRequest {
            code: required("code")?,
            redirect_uri: form.get("redirect_uri"),
            verifier: form
                .get("code_verifier")
                .ok_or(PkceError::MissingVerifier)?,
        }),
        GrantType::RefreshToken => TokenRequest::RefreshToken(required("refresh_token")?),
        GrantType::ClientCredentials => TokenRequest::ClientCredentials,
    })
}

/// Checks that a grant's client is the one that asks.
///
/// # Errors
///
/// [`TokenRequestError::OtherClient`].
pub fn check_client(client_id: &str, asking: &Client) -> Result<(), TokenRequestError> {
    if client_id == asking.client_id {
        Ok(())
    } else {
        Err(TokenRequestError::OtherClient)
    }
}

/// Checks that the key with the thumbprint `proved` is the one that a code or refresh token is
/// `bound` to, if it is bound to one (RFC 9449 sections 5 and 10).
///
/// # Errors
///
/// [`TokenRequestError::NoProof`] and [`TokenRequestError::OtherKey`].
pub fn check_key(bound: Option<&str>, proved: Option<&str>) -> Result<(), TokenRequestError> {
    match (bound, proved) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(TokenRequestError::NoProof),
        (Some(bound), Some(proved)) if bound == proved => Ok(()),
        _ => Err(TokenRequestError::OtherKey),
    }
}

impl CodeRequest<'_> {
    /// Checks that the request of `client` fits what the code was issued for.
    ///
    /// A redirect URI that the request repeats must be the same (RFC 6749 section 4.1.3). One may
    /// leave it out, as OAuth 2.1 does: the verifier, which every request has, binds tighter.
    ///
    /// # Errors
    ///
    /// [`TokenRequestError`].
    pub fn check(&self, client: &Client, terms: CodeTerms<'_>) -> Result<(), TokenRequestError> {
        check_client(terms.client_id, client)?;
        pkce::check_verifier(terms.challenge, self.verifier)?;
        let differs = |uri: &str| terms.redirect_uri.is_some_and(|was| was != uri);
        if self.redirect_uri.is_some_and(differs) {
            return Err(TokenRequestError::RedirectUri);
        }
        Ok(())
    }
}

/// Returns the scopes and resources of the token: what the form of `client` asks for, and never more than
/// the `scopes` and `resources` that were granted. `person` are the scopes that the person has now,
/// where a policy says so; `existing` those that exist, and `ours` the resources.
///
/// # Errors
///
/// [`TokenRequestError`].
pub fn narrow(
    form: &Parameters,
    client: &Client,
    (scopes, person): (&[String], Option<&[String]>),
    resources: &[String],
    existing: &[String],
    ours: &Resources,
) -> Result<Narrowed, TokenRequestError> {
    let bounds = Bounds {
        existing,
        registered: client.metadata.scope.as_deref(),
        person,
        holder: Holder::Granted(scopes),
    };
    Ok(Narrowed {
        scopes: scope::effective(form.get("scope"), &bounds)?,
        resources: ours.narrow(form.all("resource"), resources)?,
    })
}

/// Returns the scopes and resources of a token for `client` itself. `existing` are the scopes that exist,
/// `defaults` those of a request that asks for none of them, `ours` the resources.
///
/// # Errors
///
/// [`TokenRequestError`].
pub fn for_client(
    form: &Parameters,
    client: &Client,
    existing: &[String],
    defaults: &[String],
    ours: &Resources,
) -> Result<Narrowed, TokenRequestError> {
    let bounds = Bounds {
        existing,
        registered: client.metadata.scope.as_deref(),
        person: None,
        holder: Holder::Client(defaults),
    };
    Ok(Narrowed {
        scopes: scope::effective(form.get("scope"), &bounds)?,
        resources: ours.select(form.all("resource"))?,
    })
}

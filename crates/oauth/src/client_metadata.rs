//! Client metadata: the rules for every field (RFC 7591 section 2), whichever way it
//! is said.

use crate::client::{AuthMethod, ClientMetadata, GrantType};
use crate::document::url::{UrlError, check_url};
use crate::redirect_uri::{self, PrivateUse, RedirectUriError};
use crate::scope;
use crate::visible_text::visible;
use jwt::{Algorithm, KeyError, KeySet};
use serde_json::{Map, Value};
use url::Url;

const MAX_REDIRECT_URIS: usize = 20;
const MAX_LIST_ITEMS: usize = 20;
/// Characters of a name or another short text.
const MAX_TEXT_CHARS: usize = 200;
/// Characters of an address or a list in one text.
const MAX_LONG_TEXT_CHARS: usize = 2000;

/// Why a client's metadata is refused. Names the field; what the field holds is in none of it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MetadataError {
    /// It is no JSON object.
    #[error("the body must be a JSON object")]
    NotAnObject,
    /// The client gives no redirect URI.
    #[error("redirect_uris is missing or empty")]
    NoRedirectUri,
    /// The client gives more redirect URIs than anybody needs.
    #[error("redirect_uris has more than {MAX_REDIRECT_URIS} entries")]
    TooManyRedirectUris,
    /// The redirect URI at this place (counted from 0) is refused.
    #[error("redirect_uris[{0}]: {1}")]
    RedirectUri(usize, RedirectUriError),
    /// A field that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field is there that must not be.
    #[error("{0} must not be there")]
    Forbidden(&'static str),
    /// A field is of the wrong type.
    #[error("{0} must be {1}")]
    Type(&'static str, &'static str),
    /// A field is too long.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// A field has a value that is not supported.
    #[error("{0} must be one of: {1}")]
    Unsupported(&'static str, &'static str),
    /// A field that must be a web address is not.
    #[error("{0} is not an http or https URL without a user name")]
    Url(&'static str),
    /// The scope has characters that scopes cannot have.
    #[error("scope has a character that scopes cannot have")]
    Scope,
    /// The operator bounds a client to scopes none of which exists.
    #[error("scope has none of the scopes that exist")]
    NoScope,
    /// The keys are refused.
    #[error("jwks: {0}")]
    Keys(KeyError),
    /// None of the keys can be used.
    #[error("jwks has no key for EdDSA, ES256 or RS256")]
    NoKey,
    /// The keys are at an address that is not fetched from.
    #[error("jwks_uri: {0}")]
    KeysUrl(UrlError),
    /// `jwks` and `jwks_uri` at once (RFC 7591 section 2).
    #[error("jwks and jwks_uri must not both be there")]
    KeysTwice,
}

/// Where the metadata comes from, which decides what may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataSource {
    /// A registration (RFC 7591).
    Registration,
    /// A metadata document, which can hold no secret.
    Document,
    /// The operator's configuration.
    Configuration,
}

/// What the rules lean on.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Where the metadata comes from.
    pub source: MetadataSource,
    /// The scopes that exist.
    pub scopes: &'a [String],
    /// See [`check_url`].
    pub extra_origin: Option<&'a str>,
    /// Which private-use schemes redirect URIs may have. Those of a client that the operator has
    /// configured may have any.
    pub private_use: PrivateUse,
}

impl Rules<'_> {
    fn private_use(&self) -> PrivateUse {
        match self.source {
            MetadataSource::Configuration => PrivateUse::Any,
            MetadataSource::Registration | MetadataSource::Document => self.private_use,
        }
    }
}

/// Checks what a client says of itself. Fields that are not known are ignored (RFC 7591 section
/// 2), a null or empty one counts as absent.
///
/// # Errors
///
/// [`MetadataError`].
pub fn read(
    fields: &Map<String, Value>,
    rules: Rules<'_>,
) -> Result<ClientMetadata, MetadataError> {
    let fields = Fields(fields);
    let grant_types = grant_types(fields, rules.source)?;
    let redirect_uris = redirect_uris(fields, &grant_types, rules.private_use())?;
    let application_type = application_type(fields, &redirect_uris)?;
    let methods = AuthMethods::read(fields, rules.source)?;
    let uses_keys = methods.includes(AuthMethod::PrivateKeyJwt);
    let keys = Keys::read(fields, rules.extra_origin)?;
    if uses_keys {
        keys.require_usable()?;
    }
    // Keys that nothing will be checked by are not kept.
    let keys = if uses_keys { keys } else { Keys::default() };
    Ok(ClientMetadata {
        redirect_uris,
        token_endpoint_auth_method: methods.first,
        token_endpoint_auth_methods_supported: methods.others,
        token_endpoint_auth_signing_alg: signing_algorithm(fields)?.filter(|_| uses_keys),
        jwks: keys.set,
        jwks_uri: keys.url,
        dpop_bound_access_tokens: fields.flag("dpop_bound_access_tokens")?,
        grant_types,
        response_types: response_types(fields)?,
        client_name: fields.visible_text("client_name")?,
        client_uri: fields.web_address("client_uri")?,
        logo_uri: fields.web_address("logo_uri")?,
        policy_uri: fields.web_address("policy_uri")?,
        tos_uri: fields.web_address("tos_uri")?,
        scope: registered_scope(fields, rules)?,
        contacts: fields.list("contacts")?.unwrap_or_default(),
        application_type,
        software_id: fields.visible_text("software_id")?,
        software_version: fields.visible_text("software_version")?,
    })
}

fn redirect_uris(
    fields: Fields<'_>,
    grant_types: &[GrantType],
    private_use: PrivateUse,
) -> Result<Vec<String>, MetadataError> {
    let wrong_type = MetadataError::Type("redirect_uris", "an array of strings");
    let values = match fields.get("redirect_uris") {
        None => &[],
        Some(value) => value.as_array().ok_or(wrong_type.clone())?.as_slice(),
    };
    if values.is_empty() && grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(MetadataError::NoRedirectUri);
    }
    if values.len() > MAX_REDIRECT_URIS {
        return Err(MetadataError::TooManyRedirectUris);
    }
    let mut uris: Vec<String> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let uri = value.as_str().ok_or_else(|| wrong_type.clone())?;
        redirect_uri::check(uri, private_use)
            .map_err(|error| MetadataError::RedirectUri(index, error))?;
        if !uris.iter().any(|known| known == uri) {
            uris.push(uri.to_owned());
        }
    }
    Ok(uris)
}

/// `application_type` is a hint, on which nothing here rests: real clients register as `web` with a
/// redirect URI that only a native application has (RFC 8252 section 7), and are registered as what
/// they are. A native one may have https as well (section 7.2). A kind that is not known counts as
/// absent.
fn application_type(
    fields: Fields<'_>,
    redirect_uris: &[String],
) -> Result<Option<String>, MetadataError> {
    let is_web = redirect_uris.iter().all(|uri| uri.starts_with("https://"));
    let kind = match fields.text("application_type", MAX_TEXT_CHARS)? {
        Some("web") if is_web => Some("web"),
        Some("web" | "native") => Some("native"),
        _ => None,
    };
    Ok(kind.map(str::to_owned))
}

/// How a client authenticates: in one way, and how else it may.
struct AuthMethods {
    first: AuthMethod,
    others: Vec<AuthMethod>,
}

impl AuthMethods {
    const FIELD: &'static str = "token_endpoint_auth_method";

    fn read(fields: Fields<'_>, source: MetadataSource) -> Result<Self, MetadataError> {
        let name = fields.text(Self::FIELD, MAX_TEXT_CHARS)?;
        let method = name.and_then(AuthMethod::parse);
        if source == MetadataSource::Document {
            return Self::of_document(fields, name, method);
        }
        let first = match (name, method) {
            (Some(_), Some(method)) => method,
            (Some(_), None) => {
                return Err(MetadataError::Unsupported(
                    Self::FIELD,
                    "none, client_secret_basic, client_secret_post, private_key_jwt",
                ));
            }
            (None, _) if source == MetadataSource::Configuration => Self::configured(fields),
            // RFC 7591 section 2.
            (None, _) => AuthMethod::ClientSecretBasic,
        };
        Ok(Self {
            first,
            others: Vec::new(),
        })
    }

    /// What the operator has given says how it is meant.
    fn configured(fields: Fields<'_>) -> AuthMethod {
        let has = |name: &str| fields.get(name).is_some();
        if has("client_secret") || has("client_secret_sha256") {
            AuthMethod::ClientSecretBasic
        } else if has("jwks") || has("jwks_uri") {
            AuthMethod::PrivateKeyJwt
        } else {
            AuthMethod::None
        }
    }

    /// A document holds no secret, and no secret can be agreed on. One that prefers another method
    /// than ours is good if it lists one of ours.
    fn of_document(
        fields: Fields<'_>,
        name: Option<&str>,
        method: Option<AuthMethod>,
    ) -> Result<Self, MetadataError> {
        let refused = MetadataError::Unsupported(Self::FIELD, "none, private_key_jwt");
        if name.is_some_and(|name| name.starts_with("client_secret_")) {
            return Err(refused);
        }
        for field in ["client_secret", "client_secret_expires_at"] {
            if fields.get(field).is_some() {
                return Err(MetadataError::Forbidden(field));
            }
        }
        let listed = fields.list("token_endpoint_auth_methods_supported")?;
        let mut methods: Vec<AuthMethod> = Vec::new();
        for method in method.into_iter().chain(
            listed
                .unwrap_or_default()
                .iter()
                .filter_map(|name| AuthMethod::parse(name)),
        ) {
            if !method.has_secret() && !methods.contains(&method) {
                methods.push(method);
            }
        }
        // One that has to publish keys for a method and does not cannot mean it.
        if methods.contains(&AuthMethod::None)
            && fields.get("jwks").is_none()
            && fields.get("jwks_uri").is_none()
        {
            methods.retain(|method| *method != AuthMethod::PrivateKeyJwt);
        }
        if methods.is_empty() && name.is_none() {
            methods.push(AuthMethod::None);
        }
        if methods.is_empty() {
            return Err(refused);
        }
        Ok(Self {
            first: methods.remove(0),
            others: methods,
        })
    }

    fn includes(&self, method: AuthMethod) -> bool {
        self.first == method || self.others.contains(&method)
    }
}

#[derive(Default)]
struct Keys {
    set: Option<Value>,
    url: Option<String>,
    /// Whether one of the set can be used here, or there is no set.
    has_usable: bool,
}

impl Keys {
    fn read(fields: Fields<'_>, extra_origin: Option<&str>) -> Result<Self, MetadataError> {
        let set = fields.get("jwks");
        let url = fields.text("jwks_uri", MAX_LONG_TEXT_CHARS)?;
        if set.is_some() && url.is_some() {
            return Err(MetadataError::KeysTwice);
        }
        let read = set.map(KeySet::from_value).transpose();
        let has_usable = read
            .map_err(MetadataError::Keys)?
            .is_none_or(|keys| !keys.is_empty());
        if let Some(url) = url {
            check_url(url, extra_origin).map_err(MetadataError::KeysUrl)?;
        }
        Ok(Self {
            set: set.cloned(),
            url: url.map(str::to_owned),
            has_usable,
        })
    }

    /// For a client that authenticates by them. Others send an empty set, or keys for other ends.
    fn require_usable(&self) -> Result<(), MetadataError> {
        if self.set.is_none() && self.url.is_none() {
            return Err(MetadataError::Missing("jwks or jwks_uri"));
        }
        if self.has_usable {
            Ok(())
        } else {
            Err(MetadataError::NoKey)
        }
    }
}

fn signing_algorithm(fields: Fields<'_>) -> Result<Option<String>, MetadataError> {
    const FIELD: &str = "token_endpoint_auth_signing_alg";
    match fields.text(FIELD, MAX_TEXT_CHARS)? {
        None => Ok(None),
        Some(name) if Algorithm::parse(name).is_some() => Ok(Some(name.to_owned())),
        Some(_) => Err(MetadataError::Unsupported(FIELD, "EdDSA, ES256, RS256")),
    }
}

/// Grant types that are not supported are left out, as RFC 7591 section 3.2.1 allows: clients list
/// all that they can do. One that lists none gets refresh tokens as well, which is more than the
/// default of section 2: a client that does not know the field uses one where it gets one, and its
/// user would have to sign in again every few minutes.
fn grant_types(
    fields: Fields<'_>,
    source: MetadataSource,
) -> Result<Vec<GrantType>, MetadataError> {
    let Some(names) = fields.list("grant_types")? else {
        return Ok(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
    };
    let configured = source == MetadataSource::Configuration;
    let supported: Vec<GrantType> = GrantType::ALL
        .into_iter()
        .filter(|known| configured || *known != GrantType::ClientCredentials)
        .filter(|known| names.iter().any(|name| name == known.as_str()))
        .collect();
    let begins = [GrantType::AuthorizationCode, GrantType::ClientCredentials];
    if supported.iter().any(|known| begins.contains(known)) {
        Ok(supported)
    } else {
        Err(MetadataError::Unsupported(
            "grant_types",
            if configured {
                "authorization_code, client_credentials, and refresh_token beside authorization_code"
            } else {
                "authorization_code, and refresh_token beside it"
            },
        ))
    }
}

fn response_types(fields: Fields<'_>) -> Result<Vec<String>, MetadataError> {
    match fields.list("response_types")? {
        Some(names) if !names.iter().any(|name| name == "code") => {
            Err(MetadataError::Unsupported("response_types", "code"))
        }
        _ => Ok(vec!["code".to_owned()]),
    }
}

/// A client that registers itself with nothing of ours means another server's scopes, which is no
/// bound. An operator who writes such a thing means a bound, and a misspelt one must not be none.
fn registered_scope(fields: Fields<'_>, rules: Rules<'_>) -> Result<Option<String>, MetadataError> {
    let Some(text) = fields.text("scope", MAX_LONG_TEXT_CHARS)? else {
        return Ok(None);
    };
    let own = scope::registrable(text, rules.scopes).map_err(|_| MetadataError::Scope)?;
    let is_misspelt = own.is_none() && !rules.scopes.is_empty();
    if is_misspelt && rules.source == MetadataSource::Configuration {
        return Err(MetadataError::NoScope);
    }
    Ok(own)
}

#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// Returns a field that is there and not null.
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text that is not empty and has at most so many characters.
    pub(crate) fn text(
        self,
        name: &'static str,
        longest: usize,
    ) -> Result<Option<&'a str>, MetadataError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if is_longer(text, longest) => {
                Err(MetadataError::TooLong(name))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(MetadataError::Type(name, "a string")),
        }
    }

    /// Returns the same of a short text that people read: invisible characters are left out, and if that
    /// is all of it, so is the text.
    fn visible_text(self, name: &'static str) -> Result<Option<String>, MetadataError> {
        Ok(self.text(name, MAX_TEXT_CHARS)?.and_then(visible))
    }

    /// Returns a boolean, if there is one.
    pub(crate) fn flag(self, name: &'static str) -> Result<Option<bool>, MetadataError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(MetadataError::Type(name, "a boolean")),
        }
    }

    fn list(self, name: &'static str) -> Result<Option<Vec<String>>, MetadataError> {
        let wrong_type = MetadataError::Type(name, "an array of strings");
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(values)) if values.is_empty() => Ok(None),
            Some(Value::Array(values)) if values.len() > MAX_LIST_ITEMS => {
                Err(MetadataError::TooLong(name))
            }
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| match value {
                    Value::String(text) if is_longer(text, MAX_TEXT_CHARS) => {
                        Err(MetadataError::TooLong(name))
                    }
                    Value::String(text) => Ok(text.clone()),
                    _ => Err(wrong_type.clone()),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong_type),
        }
    }

    fn web_address(self, name: &'static str) -> Result<Option<String>, MetadataError> {
        let Some(text) = self.text(name, MAX_LONG_TEXT_CHARS)? else {
            return Ok(None);
        };
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or(MetadataError::Url(name))?;
        // Written out, with its escapes, it may have become longer.
        if url.as_str().len() > MAX_LONG_TEXT_CHARS {
            return Err(MetadataError::TooLong(name));
        }
        Ok(Some(url.into()))
    }
}

/// Whether a text has more than so many characters, which is what its author counts, and not bytes.
fn is_longer(text: &str, longest: usize) -> bool {
    text.chars().nth(longest).is_some()
}

#[cfg(test)]
mod tests;

//! The credentials that the API is shown, and where in a request they stand (Security Scheme Object).

use crate::document::{Document, ReferenceError, object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::fmt;
use url::Url;

/// What the API is shown.
#[derive(Debug)]
pub enum Credentials {
    /// Nothing.
    None,
    /// The same secret for everyone.
    Secret {
        /// The secret.
        secret: Secret,
        /// Where it goes.
        location: SecretIn,
    },
    /// The access token that the identity provider issued for the person.
    Upstream,
}

/// A text that is shown to the API alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text; `None` if no header could hold it, or it has more than 16 KiB.
    pub fn read(text: &str) -> Option<Self> {
        let has_length = (1..=16 * 1024).contains(&text.len());
        let fits = has_length && text.bytes().all(|c| c == b' ' || c.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Where the secret goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretIn {
    /// Where the document's security requirement for the operation says.
    Document,
    /// Where this security scheme of the document says.
    Scheme(String),
    /// Here, whatever the document says.
    Fixed(SecretLocation),
}

/// A location in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretLocation {
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`; the secret is `user:password`.
    Basic,
    /// A header of its own.
    Header(HeaderName),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}

impl SecretLocation {
    /// Returns whether a cookie may have this name (RFC 6265 section 4.1.1: a token).
    pub(crate) fn is_cookie_name(name: &str) -> bool {
        name.parse::<HeaderName>().is_ok()
    }
}

/// Why a secret has no location in a request.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoSecretLocation {
    /// The scheme that the configuration names does not exist or cannot be used.
    #[error("the document has no security scheme {0} that takes one secret; correct secret_in")]
    Scheme(String),
    /// None of the schemes that the operation requires can be used.
    #[error(
        "none of its security schemes takes one secret; say with secret_in where the secret goes"
    )]
    Requirement,
    /// A scheme is a reference that leads nowhere.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

/// A secret and its location in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub(crate) location: SecretLocation,
    pub(crate) secret: Secret,
}

impl Credential {
    /// Puts the credential into a request.
    pub(crate) fn apply(&self, url: &mut Url, headers: &mut HeaderMap) {
        let secret = &self.secret.0;
        match &self.location {
            SecretLocation::Bearer => set(headers, AUTHORIZATION, &format!("Bearer {secret}")),
            SecretLocation::Basic => {
                set(headers, AUTHORIZATION, &format!("Basic {}", self.basic()))
            }
            SecretLocation::Header(name) => set(headers, name.clone(), secret),
            SecretLocation::Query(name) => {
                let others: Vec<_> = url
                    .query()
                    .into_iter()
                    .flat_map(|query| query.split('&'))
                    .collect();
                let pair = form_urlencoded::Serializer::new(String::new())
                    .append_pair(name, secret)
                    .finish();
                // A redirect may have kept it.
                let is_there = others.contains(&pair.as_str());
                if !is_there {
                    let query = [others, vec![pair.as_str()]].concat().join("&");
                    url.set_query(Some(&query));
                }
            }
            SecretLocation::Cookie(name) => {
                let own = format!("{name}={secret}");
                let cookies = match headers.get(COOKIE).and_then(|value| value.to_str().ok()) {
                    Some(others) => format!("{others}; {own}"),
                    None => own,
                };
                set(headers, COOKIE, &cookies);
            }
        }
    }

    /// Returns every text under which the credential may come back in a response.
    pub(crate) fn traces(&self) -> Vec<String> {
        let mut traces = vec![self.secret.0.clone()];
        // Without the word of its scheme.
        let parts = self.secret.0.split_once(' ');
        traces.extend(parts.map(|(_, token)| token.to_owned()));
        if self.location == SecretLocation::Basic {
            traces.push(self.basic());
            traces.extend(
                self.secret
                    .0
                    .split_once(':')
                    .map(|(_, password)| password.to_owned()),
            );
        }
        traces
    }

    fn basic(&self) -> String {
        let secret = &self.secret.0;
        match secret.contains(':') {
            true => STANDARD.encode(secret),
            // A key as the user, with an empty password, as many APIs want it.
            false => STANDARD.encode(format!("{secret}:")),
        }
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // A secret is read so that it fits.
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

/// Returns whether the document says that the operation needs no credentials (`security` is empty).
pub(crate) fn is_public(document: &Document, operation: &Value) -> bool {
    requirements(document, operation).is_some_and(Vec::is_empty)
}

/// Returns the location of a secret in the requests of an operation; `None` if the document says that the operation needs no
/// credentials.
///
/// # Errors
///
/// See [`NoSecretLocation`].
pub(crate) fn find_location(
    document: &Document,
    operation: &Value,
    configured: &SecretIn,
) -> Result<Option<SecretLocation>, NoSecretLocation> {
    match configured {
        SecretIn::Fixed(location) => Ok(Some(location.clone())),
        SecretIn::Scheme(name) => {
            let location = scheme(document, name)?;
            location
                .map(Some)
                .ok_or_else(|| NoSecretLocation::Scheme(strict_json::excerpt(name)))
        }
        SecretIn::Document => match requirements(document, operation) {
            Some(requirements) if requirements.is_empty() => Ok(None),
            Some(requirements) => {
                let names = requirements
                    .iter()
                    .flat_map(|requirement| object(requirement).keys());
                first_usable(document, names)?
                    .map(Some)
                    .ok_or(NoSecretLocation::Requirement)
            }
            None => {
                let schemes = document.at(&["components", "securitySchemes"]);
                let names = schemes
                    .into_iter()
                    .flat_map(|schemes| object(schemes).keys());
                Ok(Some(
                    first_usable(document, names)?.unwrap_or(SecretLocation::Bearer),
                ))
            }
        },
    }
}

fn requirements<'d>(document: &'d Document, operation: &'d Value) -> Option<&'d Vec<Value>> {
    operation
        .get("security")
        .or_else(|| document.get("security"))?
        .as_array()
}

fn first_usable<'d>(
    document: &Document,
    names: impl Iterator<Item = &'d String>,
) -> Result<Option<SecretLocation>, ReferenceError> {
    for name in names {
        if let Some(location) = scheme(document, name)? {
            return Ok(Some(location));
        }
    }
    Ok(None)
}

fn scheme(document: &Document, name: &str) -> Result<Option<SecretLocation>, ReferenceError> {
    let Some(scheme) = document.at(&["components", "securitySchemes", name]) else {
        return Ok(None);
    };
    let scheme = document.resolve(scheme)?;
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    Ok(match text("type") {
        "apiKey" => match (text("in"), text("name")) {
            ("header", name) => name.parse().ok().map(SecretLocation::Header),
            ("query", name) if !name.is_empty() => Some(SecretLocation::Query(name.to_owned())),
            ("cookie", name) if SecretLocation::is_cookie_name(name) => {
                Some(SecretLocation::Cookie(name.to_owned()))
            }
            _ => None,
        },
        "http" if text("scheme").eq_ignore_ascii_case("bearer") => Some(SecretLocation::Bearer),
        "http" if text("scheme").eq_ignore_ascii_case("basic") => Some(SecretLocation::Basic),
        "oauth2" | "openIdConnect" => Some(SecretLocation::Bearer),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(location: SecretLocation, secret: &str, url: &str) -> (String, HeaderMap) {
        let mut url = Url::parse(url).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=1"));
        let secret = Secret::read(secret).unwrap();
        Credential { location, secret }.apply(&mut url, &mut headers);
        (url.into(), headers)
    }

    #[test]
    fn a_credential_is_put_into_its_place() {
        let url = "https://a.example/x?y=1";
        let (same, headers) = apply(SecretLocation::Bearer, "t0ken", url);
        assert_eq!(
            (same.as_str(), &headers[AUTHORIZATION]),
            (url, &"Bearer t0ken".parse().unwrap())
        );
        assert!(headers[AUTHORIZATION].is_sensitive());
        let (_, headers) = apply(SecretLocation::Basic, "user:word", url);
        assert_eq!(headers[AUTHORIZATION], "Basic dXNlcjp3b3Jk");
        let (_, headers) = apply(SecretLocation::Basic, "key", url);
        assert_eq!(headers[AUTHORIZATION], "Basic a2V5Og==");
        let (_, headers) = apply(
            SecretLocation::Header(HeaderName::from_static("x-key")),
            "k",
            url,
        );
        assert_eq!(headers["x-key"], "k");
        let (_, headers) = apply(SecretLocation::Cookie("sid".to_owned()), "k", url);
        assert_eq!(headers[COOKIE], "a=1; sid=k");
        let query = SecretLocation::Query("api key".to_owned());
        let (with, _) = apply(query.clone(), "a&b", url);
        assert_eq!(with, "https://a.example/x?y=1&api+key=a%26b");
        let (again, _) = apply(query, "a&b", &with);
        assert_eq!(again, with);
    }

    #[test]
    fn a_secret_fits_into_a_header() {
        assert!(Secret::read("a b:c").is_some());
        let long = "x".repeat(16 * 1024 + 1);
        for wrong in ["", "a\nb", "a\0", "é", &long] {
            assert!(Secret::read(wrong).is_none());
        }
    }

    #[test]
    fn a_secret_is_known_without_its_scheme_and_in_basic() {
        let traces = |location, secret| {
            let secret = Secret::read(secret).unwrap();
            Credential { location, secret }.traces()
        };
        let header = SecretLocation::Header(AUTHORIZATION);
        assert_eq!(traces(header, "Bearer t0ken"), ["Bearer t0ken", "t0ken"]);
        let basic = ["user:word", "dXNlcjp3b3Jk", "word"];
        assert_eq!(traces(SecretLocation::Basic, "user:word"), basic);
    }

    fn document(security: &Value) -> Document {
        let document = json!({
            "openapi": "3.0.0",
            "security": security,
            "components": {"securitySchemes": {
                "Header": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "Query": {"$ref": "#/components/securitySchemes/Other"},
                "Other": {"type": "apiKey", "in": "query", "name": "key"},
                "Login": {"type": "oauth2", "flows": {}},
                "Basic": {"type": "http", "scheme": "Basic"},
                "Certificate": {"type": "mutualTLS"},
            }},
        });
        Document::read(&document.to_string(), None).unwrap()
    }

    #[test]
    fn the_document_says_where_a_secret_goes() {
        let header = || SecretLocation::Header(HeaderName::from_static("x-key"));
        for (root, operation, expected) in [
            (json!([{"Header": []}]), json!({}), Ok(Some(header()))),
            (json!([{"Header": []}]), json!({"security": []}), Ok(None)),
            (
                json!([{"Header": []}]),
                json!({"security": [{"Login": ["a"]}]}),
                Ok(Some(SecretLocation::Bearer)),
            ),
            (
                json!([{"Certificate": []}, {"Query": []}]),
                json!({}),
                Ok(Some(SecretLocation::Query("key".to_owned()))),
            ),
            (
                json!([{}, {"Basic": []}]),
                json!({}),
                Ok(Some(SecretLocation::Basic)),
            ),
            (
                json!([{"Certificate": []}]),
                json!({}),
                Err(NoSecretLocation::Requirement),
            ),
            (
                json!([{"Missing": []}]),
                json!({}),
                Err(NoSecretLocation::Requirement),
            ),
            // Nothing is required, though there are schemes.
            (Value::Null, json!({}), Ok(Some(SecretLocation::Basic))),
        ] {
            let document = document(&root);
            let location = find_location(&document, &operation, &SecretIn::Document);
            assert_eq!(location, expected, "{root} {operation}");
        }
        let without = Document::read(r#"{"openapi":"3.0.0"}"#, None).unwrap();
        let location = find_location(&without, &json!({}), &SecretIn::Document);
        assert_eq!(location, Ok(Some(SecretLocation::Bearer)));
    }

    #[test]
    fn the_configuration_says_it_whatever_the_document_says() {
        let document = document(&json!([{"Header": []}]));
        let public = json!({"security": []});
        let location = |configured: &SecretIn| find_location(&document, &public, configured);
        assert_eq!(
            location(&SecretIn::Fixed(SecretLocation::Basic)),
            Ok(Some(SecretLocation::Basic))
        );
        let named = |name: &str| SecretIn::Scheme(name.to_owned());
        assert_eq!(
            location(&named("Query")),
            Ok(Some(SecretLocation::Query("key".to_owned())))
        );
        for wrong in ["Certificate", "Missing"] {
            assert_eq!(
                location(&named(wrong)),
                Err(NoSecretLocation::Scheme(wrong.to_owned()))
            );
        }
    }
}

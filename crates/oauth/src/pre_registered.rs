//! The clients that the operator has configured.

use crate::client::{AuthMethod, Client, GrantType};
use crate::client_metadata::{self, Fields, MetadataError, MetadataSource, Rules};
use crate::redirect_uri::PrivateUse;
use crate::secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Clients that may be configured.
const MAX_CLIENTS: usize = 1000;

const MAX_IDENTIFIER_BYTES: usize = 256;

/// Bytes of SHA-256.
const HASH_BYTES: usize = 32;

/// What is wrong with the configured clients. Names the entry (counted from 1) and its field, and
/// never a value.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigurationError {
    /// The whole is no JSON.
    #[error("it is not a JSON array of objects")]
    NotAnArray,
    /// There are too many.
    #[error("it has more than {MAX_CLIENTS} entries")]
    TooMany,
    /// An entry is refused.
    #[error("entry {0}: {1}")]
    Entry(usize, EntryError),
}

/// What is wrong with an entry.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EntryError {
    /// A field of RFC 7591 is refused.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The identifier is missing or has characters that make trouble somewhere.
    #[error(
        "client_id must be there, with up to {MAX_IDENTIFIER_BYTES} visible ASCII characters other than quotes and backslashes"
    )]
    Identifier,
    /// An earlier entry has the same identifier.
    #[error("client_id is that of an earlier entry")]
    Repeated,
    /// The secret is given twice.
    #[error("client_secret and client_secret_sha256 must not both be there")]
    SecretTwice,
    /// The method needs a secret.
    #[error("client_secret or client_secret_sha256 is missing")]
    NoSecret,
    /// The method needs none, so something else was meant.
    #[error("token_endpoint_auth_method does not use a secret, and there is one")]
    UselessSecret,
    /// The secret can be guessed.
    #[error("client_secret has fewer than 32 characters")]
    WeakSecret,
    /// The hash is invalid.
    #[error("client_secret_sha256 is not a SHA-256 hash in hex or URL-safe Base64")]
    Hash,
    /// Anybody could be this client (RFC 6749 section 4.4).
    #[error("grant_types has client_credentials, which is for clients that authenticate")]
    PublicMachine,
    /// Anybody could be this resource server (RFC 7662 section 2.1).
    #[error("resource_server is for clients that authenticate")]
    PublicResourceServer,
}

/// Reads the configured clients: a JSON array of RFC 7591 metadata, each with its `client_id`, and
/// `client_secret_sha256` or `client_secret` or keys where it authenticates, and `resource_server`
/// where it may introspect every token. `scopes` are the
/// scopes that exist, `extra_origin` is as [`crate::document::check_url`] has it.
///
/// # Errors
///
/// [`ConfigurationError`] with the first thing that is wrong.
pub fn read(
    text: &str,
    scopes: &[String],
    extra_origin: Option<&str>,
) -> Result<Vec<Client>, ConfigurationError> {
    let entries: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|_| ConfigurationError::NotAnArray)?;
    if entries.len() > MAX_CLIENTS {
        return Err(ConfigurationError::TooMany);
    }
    let mut clients: Vec<Client> = Vec::with_capacity(entries.len());
    for (index, fields) in entries.iter().enumerate() {
        let failed = |error| ConfigurationError::Entry(index + 1, error);
        let rules = Rules {
            source: MetadataSource::Configuration,
            scopes,
            extra_origin,
            private_use: PrivateUse::Any,
        };
        let client = entry(fields, rules).map_err(failed)?;
        if clients
            .iter()
            .any(|known| known.client_id == client.client_id)
        {
            return Err(failed(EntryError::Repeated));
        }
        clients.push(client);
    }
    Ok(clients)
}

fn entry(fields: &Map<String, Value>, rules: Rules<'_>) -> Result<Client, EntryError> {
    let client_id = fields
        .get("client_id")
        .and_then(Value::as_str)
        .filter(|id| is_identifier(id))
        .ok_or(EntryError::Identifier)?;
    let metadata = client_metadata::read(fields, rules)?;
    let secret_hash = secret_hash(Fields(fields))?;
    match (
        metadata.token_endpoint_auth_method.has_secret(),
        secret_hash.is_some(),
    ) {
        (true, false) => return Err(EntryError::NoSecret),
        (false, true) => return Err(EntryError::UselessSecret),
        _ => {}
    }
    let is_machine = metadata.grant_types.contains(&GrantType::ClientCredentials);
    if is_machine && metadata.token_endpoint_auth_method == AuthMethod::None {
        return Err(EntryError::PublicMachine);
    }
    let resource_server = Fields(fields).flag("resource_server")?.unwrap_or(false);
    if resource_server && metadata.token_endpoint_auth_method == AuthMethod::None {
        return Err(EntryError::PublicResourceServer);
    }
    Ok(Client {
        client_id: client_id.to_owned(),
        issued_at: 0,
        secret_hash,
        metadata,
        resource_server,
    })
}

/// RFC 6749 appendix A.1, without what a quoted header or a log would stumble over.
fn is_identifier(text: &str) -> bool {
    (1..=MAX_IDENTIFIER_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

fn secret_hash(fields: Fields<'_>) -> Result<Option<String>, EntryError> {
    let plain = fields.text("client_secret", usize::MAX)?;
    let hash = fields.text("client_secret_sha256", usize::MAX)?;
    match (plain, hash) {
        (Some(_), Some(_)) => Err(EntryError::SecretTwice),
        (Some(plain), None) if plain.len() < 32 => Err(EntryError::WeakSecret),
        (Some(plain), None) => Ok(Some(secret::hash(plain))),
        (None, Some(hash)) => normalized(hash).map(Some).ok_or(EntryError::Hash),
        (None, None) => Ok(None),
    }
}

/// Returns a hash as [`secret::hash`] writes it.
fn normalized(hash: &str) -> Option<String> {
    let bytes = if hash.len() == 2 * HASH_BYTES {
        hash.as_bytes()
            .chunks(2)
            .map(|pair| {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()
            })
            .collect::<Option<Vec<u8>>>()?
    } else {
        URL_SAFE_NO_PAD.decode(hash.trim_end_matches('=')).ok()?
    };
    (bytes.len() == HASH_BYTES).then(|| URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(entries: &Value) -> Result<Vec<Client>, ConfigurationError> {
        super::read(&entries.to_string(), &[], None)
    }

    fn entry(more: Value) -> Result<Client, EntryError> {
        let mut fields = json!({
            "client_id": "machine",
            "redirect_uris": ["https://a.example/cb"],
        });
        for (name, value) in more.as_object().unwrap() {
            fields[name] = value.clone();
        }
        match read(&json!([fields])) {
            Ok(mut clients) => Ok(clients.remove(0)),
            Err(ConfigurationError::Entry(1, error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_secret_may_be_given_as_it_is_or_as_a_hash_in_hex_or_base64() {
        let hash = secret::hash(SECRET);
        let bytes = URL_SAFE_NO_PAD.decode(&hash).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for fields in [
            json!({ "client_secret": SECRET }),
            json!({ "client_secret_sha256": hash }),
            json!({ "client_secret_sha256": format!("{hash}=") }),
            json!({ "client_secret_sha256": hex }),
            json!({ "client_secret_sha256": hex.to_uppercase() }),
        ] {
            let client = entry(fields).unwrap();
            assert_eq!(client.secret_hash.as_ref(), Some(&hash));
            assert_eq!(
                client.metadata.token_endpoint_auth_method,
                AuthMethod::ClientSecretBasic
            );
        }
    }

    #[test]
    fn a_client_without_a_secret_is_public_or_has_keys() {
        let public = entry(json!({})).unwrap().metadata;
        assert_eq!(public.token_endpoint_auth_method, AuthMethod::None);
        let keys = json!({ "keys": [jwt::SigningKey::ed25519(&[7; 32]).public().to_jwk()] });
        let keyed = entry(json!({ "jwks": keys })).unwrap().metadata;
        assert_eq!(keyed.token_endpoint_auth_method, AuthMethod::PrivateKeyJwt);
    }

    #[test]
    fn a_configured_client_may_have_any_scheme_that_is_not_reserved() {
        let uris = |uri: &str| json!({ "redirect_uris": [uri] });
        assert!(entry(uris("myapp://callback")).is_ok());
        for uri in ["javascript:alert(1)", "microsoft-edge:https://a.example/"] {
            assert!(entry(uris(uri)).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_machine_needs_no_redirect_uri_and_has_to_authenticate() {
        let machine = json!({
            "client_secret": SECRET,
            "redirect_uris": [],
            "grant_types": ["client_credentials"],
        });
        let client = entry(machine.clone()).unwrap();
        assert!(client.may_use(GrantType::ClientCredentials));
        assert!(client.is_confidential());
        let mut public = machine;
        public["client_secret"] = Value::Null;
        assert_eq!(entry(public), Err(EntryError::PublicMachine));
    }

    #[test]
    fn a_resource_server_is_one_that_authenticates_and_is_named_as_one() {
        let named = |value: Value, secret: Value| {
            entry(json!({ "resource_server": value, "client_secret": secret }))
        };
        assert!(named(json!(true), json!(SECRET)).unwrap().resource_server);
        for value in [json!(false), Value::Null] {
            assert!(!named(value, json!(SECRET)).unwrap().resource_server);
        }
        let public = named(json!(true), Value::Null);
        assert_eq!(public, Err(EntryError::PublicResourceServer));
        assert!(named(json!("true"), json!(SECRET)).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_entry_and_the_field_and_never_the_value() {
        for (fields, named) in [
            (json!({ "client_id": "" }), "client_id"),
            (json!({ "client_id": "bad value" }), "client_id"),
            (json!({ "client_secret": "bad-value" }), "client_secret"),
            (json!({ "client_secret": 1 }), "client_secret"),
            (
                json!({ "client_secret_sha256": "bad-value" }),
                "client_secret_sha256",
            ),
            (
                json!({ "client_secret": SECRET, "client_secret_sha256": "x" }),
                "client_secret",
            ),
            (
                json!({ "client_secret": SECRET, "token_endpoint_auth_method": "none" }),
                "token_endpoint_auth_method",
            ),
            (
                json!({ "token_endpoint_auth_method": "client_secret_post" }),
                "client_secret",
            ),
            (
                json!({ "redirect_uris": ["bad-value"] }),
                "redirect_uris[0]",
            ),
            (json!({ "redirect_uris": [] }), "redirect_uris"),
            (json!({ "grant_types": ["bad-value"] }), "grant_types"),
        ] {
            let error = entry(fields).unwrap_err().to_string();
            assert!(error.starts_with(named), "{named}: {error}");
            assert!(!error.contains("bad") && !error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn a_scope_that_names_none_that_exists_is_refused() {
        let scopes = ["tools".to_owned()];
        let read = |scope: &str| {
            let client = json!({
                "client_id": "a", "redirect_uris": ["https://a.example/"], "scope": scope,
            });
            super::read(&json!([client]).to_string(), &scopes, None)
        };
        let own = |scope: &str| read(scope).unwrap()[0].metadata.scope.clone();
        assert_eq!(own("tools made_up").as_deref(), Some("tools"));
        assert_eq!(own(""), None);
        let error = EntryError::Metadata(MetadataError::NoScope);
        assert_eq!(read("tool"), Err(ConfigurationError::Entry(1, error)));
    }

    #[test]
    fn every_entry_is_counted_and_no_identifier_comes_twice() {
        let good = json!({ "client_id": "a", "redirect_uris": ["https://a.example/"] });
        assert_eq!(read(&json!([good])).unwrap().len(), 1);
        assert_eq!(
            read(&json!([good, good])),
            Err(ConfigurationError::Entry(2, EntryError::Repeated))
        );
        for text in ["", "{}", "[1]", "[\"a\"]"] {
            assert_eq!(
                super::read(text, &[], None),
                Err(ConfigurationError::NotAnArray)
            );
        }
        let many = json!(vec![good; MAX_CLIENTS + 1]);
        assert_eq!(read(&many), Err(ConfigurationError::TooMany));
    }
}

//! Dynamic client registration (RFC 7591): the rules for every field.

use crate::client::{AuthMethod, Client, ClientMetadata, GrantType};
use crate::redirect_uri::{self, RedirectUriError};
use crate::{scope, secret};
use rand::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

/// Bytes that the body of a registration may have.
pub const MAX_BODY: usize = 32 * 1024;

const MAX_REDIRECT_URIS: usize = 20;
const MAX_LIST: usize = 20;
const MAX_TEXT: usize = 200;
const MAX_LONG_TEXT: usize = 2000;

/// Why a registration is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegistrationError {
    /// The body is no JSON object.
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
    #[error("{0} is not an http or https URL")]
    Url(&'static str),
    /// The scope has characters that scopes cannot have.
    #[error("scope has a character that scopes cannot have")]
    Scope,
}

/// A new client, and the secret that nobody will ever see again.
#[derive(Debug)]
pub struct Registered {
    /// What is kept.
    pub client: Client,
    /// The secret of a confidential client.
    pub secret: Option<String>,
}

/// The answer to a registration (RFC 7591 section 3.2.1).
#[derive(Serialize)]
pub struct RegistrationResponse<'a> {
    client_id: &'a str,
    client_id_issued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    /// 0: never. Required where there is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    #[serde(flatten)]
    metadata: &'a ClientMetadata,
}

impl Registered {
    /// The answer.
    pub fn response(&self) -> RegistrationResponse<'_> {
        RegistrationResponse {
            client_id: &self.client.client_id,
            client_id_issued_at: self.client.issued_at,
            client_secret: self.secret.as_deref(),
            client_secret_expires_at: self.secret.as_ref().map(|_| 0),
            metadata: &self.client.metadata,
        }
    }
}

/// Registers the client that `body` describes, at `now` (seconds since the Unix epoch). `existing`
/// are the scopes that exist.
///
/// # Errors
///
/// [`RegistrationError`], which names the field.
pub fn register(
    body: &[u8],
    existing: &[String],
    now: u64,
    random: &mut impl CryptoRng,
) -> Result<Registered, RegistrationError> {
    let metadata = read_metadata(body, existing)?;
    let secret = (metadata.token_endpoint_auth_method != AuthMethod::None)
        .then(|| format!("ghs_{}", secret::random::<32>(random)));
    Ok(Registered {
        client: Client {
            client_id: secret::random::<16>(random),
            issued_at: now,
            secret_hash: secret.as_deref().map(secret::hash),
            metadata,
        },
        secret,
    })
}

/// Reads and checks what a client says of itself. Fields that are not known are ignored (RFC 7591
/// section 2), a null or empty one counts as absent.
///
/// # Errors
///
/// [`RegistrationError`].
pub fn read_metadata(
    body: &[u8],
    existing: &[String],
) -> Result<ClientMetadata, RegistrationError> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(RegistrationError::NotAnObject);
    };
    let fields = Fields(fields);
    Ok(ClientMetadata {
        redirect_uris: redirect_uris(&fields)?,
        token_endpoint_auth_method: auth_method(&fields)?,
        grant_types: grant_types(&fields)?,
        response_types: response_types(&fields)?,
        client_name: fields
            .text("client_name", MAX_TEXT)?
            .map(visible)
            .filter(|name| !name.is_empty()),
        client_uri: fields.web_address("client_uri")?,
        logo_uri: fields.web_address("logo_uri")?,
        policy_uri: fields.web_address("policy_uri")?,
        tos_uri: fields.web_address("tos_uri")?,
        scope: registered_scope(&fields, existing)?,
        contacts: fields.list("contacts")?.unwrap_or_default(),
        application_type: match fields.text("application_type", MAX_TEXT)? {
            None => None,
            Some(kind @ ("native" | "web")) => Some(kind.to_owned()),
            Some(_) => {
                return Err(RegistrationError::Unsupported(
                    "application_type",
                    "native, web",
                ));
            }
        },
        software_id: fields.text("software_id", MAX_TEXT)?.map(visible),
        software_version: fields.text("software_version", MAX_TEXT)?.map(visible),
    })
}

fn redirect_uris(fields: &Fields) -> Result<Vec<String>, RegistrationError> {
    let Some(value) = fields
        .0
        .get("redirect_uris")
        .filter(|value| !value.is_null())
    else {
        return Err(RegistrationError::NoRedirectUri);
    };
    let wrong_type = RegistrationError::Type("redirect_uris", "an array of strings");
    let Some(values) = value.as_array() else {
        return Err(wrong_type);
    };
    if values.is_empty() {
        return Err(RegistrationError::NoRedirectUri);
    }
    if values.len() > MAX_REDIRECT_URIS {
        return Err(RegistrationError::TooManyRedirectUris);
    }
    let mut uris: Vec<String> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let uri = value.as_str().ok_or_else(|| wrong_type.clone())?;
        redirect_uri::check(uri).map_err(|error| RegistrationError::RedirectUri(index, error))?;
        if !uris.iter().any(|known| known == uri) {
            uris.push(uri.to_owned());
        }
    }
    Ok(uris)
}

fn auth_method(fields: &Fields) -> Result<AuthMethod, RegistrationError> {
    match fields.text("token_endpoint_auth_method", MAX_TEXT)? {
        // RFC 7591 section 2.
        None => Ok(AuthMethod::ClientSecretBasic),
        Some(name) => AuthMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or(RegistrationError::Unsupported(
                "token_endpoint_auth_method",
                "none, client_secret_basic, client_secret_post",
            )),
    }
}

/// Grant types that are not supported are left out, as RFC 7591 section 3.2.1 allows: clients list
/// all that they can do.
fn grant_types(fields: &Fields) -> Result<Vec<GrantType>, RegistrationError> {
    let Some(names) = fields.list("grant_types")? else {
        return Ok(vec![GrantType::AuthorizationCode]);
    };
    let supported: Vec<GrantType> = GrantType::ALL
        .into_iter()
        .filter(|known| names.iter().any(|name| name == known.as_str()))
        .collect();
    if supported.contains(&GrantType::AuthorizationCode) {
        Ok(supported)
    } else {
        Err(RegistrationError::Unsupported(
            "grant_types",
            "authorization_code, and refresh_token beside it",
        ))
    }
}

fn response_types(fields: &Fields) -> Result<Vec<String>, RegistrationError> {
    match fields.list("response_types")? {
        Some(names) if !names.iter().any(|name| name == "code") => {
            Err(RegistrationError::Unsupported("response_types", "code"))
        }
        _ => Ok(vec!["code".to_owned()]),
    }
}

fn registered_scope(
    fields: &Fields,
    existing: &[String],
) -> Result<Option<String>, RegistrationError> {
    let Some(text) = fields.text("scope", MAX_LONG_TEXT)? else {
        return Ok(None);
    };
    scope::grantable(Some(text), existing)
        .map(|scopes| Some(scopes.join(" ")))
        .map_err(|_| RegistrationError::Scope)
}

struct Fields(Map<String, Value>);

impl Fields {
    fn text(&self, name: &'static str, longest: usize) -> Result<Option<&str>, RegistrationError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.len() > longest => {
                Err(RegistrationError::TooLong(name))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(RegistrationError::Type(name, "a string")),
        }
    }

    fn list(&self, name: &'static str) -> Result<Option<Vec<String>>, RegistrationError> {
        let wrong_type = RegistrationError::Type(name, "an array of strings");
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(values)) if values.is_empty() => Ok(None),
            Some(Value::Array(values)) if values.len() > MAX_LIST => {
                Err(RegistrationError::TooLong(name))
            }
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| match value {
                    Value::String(text) if text.len() > MAX_TEXT => {
                        Err(RegistrationError::TooLong(name))
                    }
                    Value::String(text) => Ok(text.clone()),
                    _ => Err(wrong_type.clone()),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong_type),
        }
    }

    fn web_address(&self, name: &'static str) -> Result<Option<String>, RegistrationError> {
        let Some(text) = self.text(name, MAX_LONG_TEXT)? else {
            return Ok(None);
        };
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .map(|url| Some(url.into()))
            .ok_or(RegistrationError::Url(name))
    }
}

/// The text without characters that a person cannot see or that turn the text around: a name must
/// not pretend to be more than one line of text.
fn visible(text: &str) -> String {
    let hidden = |char: char| {
        char.is_control()
            || matches!(char,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    let kept: String = text.chars().filter(|char| !hidden(*char)).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Result<ClientMetadata, RegistrationError> {
        let existing = ["tools".to_owned(), "profile".to_owned()];
        read_metadata(value.to_string().as_bytes(), &existing)
    }

    fn with(name: &str, value: Value) -> Result<ClientMetadata, RegistrationError> {
        let mut fields = json!({ "redirect_uris": ["https://a.example/cb"] });
        fields[name] = value;
        read(&fields)
    }

    #[test]
    fn the_defaults_are_those_of_rfc_7591() {
        let metadata = with("unknown_field", json!({ "a": 1 })).unwrap();
        assert_eq!(
            metadata.token_endpoint_auth_method,
            AuthMethod::ClientSecretBasic
        );
        assert_eq!(metadata.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(metadata.response_types, ["code"]);
        assert_eq!(metadata.client_name, None);
    }

    #[test]
    fn an_error_names_the_field() {
        for (name, value) in [
            ("redirect_uris", json!("https://a.example/cb")),
            ("redirect_uris", json!([])),
            ("redirect_uris", json!([1])),
            ("redirect_uris", json!(["javascript:alert(1)"])),
            ("redirect_uris", json!(vec!["https://a.example/"; 21])),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("token_endpoint_auth_method", json!(1)),
            ("grant_types", json!(["implicit"])),
            ("grant_types", json!(["refresh_token"])),
            ("grant_types", json!("authorization_code")),
            ("response_types", json!(["token"])),
            ("client_name", json!(["a"])),
            ("client_name", json!("a".repeat(201))),
            ("client_uri", json!("javascript:alert(1)")),
            ("logo_uri", json!("data:image/png,x")),
            ("policy_uri", json!("x")),
            ("tos_uri", json!("file:///x")),
            ("scope", json!("a\"b")),
            ("contacts", json!(vec!["a"; 21])),
            ("application_type", json!("other")),
            ("software_id", json!(1)),
        ] {
            let error = with(name, value).unwrap_err();
            assert!(error.to_string().starts_with(name), "{name}: {error}");
        }
        assert_eq!(read(&json!([])), Err(RegistrationError::NotAnObject));
        assert_eq!(read(&json!({})), Err(RegistrationError::NoRedirectUri));
    }

    #[test]
    fn a_client_may_list_more_than_is_supported() {
        let metadata = with(
            "grant_types",
            json!(["refresh_token", "authorization_code", "urn:x:device_code"]),
        );
        assert_eq!(metadata.unwrap().grant_types, GrantType::ALL);
        let metadata = with("scope", json!("openid tools offline_access"));
        assert_eq!(
            metadata.unwrap().scope.as_deref(),
            Some("tools offline_access")
        );
    }

    #[test]
    fn null_and_empty_fields_count_as_absent() {
        for value in [Value::Null, json!("")] {
            assert_eq!(with("client_uri", value.clone()).unwrap().client_uri, None);
            assert_eq!(with("client_name", value).unwrap().client_name, None);
        }
    }

    #[test]
    fn a_name_has_no_invisible_characters() {
        let name = with("client_name", json!("  Good\u{202e}\u{200b}\n App\t")).unwrap();
        assert_eq!(name.client_name.as_deref(), Some("Good App"));
        let name = with("client_name", json!("\u{200b}")).unwrap();
        assert_eq!(name.client_name, None);
    }

    #[test]
    fn a_confidential_client_gets_a_secret_of_which_only_the_hash_is_kept() {
        use rand::SeedableRng;
        let mut random = rand::rngs::StdRng::seed_from_u64(1);
        let body = json!({ "redirect_uris": ["https://a.example/cb"] }).to_string();
        let registered = register(body.as_bytes(), &[], 7, &mut random).unwrap();
        let secret = registered.secret.clone().unwrap();
        assert_eq!(
            registered.client.secret_hash.as_deref(),
            Some(secret::hash(&secret).as_str())
        );
        assert!(
            !serde_json::to_string(&registered.client)
                .unwrap()
                .contains(&secret)
        );
        let response = serde_json::to_value(registered.response()).unwrap();
        assert_eq!(response["client_secret"], json!(secret));
        assert_eq!(response["client_secret_expires_at"], json!(0));
        assert_eq!(response["client_id_issued_at"], json!(7));

        let body = body.replace('}', r#","token_endpoint_auth_method":"none"}"#);
        let registered = register(body.as_bytes(), &[], 7, &mut random).unwrap();
        let response = serde_json::to_value(registered.response()).unwrap();
        assert!(registered.secret.is_none() && response.get("client_secret").is_none());
        assert!(response.get("client_secret_expires_at").is_none());
    }
}

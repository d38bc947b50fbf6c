//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): a client whose
//! identifier is the URL where it says who it is.

mod response;
pub(crate) mod url;

pub use response::{MAX_CACHED, MIN_CACHED, ResponseError, read_response};
pub use url::{UrlError, check_url, is_url};

use crate::client::Client;
use crate::client_metadata::{self, Fields, MetadataError, MetadataSource, Rules};
use crate::redirect_uri::PrivateUse;
use serde_json::Value;

/// Bytes that a document may have (section 8.7 of the draft).
pub const MAX_DOCUMENT_BYTES: usize = 5 * 1024;

/// Bytes that a JWK Set may have which a document or a registration refers to.
pub const MAX_KEYS_BYTES: usize = 16 * 1024;

/// Why a document is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DocumentError {
    /// It is no JSON object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// It is about another client.
    #[error("its client_id is not the URL it was fetched from")]
    OtherClient,
    /// What it says is refused.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Reads the document that was fetched from `client_id`. `scopes` are the scopes that exist,
/// `extra_origin` is as [`check_url`] has it, `private_use` as [`Rules`] has it.
///
/// # Errors
///
/// [`DocumentError`].
pub fn read(
    client_id: &str,
    document: &[u8],
    scopes: &[String],
    extra_origin: Option<&str>,
    private_use: PrivateUse,
) -> Result<Client, DocumentError> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(document) else {
        return Err(DocumentError::NotAnObject);
    };
    // Compared as it is written (section 4 of the draft).
    if fields.get("client_id").and_then(Value::as_str) != Some(client_id) {
        return Err(DocumentError::OtherClient);
    }
    let rules = Rules {
        source: MetadataSource::Document,
        scopes,
        extra_origin,
        private_use,
    };
    let metadata = client_metadata::read(&fields, rules)?;
    // MCP asks for one: a person has to be shown something.
    if metadata.client_name.is_none() {
        // Says so rightly if the field is there and of the wrong kind.
        Fields(&fields).text("client_name", usize::MAX)?;
        return Err(MetadataError::Missing("client_name").into());
    }
    Ok(Client {
        client_id: client_id.to_owned(),
        issued_at: 0,
        secret_hash: None,
        metadata,
        resource_server: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AuthMethod, GrantType};
    use serde_json::json;

    const ID: &str = "https://app.example/client.json";

    fn read(document: &Value) -> Result<Client, DocumentError> {
        super::read(
            ID,
            document.to_string().as_bytes(),
            &[],
            None,
            PrivateUse::Listed,
        )
    }

    /// As VS Code publishes its own, in all that matters.
    fn document() -> Value {
        json!({
            "client_id": ID,
            "client_name": "An editor",
            "client_uri": "https://app.example",
            "grant_types": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "response_types": ["code"],
            "redirect_uris": ["http://127.0.0.1:33418/", "https://app.example/redirect"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        })
    }

    #[test]
    fn a_document_makes_the_client_that_it_describes() {
        let client = read(&document()).unwrap();
        assert_eq!(client.client_id, ID);
        assert_eq!(client.secret_hash, None);
        let metadata = &client.metadata;
        assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::None);
        assert_eq!(
            metadata.grant_types,
            [GrantType::AuthorizationCode, GrantType::RefreshToken]
        );
        assert!(client.has_redirect_uri("http://127.0.0.1:50000/"));
        assert!(!client.has_redirect_uri("https://app.example/redirect/"));
    }

    #[test]
    fn a_document_of_another_client_or_with_a_field_missing_is_refused() {
        for (field, value) in [
            ("client_id", json!("https://app.example/Client.json")),
            ("client_id", json!("https://app.example:443/client.json")),
            ("client_id", Value::Null),
            ("client_name", Value::Null),
            ("client_name", json!("\u{200b}")),
            ("redirect_uris", json!([])),
            ("redirect_uris", json!(["http://app.example/"])),
            (
                "redirect_uris",
                json!(["microsoft-edge:https://app.example/"]),
            ),
            ("client_name", json!("\u{2800}")),
        ] {
            let mut changed = document();
            changed[field] = value;
            let error = read(&changed).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
        let body = super::read(ID, b"<html>", &[], None, PrivateUse::Listed);
        assert_eq!(body, Err(DocumentError::NotAnObject));
    }
}

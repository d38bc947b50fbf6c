//! Client metadata of a registration (RFC 7591 section 2).

use crate::existing;
use oauth::client::{AuthMethod, GrantType};
use oauth::client_metadata::{self, MetadataSource, Rules};
use oauth::redirect_uri::PrivateUse;
use oauth::{redirect_uri, scope};
use serde_json::{Map, Value};
use url::Url;

/// The metadata of a registration: every field is of its kind and size, and what was accepted is
/// accepted again as the same.
pub fn client_metadata(data: &[u8]) {
    let Ok(Value::Object(fields)) = serde_json::from_slice(data) else {
        return;
    };
    for source in [
        MetadataSource::Registration,
        MetadataSource::Document,
        MetadataSource::Configuration,
    ] {
        check(&fields, source);
    }
}

fn check(fields: &Map<String, Value>, source: MetadataSource) {
    let existing = existing();
    let rules = Rules {
        source,
        scopes: &existing,
        extra_origin: None,
        private_use: PrivateUse::Listed,
    };
    let Ok(metadata) = client_metadata::read(fields, rules) else {
        return;
    };
    for uri in &metadata.redirect_uris {
        assert_eq!(redirect_uri::check(uri, PrivateUse::Any), Ok(()));
    }
    assert!(metadata.redirect_uris.len() <= 20 && metadata.contacts.len() <= 20);
    assert!(
        !metadata.grant_types.contains(&GrantType::AuthorizationCode)
            || !metadata.redirect_uris.is_empty()
    );
    let texts = [
        &metadata.client_name,
        &metadata.software_id,
        &metadata.software_version,
    ];
    for text in texts.into_iter().flatten() {
        assert!(
            text.chars().count() <= 200 && !text.contains(char::is_control),
            "{text:?}"
        );
        assert_eq!(text.trim(), text);
    }
    let addresses = [
        &metadata.client_uri,
        &metadata.logo_uri,
        &metadata.policy_uri,
        &metadata.tos_uri,
    ];
    for uri in addresses.into_iter().flatten() {
        let url = Url::parse(uri).expect("a web address is a URL");
        assert!(matches!(url.scheme(), "http" | "https"));
    }
    if let Some(scopes) = &metadata.scope {
        for scope in scope::parse(scopes).expect("a list of scopes") {
            assert!(scope == scope::OFFLINE_ACCESS || existing.iter().any(|known| known == scope));
        }
    }
    if source != MetadataSource::Configuration {
        assert!(!metadata.grant_types.contains(&GrantType::ClientCredentials));
    }
    let uses_secret = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost]
        .contains(&metadata.token_endpoint_auth_method);
    assert!(!(uses_secret && source == MetadataSource::Document));
    let Ok(Value::Object(written)) = serde_json::to_value(&metadata) else {
        panic!("metadata is a JSON object");
    };
    assert_eq!(client_metadata::read(&written, rules), Ok(metadata));
}

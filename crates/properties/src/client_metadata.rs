use crate::existing;
use oauth::client::GrantType;
use oauth::{redirect_uri, registration, scope};
use url::Url;

/// The metadata of a registration: every field is of its kind and size, and what was accepted is
/// accepted again as the same.
pub fn client_metadata(data: &[u8]) {
    let existing = existing();
    let Ok(metadata) = registration::read_metadata(data, &existing) else {
        return;
    };
    for uri in &metadata.redirect_uris {
        assert_eq!(redirect_uri::check(uri), Ok(()));
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
            text.len() <= 200 && !text.contains(char::is_control),
            "{text:?}"
        );
        assert_eq!(text.trim(), text);
    }
    for uri in [
        &metadata.client_uri,
        &metadata.logo_uri,
        &metadata.policy_uri,
        &metadata.tos_uri,
    ] {
        if let Some(uri) = uri {
            let url = Url::parse(uri).expect("a web address is a URL");
            assert!(matches!(url.scheme(), "http" | "https"));
        }
    }
    if let Some(scopes) = &metadata.scope {
        for scope in scope::parse(scopes).expect("a list of scopes") {
            assert!(scope == scope::OFFLINE_ACCESS || existing.iter().any(|known| known == scope));
        }
    }
    let written = serde_json::to_vec(&metadata).expect("metadata is JSON");
    assert_eq!(
        registration::read_metadata(&written, &existing),
        Ok(metadata)
    );
}

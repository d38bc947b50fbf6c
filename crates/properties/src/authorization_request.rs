//! Authorization requests (RFC 6749 section 4.1.1).

use crate::{existing, registered};
use oauth::authorization_request::{Target, client_id, read, target};
use oauth::redirect_uri::{self, PrivateUse};
use oauth::resource::Resources;
use oauth::{Parameters, pkce, scope};

/// The query of an authorization request of a client with three redirect URIs: the browser goes to
/// one of those alone, for scopes that exist and resources that are ours.
pub fn authorization_request(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(parameters) = Parameters::from_query(Some(query)) else {
        return;
    };
    if let Ok(id) = client_id(&parameters) {
        assert!(!id.is_empty());
    }
    let existing = existing();
    let client = registered(CLIENT, None);
    let Ok(target) = target(&parameters, &client, PrivateUse::Listed) else {
        return;
    };
    let is_registered = client.metadata.redirect_uris.contains(&target.redirect_uri);
    assert!(is_registered || target.redirect_uri.starts_with("http://127.0.0.1:"));
    assert_eq!(
        redirect_uri::check(&target.redirect_uri, PrivateUse::Listed),
        Ok(())
    );
    assert!(
        target
            .state
            .as_ref()
            .is_none_or(|state| !state.is_empty() && state.len() <= 32 * 1024)
    );
    // The target travels through the identity provider inside our own state.
    let sealed = serde_json::to_string(&target).expect("a target is JSON");
    assert_eq!(serde_json::from_str::<Target>(&sealed).ok(), Some(target));

    let resources = Resources::new("https://mcp.example.com");
    let Ok(request) = read(&parameters, &client, &existing, &existing, &resources) else {
        return;
    };
    assert!(!request.scopes.is_empty() && !request.resources.is_empty());
    for asked in &request.scopes {
        assert!(asked == scope::OFFLINE_ACCESS || existing.contains(asked));
    }
    for asked in &request.resources {
        assert!(resources.all().contains(asked));
    }
    assert_eq!(
        pkce::check_challenge(Some(&request.challenge), Some("S256")),
        Ok(&*request.challenge)
    );
    assert!(!parameters.is_repeated("scope") && !parameters.is_repeated("redirect_uri"));
}

const CLIENT: &str = r#"{"redirect_uris":["https://client.example/cb","http://127.0.0.1/cb?a=b","com.example.app:/cb"]}"#;

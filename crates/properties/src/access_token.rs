//! Access tokens (RFC 9068), as bearer tokens of a request.

use crate::KEY;
use keys::KeyRing;
use oauth::access_token::{Claims, Issue, TYP, check, issue};
use std::sync::LazyLock;

static KEYS: LazyLock<(KeyRing, String)> = LazyLock::new(|| {
    let keys = KeyRing::parse(KEY).expect("a key");
    let claims = issue(
        Issue {
            issuer: "https://mcp.example.com",
            subject: "U1",
            resources: vec!["https://mcp.example.com/mcp".to_owned()],
            client_id: "client",
            scopes: &["tools".to_owned()],
            grant: "grant",
            grant_expires_at: 5000,
            lifetime: 900,
            id: "id".to_owned(),
            key: None,
        },
        1000,
    );
    let token = keys.sign(TYP, &claims).expect("claims are JSON");
    (keys, token)
});

/// A bearer token: none is taken for one of ours but the one that was issued, character by
/// character.
pub fn access_token(data: &[u8]) {
    let (keys, issued) = &*KEYS;
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(claims) = keys.verify::<Claims>(TYP, text) {
        assert_eq!(text, issued);
        let audience = ["https://mcp.example.com/mcp"];
        assert_eq!(
            check(&claims, "https://mcp.example.com", &audience, 1000),
            Ok(())
        );
    }
}

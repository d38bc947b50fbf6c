//! JWTs (RFC 7519) and JWK Sets (RFC 7517).

use crate::first_line;
use jwt::{Algorithm, KeySet, PublicKey, SigningKey, Unverified};
use std::sync::LazyLock;

static SIGNED: LazyLock<(SigningKey, String)> = LazyLock::new(|| {
    let key = SigningKey::ed25519(&[7; 32]);
    let claims = serde_json::json!({ "sub": "U1", "exp": 1000 });
    let token = key.sign("JWT", &claims).expect("claims are JSON");
    (key, token)
});

/// A JWT, and a JWK Set in the lines behind it: a key that signed one token vouches for that one
/// alone, character by character, and no key for a token of another algorithm.
pub fn jwt(data: &[u8]) {
    let Some((token, set)) = first_line(data) else {
        return;
    };
    let (key, signed) = &*SIGNED;
    let parse = || Unverified::parse(token).ok();
    let Some(unverified) = parse() else { return };
    let algorithm = unverified.header().algorithm;
    assert_eq!(token.split('.').count(), 3);
    let said = unverified.claims().clone();
    if let Ok(claims) = unverified.verify(key.public()) {
        assert_eq!(token, signed);
        assert_eq!(claims, said);
    }
    let Ok(set) = KeySet::from_json(set.as_bytes()) else {
        return;
    };
    for key in set.iter() {
        let Some(unverified) = parse() else { return };
        if unverified.verify(key).is_ok() {
            assert_eq!(key.algorithm(), algorithm);
        }
    }
}

/// A JWK Set: no private key in it, and each key is one that is written and read again as itself.
pub fn jwks(data: &[u8]) {
    let Ok(set) = KeySet::from_json(data) else {
        return;
    };
    for key in set.iter() {
        let jwk = key.to_jwk();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(jwk.get(private).is_none());
        }
        let again = PublicKey::from_jwk(&jwk).expect("a key that was read");
        assert_eq!(again.to_jwk(), jwk);
        assert_eq!(again.thumbprint(), key.thumbprint());
        assert_eq!(again.algorithm(), key.algorithm());
        assert_eq!(key.thumbprint().len(), 43);
        // An id that two keys share finds one of them.
        let found = set.find(key.key_id(), key.algorithm());
        assert!(found.is_none_or(|found| found.algorithm() == key.algorithm()));
    }
    for algorithm in Algorithm::ALL {
        if let Some(found) = set.find(None, algorithm) {
            assert_eq!(found.algorithm(), algorithm);
        }
    }
    assert_eq!(set.is_empty(), set.iter().next().is_none());
}

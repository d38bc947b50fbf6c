//! The project's signing keys: RSA, for RS256 (RFC 7518 section 3.3). And the one of the issuer at `/openid`, if that
//! signs with another algorithm.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jwt::{Algorithm, KeySet, Unverified};
use serde_json::{Map, Value, json};

/// One key pair with its key id.
pub(crate) struct SigningKey {
    /// The key id that tokens and the JWKS carry.
    pub(crate) kid: String,
    pkcs1: Vec<u8>,
    key: jwt::SigningKey,
}

/// A key that cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error("the signing key is unusable")]
pub struct KeyError;

impl SigningKey {
    /// Returns a new key of 2048 bits. Slow: tens to hundreds of milliseconds.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pkcs1 = jwt::SigningKey::generate_rs256(&mut rand::rng()).ok_or(KeyError)?;
        Self::from_pkcs1(pkcs1)
    }

    /// Returns the key that [`SigningKey::to_text`] wrote.
    pub(crate) fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_pkcs1(STANDARD.decode(text).map_err(|_| KeyError)?)
    }

    /// Returns the private key as text for the state file: PKCS #1 DER in base64.
    pub(crate) fn to_text(&self) -> String {
        STANDARD.encode(&self.pkcs1)
    }

    fn from_pkcs1(pkcs1: Vec<u8>) -> Result<Self, KeyError> {
        let key = jwt::SigningKey::rs256(&pkcs1).ok_or(KeyError)?;
        let kid = format!("SK{}", &key.public().thumbprint()[..24]);
        Ok(Self {
            key: key.with_key_id(&kid),
            kid,
            pkcs1,
        })
    }

    /// Returns a signed JWT of the type `typ` under the key id `kid`, which is this key's own except in a forgery.
    pub(crate) fn sign(
        &self,
        typ: &str,
        kid: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!(typ));
        header.insert("kid".to_owned(), json!(kid));
        self.key.sign_under(header, claims).map_err(|_| KeyError)
    }
}

/// Returns a new key for `algorithm`, under its thumbprint; none for RS256, which is for the project's keys.
pub(crate) fn openid_key(algorithm: Algorithm) -> Option<jwt::SigningKey> {
    let secret: [u8; 32] = rand::random();
    match algorithm {
        Algorithm::Rs256 => None,
        Algorithm::Es256 => jwt::SigningKey::es256(&secret),
        Algorithm::EdDsa => Some(jwt::SigningKey::ed25519(&secret)),
    }
}

/// The keys in use, newest first. The first one signs, all of them verify and are published.
#[derive(Clone, Default)]
pub(crate) struct KeyRing(Vec<Arc<SigningKey>>);

impl KeyRing {
    /// Returns a ring of `keys`, newest first.
    pub(crate) fn new(keys: Vec<SigningKey>) -> Self {
        Self(keys.into_iter().map(Arc::new).collect())
    }

    /// Returns the key that signs.
    pub(crate) fn current(&self) -> Result<Arc<SigningKey>, KeyError> {
        self.0.first().cloned().ok_or(KeyError)
    }

    /// Puts `key` first; the others go on verifying.
    pub(crate) fn rotate_to(&mut self, key: SigningKey) {
        self.0.insert(0, Arc::new(key));
    }

    /// Forgets every key but the one that signs.
    pub(crate) fn withdraw_old(&mut self) {
        self.0.truncate(1);
    }

    /// Each private key as text, newest first.
    pub(crate) fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(|key| key.to_text()).collect()
    }

    /// Returns the JWK Set (RFC 7517 section 5).
    pub(crate) fn to_jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(|key| key.key.public().to_jwk()).collect::<Vec<_>>() })
    }

    /// Returns the claims of `token` if one of these keys signed it with RS256. Times are the caller's to check.
    pub(crate) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let token = Unverified::parse(token).ok()?;
        let keys: KeySet = self.0.iter().map(|key| key.key.public().clone()).collect();
        let key = keys.find(
            Some(token.header().key_id.as_deref()?),
            token.header().algorithm,
        )?;
        token.verify(key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form_and_verifies_what_it_signed() {
        let key = SigningKey::generate().unwrap();
        let kid = key.kid.clone();
        let claims = json!({ "sub": "U1" });
        let token = key.sign("JWT", &kid, claims.as_object().unwrap()).unwrap();
        let ring = KeyRing::new(vec![SigningKey::from_text(&key.to_text()).unwrap()]);
        assert_eq!(ring.current().unwrap().kid, kid);
        assert_eq!(ring.verify(&token).unwrap()["sub"], "U1");
    }

    #[test]
    fn a_token_under_a_foreign_key_or_a_changed_one_does_not_verify() {
        let ours = SigningKey::generate().unwrap();
        let theirs = SigningKey::generate().unwrap();
        let claims = json!({ "sub": "U1" });
        let claims = claims.as_object().unwrap();
        let forged = theirs.sign("JWT", &ours.kid, claims).unwrap();
        let real = ours.sign("JWT", &ours.kid, claims).unwrap();
        let ring = KeyRing::new(vec![ours]);
        assert!(ring.verify(&real).is_some());
        assert!(ring.verify(&forged).is_none());
        assert!(ring.verify(&real[..real.len() - 6]).is_none());
        assert!(ring.verify("not a token").is_none());
    }
}

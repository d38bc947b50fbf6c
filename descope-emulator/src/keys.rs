//! The project's signing keys: RSA, for RS256 (RFC 7518 section 3.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand_core::OsRng;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// One key pair with its key id.
pub(crate) struct SigningKey {
    /// The key id that tokens and the JWKS carry.
    pub(crate) kid: String,
    pkcs1: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// A key that cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error("the RSA signing key is unusable")]
pub struct KeyError;

impl SigningKey {
    /// A new key of 2048 bits. Slow: tens to hundreds of milliseconds.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let key = RsaPrivateKey::new(&mut OsRng, BITS).map_err(|_| KeyError)?;
        Self::from_private(&key)
    }

    /// The key that [`SigningKey::to_text`] wrote.
    pub(crate) fn from_text(text: &str) -> Result<Self, KeyError> {
        let der = STANDARD.decode(text).map_err(|_| KeyError)?;
        let key = RsaPrivateKey::from_pkcs1_der(&der).map_err(|_| KeyError)?;
        Self::from_private(&key)
    }

    /// The private key as text for the state file: PKCS #1 DER in base64.
    pub(crate) fn to_text(&self) -> String {
        STANDARD.encode(&self.pkcs1)
    }

    fn from_private(key: &RsaPrivateKey) -> Result<Self, KeyError> {
        let pkcs1 = key
            .to_pkcs1_der()
            .map_err(|_| KeyError)?
            .as_bytes()
            .to_vec();
        let public = key.to_public_key();
        let modulus = without_leading_zeros(&public.n().to_bytes_be());
        let exponent = without_leading_zeros(&public.e().to_bytes_be());
        let digest = Sha256::digest(&modulus);
        Ok(Self {
            kid: format!("SK{}", URL_SAFE_NO_PAD.encode(&digest[..18])),
            pkcs1,
            modulus,
            exponent,
        })
    }

    /// A signed JWT under the key id `kid`, which is this key's own except in a forgery.
    pub(crate) fn sign(&self, kid: &str, claims: &Map<String, Value>) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        let key = EncodingKey::from_rsa_der(&self.pkcs1);
        jsonwebtoken::encode(&header, claims, &key).map_err(|_| KeyError)
    }

    /// The public half as a JWK (RFC 7517 section 4).
    fn to_jwk(&self) -> Value {
        json!({
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
            "kid": self.kid,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "use": "sig",
        })
    }
}

/// The keys in use, newest first. The first one signs, all of them verify and are published.
#[derive(Clone, Default)]
pub(crate) struct KeyRing(Vec<Arc<SigningKey>>);

impl KeyRing {
    /// A ring of `keys`, newest first.
    pub(crate) fn new(keys: Vec<SigningKey>) -> Self {
        Self(keys.into_iter().map(Arc::new).collect())
    }

    /// The key that signs.
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

    /// The JWK Set (RFC 7517 section 5).
    pub(crate) fn to_jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(|key| key.to_jwk()).collect::<Vec<_>>() })
    }

    /// The claims of `token` if one of these keys signed it with RS256. Times are the caller's to check.
    pub(crate) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let kid = header.kid?;
        let key = self.0.iter().find(|key| key.kid == kid)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let key = DecodingKey::from_rsa_raw_components(&key.modulus, &key.exponent);
        let verified = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).ok()?;
        Some(verified.claims)
    }
}

fn without_leading_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect()
}

const BITS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form_and_verifies_what_it_signed() {
        let key = SigningKey::generate().unwrap();
        let kid = key.kid.clone();
        let claims = json!({ "sub": "U1" });
        let token = key.sign(&kid, claims.as_object().unwrap()).unwrap();
        let ring = KeyRing::new(vec![SigningKey::from_text(&key.to_text()).unwrap()]);
        assert_eq!(ring.current().unwrap().kid, kid);
        assert_eq!(ring.verify(&token).unwrap()["sub"], "U1");
    }

    #[test]
    fn a_token_under_a_foreign_key_or_a_changed_one_does_not_verify() {
        let ours = SigningKey::generate().unwrap();
        let theirs = SigningKey::generate().unwrap();
        let claims = json!({ "sub": "U1" });
        let forged = theirs.sign(&ours.kid, claims.as_object().unwrap()).unwrap();
        let real = ours.sign(&ours.kid, claims.as_object().unwrap()).unwrap();
        let ring = KeyRing::new(vec![ours]);
        assert!(ring.verify(&real).is_some());
        assert!(ring.verify(&forged).is_none());
        assert!(ring.verify(&real[..real.len() - 6]).is_none());
        assert!(ring.verify("not a token").is_none());
    }
}

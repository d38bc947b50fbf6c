//! JWTs signed with Ed25519 (RFC 8037), and the public keys to check them by.

use crate::KeyRing;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A public key as a JWK (RFC 8037 section 2).
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    /// The key's thumbprint (RFC 7638).
    pub kid: String,
    x: String,
}

/// A JWK Set (RFC 7517 section 5).
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct JwkSet {
    /// The public keys, the one that signs first.
    pub keys: Vec<PublicJwk>,
}

/// The claims cannot be written as a JSON object.
#[derive(Debug, thiserror::Error)]
#[error("the claims cannot be signed")]
pub struct SignError;

/// Why a token is not one of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    /// It is not a JWT, or its claims are not of the expected shape.
    #[error("the token is malformed")]
    Malformed,
    /// Its `typ` or `alg` is not what this kind of token has.
    #[error("the token is of another type")]
    WrongType,
    /// No key of the ring has the token's `kid`, or the signature does not fit.
    #[error("the token was not signed here")]
    WrongKey,
}

pub(crate) struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: PublicJwk,
}

/// What comes before the seed in the PKCS #8 form of an Ed25519 private key (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

impl SigningKey {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
        let pkcs8 = Zeroizing::new([PKCS8_PREFIX.as_slice(), seed].concat());
        let x = URL_SAFE_NO_PAD.encode(public.as_bytes());
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self {
            encoding: EncodingKey::from_ed_der(&pkcs8),
            decoding: DecodingKey::from_ed_der(public.as_bytes()),
            jwk: PublicJwk {
                kty: "OKP",
                crv: "Ed25519",
                alg: "EdDSA",
                usage: "sig",
                kid: URL_SAFE_NO_PAD.encode(thumbprint),
                x,
            },
        }
    }
}

impl KeyRing {
    /// The public key of every key of the ring.
    pub fn jwks(&self) -> JwkSet {
        JwkSet {
            keys: self
                .all()
                .iter()
                .map(|key| key.signing.jwk.clone())
                .collect(),
        }
    }

    /// Signs `claims` as a JWT whose header has this `typ` (`at+jwt`, for example).
    ///
    /// # Errors
    ///
    /// [`SignError`] if the claims are no JSON object.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        let key = &self.newest().signing;
        let header = Header {
            typ: Some(typ.to_owned()),
            kid: Some(key.jwk.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &key.encoding).map_err(|_| SignError)
    }

    /// The claims of a JWT that [`sign`](Self::sign) made with this `typ`.
    ///
    /// Type and signature are checked here; issuer, audience and times are the caller's to check.
    /// The algorithm is fixed by the key, not by the token.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify<T: DeserializeOwned>(&self, typ: &str, token: &str) -> Result<T, VerifyError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| VerifyError::Malformed)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(typ) {
            return Err(VerifyError::WrongType);
        }
        let kid = header.kid.ok_or(VerifyError::WrongKey)?;
        let key = self
            .all()
            .iter()
            .map(|key| &key.signing)
            .find(|key| key.jwk.kid == kid)
            .ok_or(VerifyError::WrongKey)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode(token, &key.decoding, &validation)
            .map(|data| data.claims)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => VerifyError::WrongKey,
                _ => VerifyError::Malformed,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Claims {
        sub: String,
    }

    fn claims() -> Claims {
        Claims { sub: "me".into() }
    }

    #[test]
    fn a_token_is_verified_by_any_key_of_the_ring_and_by_no_other() {
        let old = KeyRing::parse(OLD).unwrap();
        let token = old.sign("at+jwt", &claims()).unwrap();
        let rotated = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        assert_eq!(rotated.verify("at+jwt", &token), Ok(claims()));
        let dropped = KeyRing::parse(NEW).unwrap();
        let error = dropped.verify::<Claims>("at+jwt", &token);
        assert_eq!(error, Err(VerifyError::WrongKey));
        assert_eq!(rotated.jwks().keys.len(), 2);
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        let ring = KeyRing::parse(OLD).unwrap();
        let token = ring.sign("other", &claims()).unwrap();
        let error = ring.verify::<Claims>("at+jwt", &token);
        assert_eq!(error, Err(VerifyError::WrongType));
    }

    #[test]
    fn the_token_does_not_choose_the_algorithm() {
        let ring = KeyRing::parse(OLD).unwrap();
        let kid = &ring.jwks().keys[0].kid;
        for alg in ["none", "HS256", "RS256"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#);
            let token = format!(
                "{}.{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(r#"{"sub":"me"}"#),
                URL_SAFE_NO_PAD.encode([0; 64])
            );
            assert!(ring.verify::<Claims>("at+jwt", &token).is_err());
        }
    }

    #[test]
    fn a_changed_signature_or_claim_is_refused() {
        let ring = KeyRing::parse(OLD).unwrap();
        let token = ring.sign("at+jwt", &claims()).unwrap();
        let (rest, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{rest}.{}", URL_SAFE_NO_PAD.encode([7; 64]));
        let error = ring.verify::<Claims>("at+jwt", &forged);
        assert_eq!(error, Err(VerifyError::WrongKey));
    }
}

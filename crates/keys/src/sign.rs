//! JWTs signed with Ed25519 (RFC 8037), and the public keys to check them by.

use crate::KeyRing;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    secret: ed25519_dalek::SigningKey,
    jwk: PublicJwk,
}

/// The header of a JWT (RFC 7515 section 4.1), as it is written.
#[derive(Serialize)]
struct HeaderRef<'a> {
    typ: &'a str,
    alg: &'static str,
    kid: &'a str,
}

/// The header of a JWT, as it is read. Its texts have no escapes in what we write.
#[derive(Deserialize)]
struct Header<'a> {
    typ: Option<&'a str>,
    alg: &'a str,
    kid: Option<&'a str>,
    /// What a reader must understand (RFC 7515 section 4.1.11): there is nothing that we would.
    crit: Option<serde::de::IgnoredAny>,
}

impl SigningKey {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let x = URL_SAFE_NO_PAD.encode(secret.verifying_key().as_bytes());
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self {
            secret,
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
        let header = HeaderRef {
            typ,
            alg: ALGORITHM,
            kid: &key.jwk.kid,
        };
        let mut token = encode(&header)?;
        token.push('.');
        token.push_str(&encode(claims)?);
        let signature = key.secret.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut token);
        Ok(token)
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
        let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(VerifyError::Malformed)?;
        let header = decode(header)?;
        let header: Header<'_> =
            serde_json::from_slice(&header).map_err(|_| VerifyError::Malformed)?;
        if header.alg != ALGORITHM || header.typ != Some(typ) || header.crit.is_some() {
            return Err(VerifyError::WrongType);
        }
        let key = self
            .all()
            .iter()
            .map(|key| &key.signing)
            .find(|key| header.kid == Some(&key.jwk.kid))
            .ok_or(VerifyError::WrongKey)?;
        let signature =
            Signature::from_slice(&decode(signature)?).map_err(|_| VerifyError::WrongKey)?;
        key.secret
            .verifying_key()
            .verify_strict(signed.as_bytes(), &signature)
            .map_err(|_| VerifyError::WrongKey)?;
        serde_json::from_slice(&decode(claims)?).map_err(|_| VerifyError::Malformed)
    }
}

/// The algorithm of every token here (RFC 8037 section 3.1).
const ALGORITHM: &str = "EdDSA";

/// A part of a token: JSON in URL-safe Base64. Claims are an object.
fn encode(part: &impl Serialize) -> Result<String, SignError> {
    let json = serde_json::to_vec(part).map_err(|_| SignError)?;
    if json.first() != Some(&b'{') {
        return Err(SignError);
    }
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| VerifyError::Malformed)
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
    fn a_header_that_demands_something_unknown_is_refused() {
        let ring = KeyRing::parse(OLD).unwrap();
        let kid = &ring.jwks().keys[0].kid;
        let sign = |more: &str| {
            let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"{more}}}"#);
            let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"me"}"#);
            let signed = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
            let signature = ring.newest().signing.secret.sign(signed.as_bytes());
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
        };
        assert_eq!(ring.verify("at+jwt", &sign("")), Ok(claims()));
        let error = ring.verify::<Claims>("at+jwt", &sign(r#","b64":false,"crit":["b64"]"#));
        assert_eq!(error, Err(VerifyError::WrongType));
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

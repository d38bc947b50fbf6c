//! JWTs (RFC 7519) signed with the ring's Ed25519 keys (RFC 8037), and the public keys as a JWK Set.

use crate::KeyRing;
use jwt::{Error, Unverified};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use jwt::SignError;

/// A JWK Set (RFC 7517 section 5).
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct JwkSet {
    /// The public keys, the one that signs first.
    pub keys: Vec<Value>,
}

/// Why a token was not issued by this ring.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    /// It is not a JWT, or its claims have another shape.
    #[error("the token is malformed")]
    Malformed,
    /// Its `typ` or `alg` is another one.
    #[error("the token is of another type")]
    WrongType,
    /// No key of the ring has the token's `kid`, or the signature does not fit.
    #[error("the token was not signed here")]
    WrongKey,
}

impl KeyRing {
    /// Returns the public key of every key of the ring.
    pub fn jwks(&self) -> JwkSet {
        let keys = self.all().iter().map(|key| key.signing.public().to_jwk());
        JwkSet {
            keys: keys.collect(),
        }
    }

    /// Signs `claims` as a JWT whose header has this `typ` (`at+jwt`, for example).
    ///
    /// # Errors
    ///
    /// Fails if the claims are not a JSON object.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        self.newest().signing.sign(typ, claims)
    }

    /// Returns the claims of a JWT that [`sign`](Self::sign) made with this `typ`.
    ///
    /// Checks the type and the signature, with the algorithm of the key and not of the token. Does **not**
    /// validate issuer, audience and times.
    ///
    /// # Errors
    ///
    /// Fails for any other token.
    pub fn verify<T: DeserializeOwned>(&self, typ: &str, token: &str) -> Result<T, VerifyError> {
        let token = Unverified::parse(token).map_err(VerifyError::from)?;
        if !token.header().is_type(typ) {
            return Err(VerifyError::WrongType);
        }
        let key_id = token.header().key_id.as_deref();
        let key = self
            .all()
            .iter()
            .map(|key| key.signing.public())
            .find(|key| key_id.is_some() && key.key_id() == key_id);
        let Some(key) = key else {
            return Err(match token.header().algorithm {
                jwt::Algorithm::EdDsa => VerifyError::WrongKey,
                _ => VerifyError::WrongType,
            });
        };
        let claims = token.verify(key)?;
        serde_json::from_value(Value::Object(claims)).map_err(|_| VerifyError::Malformed)
    }
}

impl From<Error> for VerifyError {
    fn from(error: Error) -> Self {
        match error {
            Error::Malformed | Error::TooLong => Self::Malformed,
            Error::Algorithm | Error::Critical => Self::WrongType,
            Error::Signature => Self::WrongKey,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
        let kid = ring.newest().signing.public().thumbprint();
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
        let kid = ring.newest().signing.public().thumbprint();
        let sign = |more: &str| {
            let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"{more}}}"#);
            let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"me"}"#);
            let signed = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
            let signature = ring.newest().signing.signature(&signed).unwrap();
            format!("{signed}.{signature}")
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

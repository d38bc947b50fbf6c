//! Signed JWTs: three parts, RS256 and nothing else (RFC 7515, RFC 7519, RFC 8725 section 3.1).

use crate::answers::MAX_TOKEN;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::sha2::{Digest as _, Sha256};
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::{Map, Value};

/// A JWT that has been read and not verified.
pub(crate) struct Unverified<'a> {
    /// The id of the key that is said to have signed it.
    pub(crate) key_id: String,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// Why a JWT is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("it is not a signed JWT")]
    Malformed,
    #[error("it is not signed with RS256")]
    Algorithm,
    #[error("its header has extensions that must be understood")]
    Critical,
    #[error("it does not say which key signed it")]
    NoKeyId,
    #[error("its signature is wrong")]
    Signature,
}

impl<'a> Unverified<'a> {
    /// Reads `token`.
    pub(crate) fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let header = object(header)?;
        // The algorithm is ours to choose, not the token's (RFC 8725 section 3.1).
        if header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err(JwtError::Algorithm);
        }
        if header.contains_key("crit") {
            return Err(JwtError::Critical);
        }
        let key_id = header
            .get("kid")
            .and_then(Value::as_str)
            .ok_or(JwtError::NoKeyId)?
            .to_owned();
        Ok(Self {
            key_id,
            claims: object(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| JwtError::Malformed)?,
        })
    }

    /// What the token says; nobody vouches for it yet. Good only to turn the token down early.
    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The claims, if `key` signed them.
    pub(crate) fn verify(self, key: &RsaPublicKey) -> Result<Map<String, Value>, JwtError> {
        let digest = Sha256::digest(self.signed.as_bytes());
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &self.signature)
            .map_err(|_| JwtError::Signature)?;
        Ok(self.claims)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use serde_json::json;

    fn verify(token: &str) -> Result<Map<String, Value>, JwtError> {
        Unverified::parse(token)?.verify(&fixtures::public_key())
    }

    #[test]
    fn a_token_that_the_key_signed_gives_its_claims() {
        let token = fixtures::sign(&json!({ "sub": "U1" }));
        assert_eq!(verify(&token).unwrap()["sub"], "U1");
    }

    #[test]
    fn a_change_anywhere_breaks_the_signature_or_the_form() {
        let token = fixtures::sign(&json!({ "sub": "U1", "exp": 1 }));
        for position in (0..token.len()).step_by(7) {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'A' {
                b'B'
            } else {
                b'A'
            };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&changed).is_err(), "{position}");
        }
        assert!(verify(&token[..token.len() - 1]).is_err());
        assert!(verify(&format!("{token}=")).is_err());
    }

    #[test]
    fn any_algorithm_but_rs256_is_refused_before_a_key_is_looked_at() {
        for algorithm in ["none", "HS256", "RS384", "PS256", "ES256", "rs256", ""] {
            let token = fixtures::sign_under(
                &json!({ "alg": algorithm, "kid": fixtures::KEY_ID }),
                &json!({}),
            );
            assert_eq!(verify(&token), Err(JwtError::Algorithm), "{algorithm}");
        }
        let token = fixtures::sign_under(&json!({ "kid": fixtures::KEY_ID }), &json!({}));
        assert_eq!(verify(&token), Err(JwtError::Algorithm));
    }

    #[test]
    fn a_header_without_key_id_or_with_critical_extensions_is_refused() {
        let token = fixtures::sign_under(&json!({ "alg": "RS256" }), &json!({}));
        assert_eq!(verify(&token), Err(JwtError::NoKeyId));
        let header = json!({ "alg": "RS256", "kid": "k", "crit": ["exp"] });
        assert_eq!(
            verify(&fixtures::sign_under(&header, &json!({}))),
            Err(JwtError::Critical)
        );
    }

    #[test]
    fn nonsense_is_malformed_and_nothing_breaks() {
        let huge = "a".repeat(MAX_TOKEN + 1);
        let deep = URL_SAFE_NO_PAD.encode(format!("{{\"a\":{}", "[".repeat(9000)));
        let deep = format!("{deep}.{deep}.");
        for token in [
            "", ".", "..", "a.b.c", "....", "e30", "e30.e30", "W10.W10.", "é.é.é", &huge, &deep,
        ] {
            assert!(verify(token).is_err());
        }
        assert_eq!(verify("e30.e30."), Err(JwtError::Algorithm));
    }
}

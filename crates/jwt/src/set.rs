//! JWK Sets (RFC 7517 section 5).

use crate::json;
use crate::{Algorithm, KeyError, PublicKey};
use serde_json::Value;

/// The keys of a JWK Set that can be used here. Has at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// Reads a JWK Set that repeats no member.
    ///
    /// # Errors
    ///
    /// As [`from_value`](Self::from_value).
    pub fn from_json(json: &[u8]) -> Result<Self, KeyError> {
        Self::from_value(&json::value(json).ok_or(KeyError::Malformed)?)
    }

    /// Reads a JWK Set. Keys of other types and for other uses, malformed and unsound ones are
    /// passed over, as RFC 7517 section 5 has it; so there may be none left.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] if it is no JWK Set, [`KeyError::TooMany`], and
    /// [`KeyError::Private`]: a set that shows one private key is not to be trusted for the others.
    pub fn from_value(set: &Value) -> Result<Self, KeyError> {
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeyError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let mut usable = Vec::new();
        for jwk in keys {
            match PublicKey::from_jwk(jwk) {
                Ok(key) => usable.push(key),
                Err(KeyError::Private) => return Err(KeyError::Private),
                Err(_) => {}
            }
        }
        Ok(Self(usable))
    }

    /// Returns the key of this id and algorithm; without an id, the only key of the algorithm.
    pub fn find(&self, key_id: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let mut found = self
            .0
            .iter()
            .filter(|key| key.algorithm() == algorithm)
            .filter(|key| key_id.is_none() || key.key_id() == key_id);
        match (found.next(), key_id) {
            (Some(_), None) if found.next().is_some() => None,
            (key, _) => key,
        }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the keys, as the set has them.
    pub fn iter(&self) -> std::slice::Iter<'_, PublicKey> {
        self.0.iter()
    }
}

impl FromIterator<PublicKey> for KeySet {
    fn from_iter<T: IntoIterator<Item = PublicKey>>(keys: T) -> Self {
        Self(keys.into_iter().take(MAX_KEYS).collect())
    }
}

const MAX_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;
    use serde_json::json;

    fn jwk(seed: u8, key_id: &str) -> Value {
        let key = SigningKey::ed25519(&[seed; 32]).public().clone();
        key.with_key_id(key_id).to_jwk()
    }

    #[test]
    fn a_key_is_found_by_its_id_or_by_being_the_only_one() {
        let one = KeySet::from_value(&json!({ "keys": [jwk(1, "a")] })).unwrap();
        assert!(one.find(Some("a"), Algorithm::EdDsa).is_some());
        assert!(one.find(None, Algorithm::EdDsa).is_some());
        assert!(one.find(Some("b"), Algorithm::EdDsa).is_none());
        assert!(one.find(Some("a"), Algorithm::Rs256).is_none());
        let two = KeySet::from_value(&json!({ "keys": [jwk(1, "a"), jwk(2, "b")] })).unwrap();
        assert_eq!(
            two.find(Some("b"), Algorithm::EdDsa).unwrap().key_id(),
            Some("b")
        );
        assert!(two.find(None, Algorithm::EdDsa).is_none());
    }

    #[test]
    fn what_is_no_key_for_us_is_passed_over() {
        let set = json!({ "keys": [
            7, null, { "kty": "EC" }, { "kty": "oct" }, { "kty": "PQ", "x": "AA" }, jwk(1, "a"),
        ] });
        let set = KeySet::from_json(set.to_string().as_bytes()).unwrap();
        assert_eq!(set.iter().count(), 1);
        assert!(
            KeySet::from_value(&json!({ "keys": [] }))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_set_that_shows_a_private_key_is_refused_whole() {
        let mut private = jwk(1, "a");
        private["d"] = json!("AAAA");
        for private in [private, json!({ "kty": "oct", "k": "AAAA" })] {
            let set = json!({ "keys": [jwk(2, "b"), private] });
            assert_eq!(KeySet::from_value(&set), Err(KeyError::Private));
        }
    }

    #[test]
    fn a_document_that_is_no_key_set_or_an_enormous_one_is_refused() {
        for document in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"keys":{}}"#,
            r#"{"keys":[],"keys":[]}"#,
        ] {
            let set = KeySet::from_json(document.as_bytes());
            assert_eq!(set, Err(KeyError::Malformed), "{document}");
        }
        let set = json!({ "keys": vec![json!(1); 65] });
        assert_eq!(KeySet::from_value(&set), Err(KeyError::TooMany));
    }
}

//! The project's public keys (RFC 7517), and how long they are remembered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// RSA keys by key id.
pub(crate) type Keys = HashMap<String, Arc<RsaPublicKey>>;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
}

/// The RS256 keys of a JWK Set; whatever else is in it is passed over (RFC 7517 section 5). `None`
/// if there are none.
pub(crate) fn parse(document: &[u8]) -> Option<Keys> {
    let document: Document = serde_json::from_slice(document).ok()?;
    let keys: Keys = document
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value(key).ok())
        .filter_map(rsa_key)
        .take(MAX_KEYS)
        .collect();
    (!keys.is_empty()).then_some(keys)
}

fn rsa_key(key: Jwk) -> Option<(String, Arc<RsaPublicKey>)> {
    let is_for_rs256 = key.kty == "RSA"
        && key.alg.is_none_or(|algorithm| algorithm == "RS256")
        && key.used_for.is_none_or(|usage| usage == "sig")
        && key.kid.len() <= MAX_KEY_ID;
    if !is_for_rs256 {
        return None;
    }
    let number = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(BigUint::from_bytes_be(&bytes))
    };
    let public = RsaPublicKey::new(number(&key.n)?, number(&key.e)?).ok()?;
    // RFC 7518 section 3.3. An even modulus is no product of two large primes.
    let is_sound = public.n().bits() >= MIN_BITS && public.n().to_bytes_le().first()? % 2 == 1;
    is_sound.then(|| (key.kid, Arc::new(public)))
}

/// The keys of one project, remembered for a while.
#[derive(Default)]
pub(crate) struct KeyCache {
    keys: Keys,
    /// When `keys` came, and when they were last asked for, in seconds since the Unix epoch.
    fetched_at: Option<u64>,
    asked_at: Option<u64>,
}

/// What to do for a key id.
pub(crate) enum Lookup {
    /// Use this key.
    Found(Arc<RsaPublicKey>),
    /// Ask Descope, then look again.
    Ask,
    /// Descope has no such key, or had none a moment ago.
    Unknown,
    /// Descope was asked a moment ago and has not answered.
    Unanswered,
}

impl KeyCache {
    /// Looks for `key_id` at `now`, and notes that Descope is asked where it says so.
    pub(crate) fn look_up(&mut self, key_id: &str, now: u64) -> Lookup {
        let age = self.fetched_at.map(|at| now.saturating_sub(at));
        let known = age
            .filter(|age| *age < MAX_STALE)
            .and_then(|_| self.keys.get(key_id).cloned());
        let asked_lately = self
            .asked_at
            .is_some_and(|at| now.saturating_sub(at) < REFRESH_INTERVAL);
        let is_fresh = age.is_some_and(|age| age < MAX_AGE);
        match known {
            Some(key) if is_fresh || asked_lately => Lookup::Found(key),
            // With no keys at all, every caller may ask: there is nothing to fall back on.
            None if asked_lately && age.is_some_and(|age| age < MAX_STALE) => {
                if self.asked_at > self.fetched_at {
                    Lookup::Unanswered
                } else {
                    Lookup::Unknown
                }
            }
            _ => {
                self.asked_at = Some(now);
                Lookup::Ask
            }
        }
    }

    /// Takes the keys that Descope answered with at `now`.
    pub(crate) fn store(&mut self, keys: Keys, now: u64) {
        self.keys = keys;
        self.fetched_at = Some(now);
    }

    /// The key under `key_id` when asking has just been tried: an old one if it is not too old.
    pub(crate) fn get(&self, key_id: &str, now: u64) -> Option<Arc<RsaPublicKey>> {
        let age = now.saturating_sub(self.fetched_at?);
        if age < MAX_STALE {
            self.keys.get(key_id).cloned()
        } else {
            None
        }
    }
}

const MAX_KEYS: usize = 32;
/// In bytes.
const MAX_KEY_ID: usize = 256;
const MIN_BITS: usize = 2048;
/// How long keys are used without asking, in seconds.
const MAX_AGE: u64 = 600;
/// How long keys are used while Descope does not answer, in seconds.
const MAX_STALE: u64 = 3600;
/// How often at most an unknown key id or old keys lead to a question, in seconds.
const REFRESH_INTERVAL: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use serde_json::json;

    fn parse_one(change: impl FnOnce(&mut Value)) -> Option<Keys> {
        let mut jwk = fixtures::jwk();
        change(&mut jwk);
        parse(json!({ "keys": [jwk] }).to_string().as_bytes())
    }

    #[test]
    fn an_rs256_key_is_taken_and_others_are_passed_over() {
        assert!(parse_one(|_| ()).unwrap().contains_key(fixtures::KEY_ID));
        for absent in ["alg", "use"] {
            assert!(parse_one(|jwk| jwk[absent] = Value::Null).is_some());
        }
        for (name, value) in [
            ("kty", json!("EC")),
            ("alg", json!("RS512")),
            ("use", json!("enc")),
            ("kid", json!("k".repeat(257))),
            ("kid", json!(7)),
            ("n", json!("!")),
            ("n", json!("")),
            ("e", json!("AQ")),
            ("e", json!("")),
        ] {
            assert!(
                parse_one(|jwk| jwk[name] = value.clone()).is_none(),
                "{name} {value}"
            );
        }
        let mixed = json!({ "keys": [7, { "kty": "EC" }, fixtures::jwk()] });
        assert_eq!(
            parse(mixed.to_string().as_bytes()).map(|keys| keys.len()),
            Some(1)
        );
    }

    #[test]
    fn a_key_that_is_short_even_or_enormous_is_passed_over() {
        let modulus = fixtures::public_key().n().to_bytes_be();
        let mut even = modulus.clone();
        if let Some(last) = even.last_mut() {
            *last &= 0xfe;
        }
        for modulus in [
            modulus[..128].to_vec(),
            even,
            [modulus.clone(), modulus].concat().repeat(2),
        ] {
            assert!(parse_one(|jwk| jwk["n"] = json!(URL_SAFE_NO_PAD.encode(&modulus))).is_none());
        }
    }

    #[test]
    fn a_document_that_is_no_key_set_has_no_keys() {
        for document in ["", "{}", "[]", "null", r#"{"keys":{}}"#, r#"{"keys":[]}"#] {
            assert!(parse(document.as_bytes()).is_none(), "{document}");
        }
    }

    fn cache(now: u64) -> KeyCache {
        let mut cache = KeyCache::default();
        assert!(matches!(cache.look_up(fixtures::KEY_ID, now), Lookup::Ask));
        cache.store(parse_one(|_| ()).unwrap(), now);
        cache
    }

    #[test]
    fn keys_are_remembered_for_ten_minutes() {
        let mut cache = cache(1000);
        assert!(matches!(
            cache.look_up(fixtures::KEY_ID, 1599),
            Lookup::Found(_)
        ));
        assert!(matches!(cache.look_up(fixtures::KEY_ID, 1600), Lookup::Ask));
    }

    #[test]
    fn an_unknown_key_id_leads_to_one_question_in_thirty_seconds() {
        let mut cache = cache(1000);
        assert!(matches!(cache.look_up("new", 1029), Lookup::Unknown));
        assert!(matches!(cache.look_up("new", 1030), Lookup::Ask));
        assert!(matches!(cache.look_up("newer", 1059), Lookup::Unanswered));
        assert!(matches!(
            cache.look_up(fixtures::KEY_ID, 1059),
            Lookup::Found(_)
        ));
        assert!(matches!(cache.look_up("newer", 1060), Lookup::Ask));
    }

    #[test]
    fn old_keys_serve_for_an_hour_while_descope_does_not_answer() {
        let mut cache = cache(1000);
        assert!(matches!(cache.look_up(fixtures::KEY_ID, 2000), Lookup::Ask));
        assert!(cache.get(fixtures::KEY_ID, 2000).is_some());
        assert!(matches!(
            cache.look_up(fixtures::KEY_ID, 2029),
            Lookup::Found(_)
        ));
        assert!(matches!(cache.look_up(fixtures::KEY_ID, 4600), Lookup::Ask));
        assert!(cache.get(fixtures::KEY_ID, 4600).is_none());
    }

    #[test]
    fn without_any_keys_each_caller_may_ask() {
        let mut cache = KeyCache::default();
        assert!(matches!(cache.look_up("a", 1000), Lookup::Ask));
        assert!(matches!(cache.look_up("a", 1000), Lookup::Ask));
    }
}

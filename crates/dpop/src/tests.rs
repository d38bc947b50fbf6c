//! The rules of a proof.

use super::*;
use futures::executor::block_on;
use http::HeaderMap;
use jwt::SigningKey;
use keys::KeyRing;
use serde_json::{Map, Value, json};
use store::{MemoryKeyValue, Store};

const NOW: u64 = 1_000_000;
const URL: &str = "https://mcp.example.com/token";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

// RFC 9449 section 7.1: an access token and the hash of it that the proof there has.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const TOKEN_HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

fn key() -> SigningKey {
    SigningKey::ed25519(&[7; 32])
}

fn header(key: &SigningKey) -> Value {
    let mut jwk = key.public().to_jwk();
    for name in ["alg", "use", "kid"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    json!({ "typ": "dpop+jwt", "jwk": jwk })
}

fn claims() -> Value {
    json!({ "jti": "1", "htm": "POST", "htu": URL, "iat": NOW })
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn proof(header: Value, claims: &Value) -> String {
    key().sign_under(object(header), claims).unwrap()
}

/// Returns the proof with another value for one claim; null leaves it out.
fn with(name: &str, value: Value) -> String {
    let mut claims = object(claims());
    claims.insert(name.into(), value);
    claims.retain(|_, value| !value.is_null());
    proof(header(&key()), &Value::Object(claims))
}

fn check_for(proof: &str, access_token: Option<&str>) -> Result<Proof, Error> {
    check_by(&KeyRing::parse(KEY).unwrap(), false, proof, access_token)
}

fn check_by(
    keys: &KeyRing,
    nonces: bool,
    proof: &str,
    access_token: Option<&str>,
) -> Result<Proof, Error> {
    let request = Request {
        method: "POST",
        url: URL,
        access_token,
    };
    let mut headers = HeaderMap::new();
    headers.insert(PROOF, proof.parse().unwrap());
    let verifier = ProofVerifier::new(keys, nonces);
    verifier.check(&headers, request, NOW).map(Option::unwrap)
}

fn check(proof: &str) -> Result<Proof, Error> {
    check_for(proof, None)
}

#[test]
#[allow(clippy::disallowed_methods, reason = "any key will do")]
fn a_proof_of_every_algorithm_gives_its_keys_thumbprint() {
    let der = SigningKey::generate_rs256(&mut rand::rng()).unwrap();
    let keys = [
        key(),
        SigningKey::es256(&[9; 32]).unwrap(),
        SigningKey::rs256(&der).unwrap(),
    ];
    for (key, algorithm) in keys.iter().zip(ALGORITHMS) {
        let proof = key.sign_under(object(header(key)), &claims()).unwrap();
        let proof = check(&proof).unwrap();
        assert_eq!(proof.thumbprint(), key.public().thumbprint(), "{algorithm}");
    }
}

#[test]
fn no_proof_is_none_and_two_are_an_error() {
    let keys = KeyRing::parse(KEY).unwrap();
    let verifier = ProofVerifier::new(&keys, false);
    let request = Request {
        method: "POST",
        url: URL,
        access_token: None,
    };
    let mut headers = HeaderMap::new();
    assert_eq!(verifier.check(&headers, request, NOW), Ok(None));
    for _ in 0..2 {
        let good = proof(header(&key()), &claims());
        headers.append(PROOF, good.parse().unwrap());
    }
    assert_eq!(verifier.check(&headers, request, NOW), Err(Error::Header));
}

#[test]
fn the_key_in_the_header_is_public_and_has_signed_the_proof() {
    let mut private = header(&key());
    private["jwk"]["d"] = json!("AAAA");
    let mut other = header(&SigningKey::ed25519(&[8; 32]));
    other["typ"] = json!("dpop+jwt");
    let mut symmetric = header(&key());
    symmetric["jwk"] = json!({ "kty": "oct" });
    let mut elliptic = header(&SigningKey::es256(&[9; 32]).unwrap());
    elliptic["alg"] = json!("EdDSA");
    for (header, error) in [
        (private, Error::Key(jwt::KeyError::Private)),
        (other, Error::Jwt(jwt::Error::Signature)),
        (symmetric, Error::Key(jwt::KeyError::Unsupported)),
        (elliptic, Error::Jwt(jwt::Error::Algorithm)),
        (json!({ "typ": "dpop+jwt" }), Error::NoKey),
        (json!({ "jwk": header(&key())["jwk"] }), Error::Type),
        (
            json!({ "typ": "JWT", "jwk": header(&key())["jwk"] }),
            Error::Type,
        ),
        (
            json!({ "typ": "dpop+jwt", "jwk": header(&key())["jwk"], "alg": "none" }),
            Error::Jwt(jwt::Error::Algorithm),
        ),
    ] {
        let text = header.to_string();
        assert_eq!(check(&proof(header, &claims())), Err(error), "{text}");
    }
}

#[test]
fn a_proof_is_for_one_method_and_one_url() {
    assert_eq!(check(&with("htm", json!("GET"))), Err(Error::Method));
    for other in [
        "https://mcp.example.com/token/",
        "https://mcp.example.com/mcp",
        "http://mcp.example.com/token",
        "https://mcp.example.com:444/token",
        "https://other.example/token",
        "/token",
        "nonsense",
    ] {
        assert_eq!(
            check(&with("htu", json!(other))),
            Err(Error::Url),
            "{other}"
        );
    }
    for same in [
        "HTTPS://MCP.Example.com:443/token",
        "https://mcp.example.com/a/../token",
        "https://mcp.example.com/token?a=b#c",
    ] {
        assert!(check(&with("htu", json!(same))).is_ok(), "{same}");
    }
}

#[test]
fn a_proof_is_of_this_minute() {
    for (iat, expected) in [
        (json!(NOW - 59), true),
        (json!(NOW + 59), true),
        (json!(NOW as f64 + 0.5), true),
        (json!(NOW - 60), false),
        (json!(NOW + 60), false),
    ] {
        let result = check(&with("iat", iat));
        assert_eq!(result.is_ok(), expected);
        assert!(expected || result == Err(Error::Stale));
    }
    for iat in [json!("1"), json!(-1), json!(1e300), Value::Null] {
        assert_eq!(check(&with("iat", iat)), Err(Error::Claim("iat")));
    }
}

#[test]
fn every_claim_has_to_be_there() {
    for name in ["jti", "htm", "htu"] {
        for value in [Value::Null, json!(""), json!(1)] {
            assert_eq!(check(&with(name, value)), Err(Error::Claim(name)));
        }
    }
}

#[test]
fn a_proof_for_an_access_token_has_its_hash() {
    let good = with("ath", json!(TOKEN_HASH));
    assert!(check_for(&good, Some(TOKEN)).is_ok());
    assert_eq!(check_for(&good, Some("x")), Err(Error::AccessToken));
    let without = with("ath", Value::Null);
    assert_eq!(check_for(&without, Some(TOKEN)), Err(Error::Claim("ath")));
}

#[test]
fn where_nonces_are_asked_for_a_proof_is_as_old_as_its_nonce() {
    let keys = KeyRing::parse(KEY).unwrap();
    let check = |proof: &str| check_by(&keys, true, proof, None);
    let verifier = ProofVerifier::new(&keys, true);
    let nonce = |at: u64| {
        let nonce = verifier.nonce(at).unwrap();
        json!(nonce.to_str().unwrap())
    };
    assert_eq!(check(&with("nonce", Value::Null)), Err(Error::Nonce));
    assert_eq!(check(&with("nonce", json!("made up"))), Err(Error::Nonce));
    let other = KeyRing::parse(&KEY.replace("00", "ff")).unwrap();
    let foreign = ProofVerifier::new(&other, true).nonce(NOW).unwrap();
    let foreign = json!(foreign.to_str().unwrap());
    assert_eq!(check(&with("nonce", foreign)), Err(Error::Nonce));
    assert!(check(&with("nonce", nonce(NOW))).is_ok());
    assert!(check(&with("nonce", nonce(NOW - NONCE_TTL + 60))).is_ok());
    let old = with("nonce", nonce(NOW - NONCE_TTL));
    assert_eq!(check(&old), Err(Error::Nonce));
    let ahead = with("nonce", nonce(NOW + NONCE_TTL));
    assert_eq!(check(&ahead), Err(Error::Nonce));
    // The client's clock no longer matters.
    let mut claims = claims();
    claims["iat"] = json!(5);
    claims["nonce"] = nonce(NOW);
    assert!(check(&proof(header(&key()), &claims)).is_ok());
    assert!(ProofVerifier::new(&keys, false).nonce(NOW).is_none());
}

#[test]
fn a_proof_has_an_iat_with_a_nonce_too() {
    let keys = KeyRing::parse(KEY).unwrap();
    let nonce = ProofVerifier::new(&keys, true).nonce(NOW).unwrap();
    for iat in [Value::Null, json!("1000"), json!(-1)] {
        let mut claims = claims();
        claims["nonce"] = json!(nonce.to_str().unwrap());
        claims["iat"] = iat;
        let proof = proof(header(&key()), &claims);
        assert_eq!(
            check_by(&keys, true, &proof, None),
            Err(Error::Claim("iat"))
        );
    }
}

#[test]
fn a_proof_is_claimed_once_and_another_keys_is_another() {
    let store = Store::new(MemoryKeyValue::default(), "");
    let claim = |proof: &Proof| block_on(proof.claim(&store)).unwrap();
    let one = check(&proof(header(&key()), &claims())).unwrap();
    assert!(claim(&one));
    assert!(!claim(&one));
    // The same jti under a later iat is still the same proof.
    assert!(!claim(&check(&with("iat", json!(NOW + 1))).unwrap()));
    assert!(claim(&check(&with("jti", json!("2"))).unwrap()));
    let other = SigningKey::ed25519(&[8; 32]);
    let other_proof = other.sign_under(object(header(&other)), &claims()).unwrap();
    assert!(claim(&check(&other_proof).unwrap()));
    let keys = store.backend().keys();
    assert!(keys.iter().all(|key| !key.contains("mcp.example.com")));
}

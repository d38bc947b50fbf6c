//! JWKs (RFC 7517) that are accepted, and those that are refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse_jwt::{Algorithm, KeyError, PublicKey, SigningKey};
use serde_json::{Value, json};

fn ed25519() -> Value {
    SigningKey::ed25519(&[1; 32]).public().to_jwk()
}

fn p256() -> Value {
    SigningKey::es256(&[1; 32]).unwrap().public().to_jwk()
}

/// Any odd number of the right length passes for a modulus.
fn rsa(bytes: usize) -> Value {
    let mut modulus = vec![0xa5; bytes];
    modulus[bytes - 1] = 0x01;
    json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
}

fn with(mut jwk: Value, name: &str, value: Value) -> Result<PublicKey, KeyError> {
    jwk[name] = value;
    PublicKey::from_jwk(&jwk)
}

#[test]
fn a_key_is_written_as_it_was_read() {
    for (jwk, algorithm) in [
        (ed25519(), Algorithm::EdDsa),
        (p256(), Algorithm::Es256),
        (rsa(256), Algorithm::Rs256),
    ] {
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let again = PublicKey::from_jwk(&key.to_jwk()).unwrap();
        assert_eq!(again, key);
        assert_eq!(again.thumbprint(), key.thumbprint());
        assert_eq!(key.to_jwk()["alg"], algorithm.as_str());
        assert_eq!(key.to_jwk()["use"], "sig");
    }
}

#[test]
fn a_key_that_shows_private_members_is_refused() {
    for jwk in [ed25519(), p256(), rsa(256)] {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AQAB"), json!(null)] {
                assert_eq!(with(jwk.clone(), name, value), Err(KeyError::Private));
            }
        }
    }
}

#[test]
fn a_key_for_something_else_is_refused() {
    for jwk in [ed25519(), p256(), rsa(256)] {
        for (name, value) in [
            ("kty", json!("oct")),
            ("kty", json!("AKP")),
            ("kty", json!("rsa")),
            ("alg", json!("RSA-OAEP")),
            ("alg", json!("none")),
            ("alg", json!("PS256")),
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!([])),
        ] {
            let key = with(jwk.clone(), name, value.clone());
            assert_eq!(key, Err(KeyError::Unsupported), "{name} {value}");
        }
        assert!(with(jwk.clone(), "key_ops", json!(["verify"])).is_ok());
        assert!(with(jwk.clone(), "alg", Value::Null).is_ok());
        assert!(with(jwk, "use", Value::Null).is_ok());
    }
    for curve in ["P-384", "secp256k1", "Ed448", "X25519"] {
        assert_eq!(
            with(ed25519(), "crv", json!(curve)),
            Err(KeyError::Unsupported)
        );
        assert_eq!(
            with(p256(), "crv", json!(curve)),
            Err(KeyError::Unsupported)
        );
    }
}

#[test]
fn a_malformed_key_is_refused() {
    for wrong in [json!(null), json!([]), json!("key"), json!({})] {
        assert_eq!(PublicKey::from_jwk(&wrong), Err(KeyError::Malformed));
    }
    for value in [
        json!(null),
        json!(7),
        json!(""),
        json!("!"),
        json!("AQAB"),
        json!("A".repeat(44)),
        json!("A".repeat(100_000)),
    ] {
        assert_eq!(
            with(ed25519(), "x", value.clone()),
            Err(KeyError::Malformed),
            "{value}"
        );
        assert_eq!(with(p256(), "y", value.clone()), Err(KeyError::Malformed));
        assert!(with(rsa(256), "n", value.clone()).is_err());
        assert!(with(rsa(256), "kty", value.clone()).is_err());
    }
    for (name, value) in [
        ("kid", json!(7)),
        ("kid", json!("k".repeat(257))),
        ("alg", json!(7)),
        ("use", json!({})),
        ("key_ops", json!("verify")),
    ] {
        assert_eq!(with(p256(), name, value), Err(KeyError::Malformed));
    }
}

#[test]
fn a_point_that_is_not_on_its_curve_or_of_small_order_is_refused() {
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    assert_eq!(with(p256(), "x", json!(zeros)), Err(KeyError::Unsound));
    assert_eq!(with(ed25519(), "x", json!(zeros)), Err(KeyError::Unsound));
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let neutral = URL_SAFE_NO_PAD.encode(neutral);
    assert_eq!(with(ed25519(), "x", json!(neutral)), Err(KeyError::Unsound));
}

#[test]
fn an_rsa_key_has_2048_to_4096_bits_and_a_small_odd_exponent() {
    for bytes in [256, 384, 512] {
        assert!(PublicKey::from_jwk(&rsa(bytes)).is_ok(), "{bytes}");
    }
    for bytes in [128, 255, 513, 1024, 4096] {
        assert_eq!(PublicKey::from_jwk(&rsa(bytes)), Err(KeyError::Unsound));
    }
    for exponent in [&[1][..], &[2], &[0], &[], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        let exponent = URL_SAFE_NO_PAD.encode(exponent);
        assert!(with(rsa(256), "e", json!(exponent)).is_err(), "{exponent}");
    }
    assert!(with(rsa(256), "e", json!("Aw")).is_ok());
    let even = URL_SAFE_NO_PAD.encode([0xa4; 256]);
    assert_eq!(with(rsa(256), "n", json!(even)), Err(KeyError::Unsound));
}

#[test]
fn leading_zeros_of_a_modulus_make_no_other_key() {
    let plain = PublicKey::from_jwk(&rsa(256)).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(rsa(256)["n"].as_str().unwrap());
    let padded = URL_SAFE_NO_PAD.encode([vec![0], modulus.unwrap()].concat());
    let padded = with(rsa(256), "n", json!(padded)).unwrap();
    assert_eq!(padded, plain);
    assert_eq!(padded.thumbprint(), plain.thumbprint());
}

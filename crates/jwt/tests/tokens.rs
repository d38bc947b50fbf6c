//! Valid and invalid tokens (RFC 7519), over every algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse_jwt::{Algorithm, Error, MAX_TOKEN_BYTES, PublicKey, SigningKey, Unverified};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

#[allow(clippy::disallowed_methods, reason = "any key will do")]
static RSA: LazyLock<Vec<u8>> =
    LazyLock::new(|| SigningKey::generate_rs256(&mut rand::rng()).unwrap());

fn key(algorithm: Algorithm) -> SigningKey {
    match algorithm {
        Algorithm::EdDsa => SigningKey::ed25519(&[1; 32]),
        Algorithm::Es256 => SigningKey::es256(&[1; 32]).unwrap(),
        Algorithm::Rs256 => SigningKey::rs256(&RSA).unwrap(),
    }
}

fn verify(token: &str, key: &PublicKey) -> Result<Map<String, Value>, Error> {
    Unverified::parse(token)?.verify(key)
}

fn header(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(header) => header,
        _ => Map::new(),
    }
}

#[test]
fn a_token_that_the_key_signed_gives_its_header_and_its_claims() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = key.sign("at+jwt", &json!({ "sub": "me" })).unwrap();
        let read = Unverified::parse(&token).unwrap();
        assert_eq!(read.header().algorithm, algorithm);
        assert_eq!(read.header().key_id, Some(key.public().thumbprint()));
        assert!(read.header().is_type("at+jwt"));
        assert_eq!(read.claims()["sub"], "me");
        assert_eq!(read.verify(key.public()).unwrap()["sub"], "me");
    }
}

#[test]
fn a_change_anywhere_breaks_the_signature_or_the_form() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = key.sign("JWT", &json!({ "sub": "U1", "exp": 1 })).unwrap();
        assert!(verify(&token, key.public()).is_ok());
        // RSA is dear to check in a build for tests.
        let step = if algorithm == Algorithm::Rs256 { 7 } else { 1 };
        for position in (0..token.len()).step_by(step) {
            let mut changed = token.clone().into_bytes();
            changed[position] = match changed[position] {
                b'A' => b'B',
                _ => b'A',
            };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&changed, key.public()).is_err(), "{position}");
        }
        for changed in [
            &token[..token.len() - 1],
            &token[1..],
            &format!("{token}="),
            &format!("{token}A"),
            &format!(" {token}"),
            &format!("{token}\n"),
            &format!("{token}."),
            &format!(".{token}"),
            &token.replace('.', ".."),
        ] {
            assert!(verify(changed, key.public()).is_err(), "{changed}");
        }
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert!(verify(&format!("{signed}."), key.public()).is_err());
        let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
        assert!(verify(&format!("{signed}.{zeros}"), key.public()).is_err());
    }
}

#[test]
fn the_key_fixes_the_algorithm_and_never_the_token() {
    for theirs in Algorithm::ALL {
        let signer = key(theirs);
        for said in ["none", "None", "HS256", "PS256", "ES384", "RS512", ""] {
            let forged = signer.sign_under(header(json!({ "alg": said })), &json!({}));
            assert_eq!(
                verify(&forged.unwrap(), signer.public()),
                Err(Error::Algorithm)
            );
        }
        for said in Algorithm::ALL.into_iter().filter(|said| *said != theirs) {
            let forged = signer.sign_under(header(json!({ "alg": said.as_str() })), &json!({}));
            let forged = forged.unwrap();
            assert_eq!(verify(&forged, signer.public()), Err(Error::Algorithm));
            // Under a key of the algorithm that it names, its signature is not one.
            assert_eq!(verify(&forged, key(said).public()), Err(Error::Signature));
        }
    }
    for alg in [json!(null), json!(["ES256"]), json!(7)] {
        let unsigned = format!(
            "{}.e30.",
            URL_SAFE_NO_PAD.encode(json!({ "alg": alg }).to_string())
        );
        assert_eq!(
            Unverified::parse(&unsigned).map(|_| ()),
            Err(Error::Algorithm)
        );
    }
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let ours = key(Algorithm::EdDsa);
    let theirs = SigningKey::ed25519(&[2; 32]).with_key_id(ours.public().thumbprint());
    let forged = theirs.sign("JWT", &json!({})).unwrap();
    assert_eq!(verify(&forged, ours.public()), Err(Error::Signature));
}

#[test]
fn an_ecdsa_signature_in_der_is_none() {
    // What OpenSSL writes, and JWS does not take (RFC 7518 section 3.4).
    let key = key(Algorithm::Es256);
    let token = key.sign("JWT", &json!({})).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let number = |bytes: &[u8]| [&[2, 33, 0], bytes].concat();
    let numbers = [number(&raw[..32]), number(&raw[32..])].concat();
    let der = [&[0x30, 70], numbers.as_slice()].concat();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(der));
    assert_eq!(verify(&token, key.public()), Err(Error::Signature));
}

#[test]
fn a_header_that_demands_something_unknown_is_refused() {
    let key = key(Algorithm::EdDsa);
    for crit in [json!(["b64"]), json!([]), json!(null), json!("b64")] {
        let token = key.sign_under(header(json!({ "b64": false, "crit": crit })), &json!({}));
        assert_eq!(verify(&token.unwrap(), key.public()), Err(Error::Critical));
    }
}

#[test]
fn a_header_member_of_the_wrong_kind_is_refused() {
    let key = key(Algorithm::EdDsa);
    for wrong in [
        json!({ "typ": 1 }),
        json!({ "kid": null }),
        json!({ "kid": ["k"] }),
        json!({ "jwk": "{}" }),
    ] {
        let token = key.sign_under(header(wrong.clone()), &json!({})).unwrap();
        assert_eq!(
            verify(&token, key.public()),
            Err(Error::Malformed),
            "{wrong}"
        );
    }
}

#[test]
fn a_token_that_says_something_twice_is_refused_though_it_is_signed() {
    let key = key(Algorithm::EdDsa);
    let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let plain = r#"{"alg":"EdDSA"}"#;
    for (header, claims, is_good) in [
        (plain, r#"{"sub":"me"}"#, true),
        (r#"{"alg":"EdDSA","alg":"EdDSA"}"#, "{}", false),
        (r#"{"alg":"EdDSA","kid":"a","\u006bid":"b"}"#, "{}", false),
        (plain, r#"{"sub":"me","sub":"you"}"#, false),
        (plain, r#"{"cnf":{"jkt":"a","jkt":"b"}}"#, false),
        (plain, "[]", false),
        (plain, r#"{"sub":"me"} "#, true),
        (plain, r#"{"sub":"me"}x"#, false),
    ] {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let token = format!("{signed}.{}", key.signature(&signed).unwrap());
        assert_eq!(verify(&token, key.public()).is_ok(), is_good, "{claims}");
    }
}

#[test]
fn a_token_of_more_than_sixteen_kilobytes_is_not_read() {
    let key = key(Algorithm::EdDsa);
    let token = key.sign("JWT", &json!({ "a": "a".repeat(MAX_TOKEN_BYTES) }));
    assert_eq!(verify(&token.unwrap(), key.public()), Err(Error::TooLong));
}

#[test]
fn nonsense_is_refused_and_nothing_breaks() {
    let deep = URL_SAFE_NO_PAD.encode(format!("{{\"a\":{}", "[".repeat(9000)));
    let deep = format!("{deep}.{deep}.");
    for token in [
        "", ".", "..", "a.b.c", "....", "e30", "e30.e30", "W10.W10.", "é.é.é", &deep,
    ] {
        assert!(Unverified::parse(token).is_err(), "{token}");
    }
}

#[test]
fn a_type_is_compared_as_a_media_type() {
    let key = key(Algorithm::EdDsa);
    let is_type = |typ: &str, expected: &str| {
        let token = key.sign(typ, &json!({})).unwrap();
        let unverified = Unverified::parse(&token).unwrap();
        unverified.header().is_type(expected)
    };
    assert!(is_type("at+jwt", "at+jwt"));
    assert!(is_type("application/at+jwt", "at+jwt"));
    assert!(is_type("Application/AT+JWT", "at+jwt"));
    assert!(!is_type("dpop+jwt", "at+jwt"));
    assert!(!is_type("application/application/at+jwt", "at+jwt"));
    assert!(!is_type("é", "at+jwt"));
    assert!(!is_type("", "at+jwt"));
}

#[test]
fn claims_that_are_no_object_are_not_signed() {
    let key = key(Algorithm::EdDsa);
    assert!(key.sign("JWT", &json!([])).is_err());
    assert!(key.sign("JWT", &"text").is_err());
}

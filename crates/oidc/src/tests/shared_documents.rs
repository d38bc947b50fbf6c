//! Instances that serve one request each, over one store.

use super::{
    ISSUER, KEYS, METADATA, NOW, Played, id_token, key, login, metadata, presented_claims,
    settings, token_answer,
};
use crate::{Provider, SharedDocuments};
use futures::executor::block_on;
use identity::{Error, ProviderClient};
use jwt::SigningKey;
use keys::KeyRing;
use serde_json::json;
use store::{KeyValue, MemoryKeyValue, Store};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Another instance, which has fetched nothing.
fn instance<'a>(
    played: &'a Played,
    store: &MemoryKeyValue,
) -> Provider<&'a Played, MemoryKeyValue> {
    let keys = KeyRing::parse(KEY).unwrap();
    let shared = SharedDocuments::new(Store::new(store.clone(), "t:"), keys);
    Provider::new(settings(&[]), played, shared)
}

/// A token that `key` signed and that is good at `now`.
fn presented_by(key: &SigningKey, now: u64) -> String {
    let mut claims = presented_claims();
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 600);
    key.sign("at+jwt", &claims).unwrap()
}

/// Presents a good token to an instance of its own.
fn verify(played: &Played, store: &MemoryKeyValue, now: u64) -> Result<(), Error> {
    let token = presented_by(&key(), now);
    block_on(instance(played, store).verify(&token, now)).map(|_| ())
}

/// Presents a token whose key id the provider has never had.
fn verify_unknown(played: &Played, store: &MemoryKeyValue, number: u8, now: u64) -> Error {
    let token = presented_by(&SigningKey::ed25519(&[number; 32]), now);
    match block_on(instance(played, store).verify(&token, now)) {
        Ok(_) => panic!("taken"),
        Err(error) => error,
    }
}

/// How often metadata and keys were fetched.
fn fetches(played: &Played) -> (usize, usize) {
    (played.count(METADATA), played.count(KEYS))
}

#[test]
fn another_instance_does_not_fetch_what_one_has_fetched() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    for _ in 0..5 {
        verify(&played, &store, NOW).unwrap();
        block_on(instance(&played, &store).login_url(&login(), NOW)).unwrap();
        block_on(instance(&played, &store).exchange_code(&super::exchange(), NOW)).unwrap();
    }
    assert_eq!(fetches(&played), (1, 1));
}

#[test]
fn instances_write_as_often_as_they_fetch() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    let before = store.snapshot();
    verify(&played, &store, NOW + 599).unwrap();
    verify_unknown(&played, &store, 7, NOW + 29);
    assert_eq!(store.snapshot(), before);
}

#[test]
fn keys_are_fetched_again_after_ten_minutes_and_metadata_after_an_hour() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    for (after, expected) in [
        (0, (1, 1)),
        (599, (1, 1)),
        (600, (1, 2)),
        (1199, (1, 2)),
        (1200, (1, 3)),
        (3599, (1, 4)),
        (3600, (2, 4)),
    ] {
        verify(&played, &store, NOW + after).unwrap();
        assert_eq!(fetches(&played), expected, "after {after} s");
    }
}

#[test]
fn copies_serve_for_an_hour_while_the_provider_does_not_answer() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    played.silence(KEYS);
    played.silence(METADATA);
    for after in [600, 601, 629, 3599] {
        verify(&played, &store, NOW + after).unwrap();
    }
    // Asked for once in each window of thirty seconds.
    assert_eq!(played.count(KEYS), 3);
    let late = verify(&played, &store, NOW + 3600);
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
}

#[test]
fn unknown_key_ids_lead_to_one_fetch_in_thirty_seconds_by_all_instances() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    for number in 2..30 {
        let refused = verify_unknown(&played, &store, number, NOW + 29);
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
    }
    assert_eq!(played.count(KEYS), 1);
    for number in 2..30 {
        let refused = verify_unknown(&played, &store, number, NOW + 30);
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
    }
    assert_eq!(played.count(KEYS), 2);
    // Nor one each while the provider does not answer.
    played.silence(KEYS);
    for number in 2..30 {
        let unavailable = verify_unknown(&played, &store, number, NOW + 60);
        assert!(matches!(unavailable, Error::Unavailable(_)));
    }
    assert_eq!(played.count(KEYS), 3);
    verify(&played, &store, NOW + 60).unwrap();
}

#[test]
fn a_key_that_the_provider_has_changed_to_is_found_by_the_next_fetch() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    let new = SigningKey::ed25519(&[9; 32]);
    played.answer(KEYS, 200, json!({ "keys": [new.public().to_jwk()] }));
    let token = presented_by(&new, NOW + 30);
    for _ in 0..3 {
        block_on(instance(&played, &store).verify(&token, NOW + 30)).unwrap();
    }
    assert_eq!(played.count(KEYS), 2);
    let withdrawn = verify(&played, &store, NOW + 31);
    assert!(matches!(withdrawn, Err(Error::Refused(_))));
}

#[test]
fn without_any_copy_the_fetches_of_all_instances_are_bounded() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    played.silence(METADATA);
    for _ in 0..100 {
        assert!(verify(&played, &store, NOW).is_err());
    }
    assert_eq!(played.count(METADATA), 60);
    played.answer(METADATA, 200, metadata(json!({})));
    verify(&played, &store, NOW + 30).unwrap();
}

#[test]
fn keys_planted_in_the_store_are_fetched_over() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    let planted = SigningKey::ed25519(&[6; 32]);
    let theirs = json!({ "keys": [planted.public().to_jwk()] }).to_string();
    let ours = json!({ "keys": [key().public().to_jwk()] }).to_string();
    let quoted = |text: &str| json!(text).to_string().trim_matches('"').to_owned();
    replace(&store, &quoted(&ours), &quoted(&theirs));
    let token = presented_by(&planted, NOW + 40);
    let refused = block_on(instance(&played, &store).verify(&token, NOW + 40));
    assert!(matches!(refused, Err(Error::Refused(_))));
    verify(&played, &store, NOW + 40).unwrap();
    assert_eq!(played.count(KEYS), 2);
}

#[test]
fn metadata_planted_in_the_store_sends_no_secret_to_another_host() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    replace(&store, "id.example.com/token", "evil.example.com/token");
    played.answer(super::TOKEN, 200, token_answer(Some(id_token(json!({})))));
    block_on(instance(&played, &store).exchange_code(&super::exchange(), NOW)).unwrap();
    let hosts: Vec<_> = played.requests.borrow().iter().map(host).collect();
    assert!(hosts.iter().all(|host| host != "evil.example.com"));
    assert_eq!(played.count(METADATA), 2);
}

/// Replaces a text in the one value that has it.
fn replace(store: &MemoryKeyValue, from: &str, to: &str) {
    let values = store.snapshot().into_iter().filter_map(|(key, value)| {
        let value = String::from_utf8(value).ok()?;
        value.contains(from).then(|| (key, value.replace(from, to)))
    });
    let values: Vec<_> = values.collect();
    let [(key, value)] = &values[..] else {
        panic!("{from} is in {} values", values.len());
    };
    block_on(store.set(key, value.as_bytes(), None)).unwrap();
}

fn host<T>(request: &http::Request<T>) -> String {
    request.uri().host().unwrap_or_default().to_owned()
}

#[test]
fn a_store_that_fails_keeps_no_one_from_signing_in() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    store.set_down(true);
    for _ in 0..3 {
        block_on(instance(&played, &store).exchange_code(&super::exchange(), NOW)).unwrap();
    }
    assert_eq!(fetches(&played), (3, 3));
}

#[test]
fn a_copy_of_another_issuers_metadata_is_not_used() {
    let (played, store) = (Played::new(), MemoryKeyValue::default());
    verify(&played, &store, NOW).unwrap();
    let other = metadata(json!({ "issuer": format!("{ISSUER}/other") }));
    played.answer("/tenant/other/.well-known/openid-configuration", 200, other);
    let issuer = "https://id.example.com/tenant/other";
    let keys = KeyRing::parse(KEY).unwrap();
    let shared = SharedDocuments::new(Store::new(store.clone(), "t:"), keys);
    let provider = Provider::new(settings(&[("oidc_issuer", issuer)]), &played, shared);
    block_on(provider.login_url(&login(), NOW)).unwrap();
    assert_eq!(
        played.count("/tenant/other/.well-known/openid-configuration"),
        1
    );
}

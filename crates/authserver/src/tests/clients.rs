use super::world::{Answer, Browser, ISSUER, REDIRECT_URI, VERIFIER, World, query, request};
use bytes::Bytes;
use jwt::SigningKey;
use oauth::client_assertion;
use serde_json::{Value, json};
use store::KeyValue;

const DOCUMENT: &str = "https://client.example/oauth/client.json";
const KEYS: &str = "https://client.example/oauth/keys.json";
const DAY: u64 = 86_400;

fn document(more: Value) -> Value {
    let mut fields = json!({
        "client_id": DOCUMENT,
        "client_name": "A client of a document",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    fields
}

fn publishing(more: Value) -> World {
    let world = World::new();
    world.hosts.publish(DOCUMENT, &document(more));
    world
}

fn ask(world: &mut World) -> Answer {
    world.get(&format!("/authorize?{}", query(DOCUMENT, REDIRECT_URI)))
}

fn signed_in(world: &mut World) -> String {
    let code = world.code(DOCUMENT, "");
    let tokens = world.redeem(DOCUMENT, &code).json();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::ed25519(&[seed; 32])
}

fn jwks(key: &SigningKey) -> Value {
    json!({ "keys": [key.public().to_jwk()] })
}

fn assertion(world: &World, key: &SigningKey, client_id: &str, id: &str) -> String {
    let claims = json!({
        "iss": client_id, "sub": client_id, "aud": ISSUER, "jti": id,
        "iat": world.now, "exp": world.now + 60,
    });
    key.sign("JWT", &claims).unwrap()
}

fn refresh_with(world: &mut World, assertion: &str, refresh_token: &str) -> Answer {
    world.post_form(
        "/token",
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_assertion_type", client_assertion::TYPE),
            ("client_assertion", assertion),
        ],
    )
}

fn redeem_with(world: &mut World, assertion: &str, code: &str) -> Answer {
    world.post_form(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", client_assertion::TYPE),
            ("client_assertion", assertion),
        ],
    )
}

/// Returns the keys in the store of a kind.
fn records(world: &World, kind: &str) -> Vec<String> {
    let mut keys = world.store.backend().keys();
    keys.retain(|key| key.starts_with(&format!("t:{kind}")));
    keys
}

fn delete(world: &World, key: &str) {
    futures::executor::block_on(world.store.backend().delete(key)).unwrap();
}

/// Returns a registered client with keys at [`KEYS`].
fn register_with_jwks_uri(world: &mut World) -> String {
    let answer = world.register_json(&json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "refresh_token"],
        "jwks_uri": KEYS,
    }));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

fn invalid_client(answer: &Answer) -> bool {
    answer.error() == (401, "invalid_client".into())
}

#[test]
fn a_client_is_what_the_document_at_its_identifier_says() {
    let mut world = publishing(json!({}));
    let page = ask(&mut world);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("A client of a document"));
    let refresh_token = signed_in(&mut world);
    assert_eq!(world.refresh(DOCUMENT, &refresh_token).status, 200);
    let asked = world.hosts.asked.lock().unwrap().len();
    assert_eq!(asked, 1, "one fetch serves the whole sign-in");
}

#[test]
fn a_document_that_is_bad_or_not_there_ends_at_a_page_for_some_seconds() {
    let mut world = publishing(json!({ "client_id": "https://other.example/client.json" }));
    let page = ask(&mut world);
    assert_eq!(page.status, 400);
    assert!(page.body.contains("client_id"), "{}", page.body);
    // Whatever instance is asked, the host is left alone for a moment.
    world.hosts.publish(DOCUMENT, &document(json!({})));
    world.forget();
    world.now += 9;
    let page = ask(&mut world);
    assert_eq!(page.status, 400);
    assert!(page.body.contains("client_id"), "{}", page.body);
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 1);
    world.now += 1;
    assert_eq!(ask(&mut world).status, 200);
    world.hosts.withdraw(DOCUMENT);
    world.forget();
    world.now += 300;
    let page = ask(&mut world);
    assert_eq!(page.status, 400);
    assert!(page.body.contains("cannot be reached"), "{}", page.body);
    assert!(records(&world, "client-document:").is_empty());
}

#[test]
fn a_refused_fetch_writes_nothing() {
    let mut world = World::new();
    let fetch = |world: &mut World, number: u32| {
        let url = format!("https://victim.example/{number}");
        world.get(&format!("/authorize?{}", query(&url, REDIRECT_URI)))
    };
    for number in 0..20 {
        fetch(&mut world, number);
    }
    let before = world.store.backend().snapshot();
    for number in 0..30 {
        assert_eq!(fetch(&mut world, number).status, 400);
    }
    assert_eq!(world.store.backend().snapshot(), before);
}

#[test]
fn a_document_at_an_address_that_no_one_may_call_is_not_fetched() {
    let mut world = World::new();
    for url in [
        "http://client.example/client.json",
        "https://127.0.0.1/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/client.json",
        "https://client-metadata.spin.internal/x",
        "https://client.example/../client.json",
        "https://client.example",
    ] {
        let page = world.get(&format!("/authorize?{}", query(url, REDIRECT_URI)));
        assert_eq!(page.status, 400, "{url}");
    }
    assert!(world.hosts.asked.lock().unwrap().is_empty());
}

#[test]
fn a_document_is_fetched_again_when_it_is_no_longer_good() {
    let mut world = publishing(json!({}));
    assert_eq!(ask(&mut world).status, 200);
    let elsewhere = document(json!({ "redirect_uris": ["https://client.example/elsewhere"] }));
    world.hosts.publish(DOCUMENT, &elsewhere);
    world.now += 299;
    assert_eq!(ask(&mut world).status, 200);
    world.now += 1;
    assert_eq!(ask(&mut world).status, 400);
}

#[test]
fn another_instance_does_not_fetch_a_document_that_one_has_fetched() {
    let mut world = publishing(json!({}));
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(DOCUMENT, REDIRECT_URI));
    world.forget();
    let back = world.finish_login(&mut browser).redirect();
    for _ in 0..3 {
        world.forget();
        assert_eq!(ask(&mut world).status, 200);
    }
    world.forget();
    assert_eq!(world.redeem(DOCUMENT, &back["code"]).status, 200);
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 1);
    world.now += 300;
    world.forget();
    assert_eq!(ask(&mut world).status, 200);
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 2);
}

#[test]
fn copies_of_documents_fill_so_many_slots_however_many_are_fetched() {
    let mut world = World::new();
    for number in 0..200 {
        let url = format!("https://host-{number}.example/client.json");
        let mut page = document(json!({}));
        page["client_id"] = json!(url);
        world.hosts.publish(&url, &page);
        world.now += u64::from(number % 50 == 0) * 60;
        world.get(&format!("/authorize?{}", query(&url, REDIRECT_URI)));
    }
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 200);
    let copies = records(&world, "client-metadata-copy:").len();
    assert!((32..=64).contains(&copies), "{copies}");
}

#[test]
fn a_document_planted_in_the_store_is_fetched_over() {
    let mut world = publishing(json!({}));
    ask(&mut world);
    let [copy] = &records(&world, "client-metadata-copy:")[..] else {
        panic!("no copy");
    };
    let value = world.store.backend().snapshot().remove(copy).unwrap();
    let value = String::from_utf8(value).unwrap();
    let theirs = value.replace("A client of a document", "Another client");
    assert_ne!(theirs, value);
    let planted = world.store.backend().set(copy, theirs.as_bytes(), None);
    futures::executor::block_on(planted).unwrap();
    world.forget();
    assert!(ask(&mut world).body.contains("A client of a document"));
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 2);
}

#[test]
fn a_document_that_is_out_of_reach_for_a_while_signs_no_one_out() {
    let mut world = World::with(&[("grant_lifetime", "7776000")]);
    world.hosts.publish(DOCUMENT, &document(json!({})));
    let refresh_token = signed_in(&mut world);
    world.hosts.withdraw(DOCUMENT);
    world.now += 6 * DAY / 24;
    let mut refresh_token = refresh_token;
    for _ in 0..2 {
        world.forget();
        let answer = world.refresh(DOCUMENT, &refresh_token);
        assert_eq!(answer.status, 200);
        // The one before is not answered for an hour.
        refresh_token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    }
    assert_eq!(ask(&mut world).status, 200, "a moment's grace for all");
    world.now += DAY / 24;
    assert_eq!(ask(&mut world).status, 400);
    let answer = world.refresh(DOCUMENT, &refresh_token).json();
    let refresh_token = answer["refresh_token"].as_str().unwrap().to_owned();
    world.now += 8 * DAY;
    let stranded = world.refresh(DOCUMENT, &refresh_token);
    assert_eq!(stranded.error(), (503, "temporarily_unavailable".into()));
}

#[test]
fn only_a_sign_in_makes_a_record_of_a_document() {
    let mut world = publishing(json!({}));
    ask(&mut world);
    let before = world.store.backend().snapshot();
    world.redeem(DOCUMENT, "ghc_AAAA");
    assert_eq!(world.store.backend().snapshot(), before);
    assert!(records(&world, "client-document:").is_empty());
    signed_in(&mut world);
    assert_eq!(records(&world, "client-document:").len(), 1);
}

#[test]
fn all_instances_fetch_so_often_in_a_minute_from_a_host_whatever_the_port() {
    let mut world = World::new();
    for number in 1..31 {
        world.forget();
        let url = format!("https://victim.example:{number}/client.json");
        world.get(&format!("/authorize?{}", query(&url, REDIRECT_URI)));
    }
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 20);
    world.now += 60;
    assert_eq!(ask(&mut world).status, 400);
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 21);
    let counters = records(&world, "document-fetches").join(" ");
    assert!(!counters.contains("victim"), "{counters}");
}

#[test]
fn one_client_address_does_not_use_up_the_fetches_of_all() {
    let mut world = World::new();
    let mut fetch = |number: u32, address: &str| {
        let url = format!("https://host-{number}.example/client.json");
        let path = format!("/authorize?{}", query(&url, REDIRECT_URI));
        let request = request("GET", &path).header("spin-client-addr", address);
        world.send(request.body(Bytes::new()).unwrap());
        world.hosts.asked.lock().unwrap().len()
    };
    for number in 0..70 {
        fetch(number, "203.0.113.1:1000");
    }
    assert_eq!(fetch(70, "203.0.113.1:2000"), 60);
    assert_eq!(fetch(71, "203.0.113.2:1000"), 61);
    let kept = world.store.backend().keys().join(" ");
    assert!(!kept.contains("203.0.113"), "{kept}");
}

#[test]
fn at_the_token_endpoint_nothing_is_fetched_for_a_client_without_a_grant() {
    let mut world = publishing(json!({}));
    let before = world.store.backend().snapshot();
    assert!(invalid_client(&world.redeem(DOCUMENT, "ghc_AAAA")));
    assert!(invalid_client(&world.refresh(DOCUMENT, "ghr_AAAA")));
    for path in ["/revoke", "/introspect"] {
        let form = [("client_id", DOCUMENT), ("token", "ghr_AAAA")];
        assert!(invalid_client(&world.post_form(path, &form)), "{path}");
    }
    assert_eq!(world.store.backend().snapshot(), before);
    // Nor the keys of one that has registered itself and that no person has signed in with.
    let id = register_with_jwks_uri(&mut world);
    let before = world.store.backend().snapshot();
    world.hosts.publish(KEYS, &jwks(&key(1)));
    let shown = assertion(&world, &key(1), &id, "a");
    assert!(invalid_client(&redeem_with(&mut world, &shown, "ghc_AAAA")));
    assert!(world.hosts.asked.lock().unwrap().is_empty());
    assert_eq!(world.store.backend().snapshot(), before);
}

#[test]
fn another_clients_code_is_no_reason_to_fetch() {
    let mut world = publishing(json!({}));
    let other = world.register(REDIRECT_URI);
    let code = world.code(&other, "");
    assert!(invalid_client(&world.redeem(DOCUMENT, &code)));
    assert!(world.hosts.asked.lock().unwrap().is_empty());
    assert_eq!(world.redeem(&other, &code).status, 200);
}

#[test]
fn a_first_sign_in_works_with_an_instance_for_each_step() {
    let mut world = publishing(json!({}));
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(DOCUMENT, REDIRECT_URI));
    world.forget();
    let back = world.finish_login(&mut browser).redirect();
    world.forget();
    let tokens = world.redeem(DOCUMENT, &back["code"]);
    assert_eq!(tokens.status, 200, "{tokens:?}");
}

#[test]
fn a_good_refresh_makes_the_record_of_a_document_again() {
    let mut world = publishing(json!({}));
    let refresh_token = signed_in(&mut world);
    let [record] = &records(&world, "client-document:")[..] else {
        panic!("no record");
    };
    delete(&world, record);
    world.forget();
    assert_eq!(world.refresh(DOCUMENT, &refresh_token).status, 200);
    assert!(records(&world, "client-document:").contains(record));
}

#[test]
fn who_refreshes_daily_stays_signed_in_however_long_the_clients_host_is_down() {
    let mut world = World::with(&[("grant_lifetime", "7776000")]);
    world.hosts.publish(DOCUMENT, &document(json!({})));
    let mut refresh_token = signed_in(&mut world);
    world.hosts.withdraw(DOCUMENT);
    for day in 0..20 {
        world.now += DAY;
        world.forget();
        let answer = world.refresh(DOCUMENT, &refresh_token);
        assert_eq!(answer.status, 200, "day {day}: {answer:?}");
        let json = answer.json();
        refresh_token = json["refresh_token"].as_str().unwrap().to_owned();
    }
    world.now += DAY;
    assert_eq!(ask(&mut world).status, 400, "no new person is let in");
}

#[test]
fn a_client_of_a_document_authenticates_by_the_keys_that_it_publishes() {
    let mut world = publishing(json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": KEYS,
    }));
    world.hosts.publish(KEYS, &jwks(&key(1)));
    let code = world.code(DOCUMENT, "");
    assert!(invalid_client(&world.redeem(DOCUMENT, &code)));
    let forged = assertion(&world, &key(2), DOCUMENT, "a");
    assert!(invalid_client(&redeem_with(&mut world, &forged, &code)));
    let good = assertion(&world, &key(1), DOCUMENT, "a");
    assert_eq!(redeem_with(&mut world, &good, &code).status, 200);
}

#[test]
fn a_client_may_change_its_keys_at_any_time() {
    let mut world = publishing(json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": KEYS,
    }));
    world.hosts.publish(KEYS, &jwks(&key(1)));
    let code = world.code(DOCUMENT, "");
    let first = assertion(&world, &key(1), DOCUMENT, "a");
    let tokens = redeem_with(&mut world, &first, &code).json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    // Keys are remembered for longer than this, but one that is not among them is looked for.
    world.hosts.publish(KEYS, &jwks(&key(2)));
    world.now += 60;
    let second = assertion(&world, &key(2), DOCUMENT, "b");
    assert_eq!(refresh_with(&mut world, &second, refresh_token).status, 200);
    let asked = world.hosts.asked.lock().unwrap().len();
    let unknown = assertion(&world, &key(3), DOCUMENT, "c");
    for _ in 0..3 {
        world.forget();
        let refused = refresh_with(&mut world, &unknown, refresh_token);
        assert!(invalid_client(&refused));
    }
    assert_eq!(world.hosts.asked.lock().unwrap().len(), asked);
}

#[test]
fn an_assertion_is_good_once_and_only_a_good_one_is_used_up() {
    let mut world = World::new();
    let answer = world.register_json(&json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "refresh_token"],
        "jwks": jwks(&key(1)),
    }));
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(answer.json().get("client_secret").is_none());
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let code = world.code(&id, "");
    let forged = assertion(&world, &key(2), &id, "same");
    assert!(invalid_client(&redeem_with(&mut world, &forged, &code)));
    let good = assertion(&world, &key(1), &id, "same");
    let tokens = redeem_with(&mut world, &good, &code);
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let refresh_token = tokens.json()["refresh_token"].as_str().unwrap().to_owned();
    let replayed = refresh_with(&mut world, &good, &refresh_token);
    assert!(invalid_client(&replayed));
    assert!(replayed.body.contains("used before"));
    let next = assertion(&world, &key(1), &id, "next");
    assert_eq!(refresh_with(&mut world, &next, &refresh_token).status, 200);
}

#[test]
fn a_replaced_refresh_token_of_a_client_with_keys_is_refused_and_the_grant_stays() {
    let mut world = World::new();
    let id = register_with_jwks_uri(&mut world);
    world.hosts.publish(KEYS, &jwks(&key(1)));
    let code = world.code(&id, "");
    let mut shown = 0;
    let mut next = |world: &World| {
        shown += 1;
        assertion(world, &key(1), &id, &shown.to_string())
    };
    let token = |answer: Answer| {
        let json = answer.json();
        json["refresh_token"].as_str().unwrap().to_owned()
    };
    let assertion = next(&world);
    let old = token(redeem_with(&mut world, &assertion, &code));
    let assertion = next(&world);
    let new = token(refresh_with(&mut world, &assertion, &old));
    world.now += world.config.refresh_grace + 1;
    let assertion = next(&world);
    let late = refresh_with(&mut world, &assertion, &old);
    assert_eq!(late.error(), (400, "invalid_grant".into()));
    let assertion = next(&world);
    let answer = refresh_with(&mut world, &assertion, &new);
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn an_assertion_is_good_once_whether_the_clients_record_is_there_or_not() {
    let mut world = publishing(json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jwks(&key(1)),
    }));
    let code = world.code(DOCUMENT, "");
    let first = assertion(&world, &key(1), DOCUMENT, "first");
    let tokens = redeem_with(&mut world, &first, &code).json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
    for record in records(&world, "client-document:") {
        delete(&world, &record);
    }
    // The document is remembered by the instance, or is not.
    for id in ["remembered", "fetched"] {
        let shown = assertion(&world, &key(1), DOCUMENT, id);
        let used = |world: &mut World| refresh_with(world, &shown, &refresh_token);
        assert_eq!(used(&mut world).status, 200, "{id}");
        let replayed = used(&mut world);
        assert!(invalid_client(&replayed), "{id}: {replayed:?}");
        assert!(replayed.body.contains("used before"), "{replayed:?}");
        for record in records(&world, "client-document:") {
            delete(&world, &record);
        }
        world.forget();
    }
}

#[test]
fn assertions_of_a_client_without_sign_ins_leave_nothing() {
    let mut world = World::new();
    let answer = world.register_json(&json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jwks(&key(1)),
    }));
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let before = world.store.backend().keys().len();
    for number in 0..5 {
        let assertion = assertion(&world, &key(1), &id, &number.to_string());
        let answer = redeem_with(&mut world, &assertion, "ghc_AAAA");
        assert_eq!(answer.error(), (400, "invalid_grant".into()));
    }
    assert_eq!(world.store.backend().keys().len(), before);
}

#[test]
fn a_configured_client_is_known_and_authenticates_as_configured() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let clients = json!([{
        "client_id": "https://configured.example/client",
        "client_name": "A configured client",
        "redirect_uris": [REDIRECT_URI],
        "client_secret_sha256": oauth::secret::hash(SECRET),
        "token_endpoint_auth_method": "client_secret_post",
    }])
    .to_string();
    let mut world = World::with(&[("clients", &clients)]);
    let id = "https://configured.example/client";
    let code = world.code(id, "");
    let mut redeem = |secret: &str| {
        world.post_form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", id),
                ("client_secret", secret),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
        )
    };
    assert!(invalid_client(&redeem("0123456789abcdef0123456789abcdeF")));
    assert_eq!(redeem(SECRET).status, 200);
    // An identifier that is a URL is not looked up where it is configured.
    assert!(world.hosts.asked.lock().unwrap().is_empty());
}

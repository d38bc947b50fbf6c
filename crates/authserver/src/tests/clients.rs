use super::world::{Answer, ISSUER, REDIRECT_URI, VERIFIER, World, query};
use jwt::SigningKey;
use oauth::client_assertion;
use serde_json::{Value, json};

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
fn a_document_that_is_bad_or_not_there_ends_at_a_page_and_is_never_remembered() {
    let mut world = publishing(json!({ "client_id": "https://other.example/client.json" }));
    let before = world.store.backend().keys().len();
    let page = ask(&mut world);
    assert_eq!(page.status, 400);
    assert!(page.body.contains("client_id"), "{}", page.body);
    world.hosts.withdraw(DOCUMENT);
    let page = ask(&mut world);
    assert_eq!(page.status, 400);
    assert!(page.body.contains("cannot be reached"), "{}", page.body);
    world.hosts.publish(DOCUMENT, &document(json!({})));
    assert_eq!(ask(&mut world).status, 200);
    assert_eq!(world.store.backend().keys().len(), before);
}

#[test]
fn a_document_at_a_place_that_is_nobodys_to_call_is_not_fetched() {
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
fn a_document_that_is_out_of_reach_for_a_while_signs_nobody_out() {
    let mut world = publishing(json!({}));
    let refresh_token = signed_in(&mut world);
    world.hosts.withdraw(DOCUMENT);
    world.now += 6 * DAY / 24;
    for _ in 0..2 {
        world.forget();
        assert_eq!(world.refresh(DOCUMENT, &refresh_token).status, 200);
    }
    assert_eq!(ask(&mut world).status, 200, "a moment's grace for all");
    world.now += DAY / 24;
    assert_eq!(ask(&mut world).status, 400);
    let refresh_token = world.refresh(DOCUMENT, &refresh_token).json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    world.now += 8 * DAY;
    let stranded = world.refresh(DOCUMENT, &refresh_token);
    assert_eq!(stranded.error(), (503, "temporarily_unavailable".into()));
}

#[test]
fn nobody_makes_a_record_of_a_document_but_by_signing_in() {
    let mut world = publishing(json!({}));
    let before = world.store.backend().keys().len();
    ask(&mut world);
    world.redeem(DOCUMENT, "ghc_AAAA");
    assert_eq!(world.store.backend().keys().len(), before);
    signed_in(&mut world);
    let kept = |key: &String| key.starts_with("t:client-document:");
    assert_eq!(
        world
            .store
            .backend()
            .keys()
            .iter()
            .filter(|key| kept(key))
            .count(),
        1
    );
}

#[test]
fn an_instance_fetches_so_often_in_a_minute_and_no_more() {
    let mut world = World::new();
    for number in 0..30 {
        let url = format!("https://victim.example/{number}");
        world.get(&format!("/authorize?{}", query(&url, REDIRECT_URI)));
    }
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 20);
    world.now += 60;
    assert_eq!(ask(&mut world).status, 400);
    assert_eq!(world.hosts.asked.lock().unwrap().len(), 21);
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
        assert!(invalid_client(&refresh_with(
            &mut world,
            &unknown,
            refresh_token
        )));
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
fn assertions_of_a_client_that_nobody_signed_in_with_leave_nothing() {
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

use super::world::{ISSUER, REDIRECT_URI, World, query, request};
use bytes::Bytes;
use serde_json::json;

#[test]
fn a_registration_is_answered_201_with_what_was_registered() {
    let mut world = World::new();
    let answer = world.register_json(&json!({ "redirect_uris": [REDIRECT_URI] }));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let json = answer.json();
    assert_eq!(json["client_id_issued_at"], world.now);
    assert_eq!(json["client_secret_expires_at"], 0);
    assert_eq!(json["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(json["redirect_uris"], json!([REDIRECT_URI]));
    let id = json["client_id"].as_str().unwrap();
    assert_eq!(
        json["registration_client_uri"],
        format!("{ISSUER}/register/{id}")
    );
    let token = json["registration_access_token"].as_str().unwrap();
    assert!(token.starts_with("ghm_") && token.len() > 40);
}

#[test]
fn a_secret_is_nowhere_in_the_store() {
    let mut world = World::new();
    let answer = world.register_json(&json!({ "redirect_uris": [REDIRECT_URI] }));
    let json = answer.json();
    let secret = json["client_secret"].as_str().unwrap();
    let key = format!("t:client:{}", json["client_id"].as_str().unwrap());
    let record = futures::executor::block_on(store::KeyValue::get(world.store.backend(), &key));
    let record = String::from_utf8(record.unwrap().unwrap()).unwrap();
    assert!(!record.contains(secret) && record.contains(&oauth::secret::hash(secret)));
}

#[test]
fn a_refused_registration_names_the_field() {
    let mut world = World::new();
    let answer = world.register_json(&json!({ "redirect_uris": ["http://a.example/"] }));
    assert_eq!(answer.error(), (400, "invalid_redirect_uri".into()));
    assert!(answer.body.contains("redirect_uris[0]"));
    let answer = world
        .register_json(&json!({ "redirect_uris": [REDIRECT_URI], "grant_types": ["password"] }));
    assert_eq!(answer.error(), (400, "invalid_client_metadata".into()));
    assert!(answer.body.contains("grant_types"));
}

#[test]
fn more_registrations_than_an_hour_may_have_are_answered_429_with_retry_after() {
    let mut world = World::new();
    for _ in 0..3 {
        world.register(REDIRECT_URI);
    }
    let entries = world.store.backend().keys().len();
    let answer = world.register_json(&json!({ "redirect_uris": [REDIRECT_URI] }));
    assert_eq!(answer.status, 429);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=3600).contains(&seconds));
    assert_eq!(world.store.backend().keys().len(), entries);
    world.now += seconds;
    world.register(REDIRECT_URI);
}

#[test]
fn a_refused_registration_does_not_count() {
    let mut world = World::new();
    for _ in 0..10 {
        world.register_json(&json!({}));
    }
    world.register(REDIRECT_URI);
}

#[test]
fn an_unused_registration_goes_after_a_day_and_a_used_one_stays() {
    let mut world = World::new();
    let unused = world.register(REDIRECT_URI);
    let used = world.register(REDIRECT_URI);
    world.code(&used, "");
    world.now += 86_400;
    let mut status = |id: &str| {
        let path = format!("/authorize?{}", query(id, REDIRECT_URI));
        world.get(&path).status
    };
    assert_eq!((status(&unused), status(&used)), (400, 200));
}

#[test]
fn only_json_is_taken_and_only_by_post() {
    let mut world = World::new();
    let body = json!({ "redirect_uris": [REDIRECT_URI] }).to_string();
    let plain = request("POST", "/register").body(body.into()).unwrap();
    assert_eq!(
        world.send(plain).error(),
        (400, "invalid_client_metadata".into())
    );
    let get = world.get("/register");
    assert_eq!((get.status, get.header("allow")), (405, "POST, OPTIONS"));
    let preflight = request("OPTIONS", "/register").body(Bytes::new()).unwrap();
    assert_eq!(world.send(preflight).status, 204);
}

#[test]
fn a_guarded_registration_is_opened_by_its_token_alone() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let mut world = World::with(&[("registration", "token"), ("registration_token", TOKEN)]);
    let mut register = |authorization: Option<&str>| {
        let mut builder = request("POST", "/register").header("content-type", "application/json");
        if let Some(value) = authorization {
            builder = builder.header("authorization", value);
        }
        let body = json!({ "redirect_uris": [REDIRECT_URI] }).to_string();
        world.send(builder.body(body.into()).unwrap())
    };
    let asked = register(None);
    assert_eq!(asked.status, 401);
    assert_eq!(
        asked.header("www-authenticate"),
        "Bearer realm=\"Gatehouse\""
    );
    for wrong in ["Bearer wrong", "Bearer 0123456789abcdef0123456789abcdeF"] {
        let refused = register(Some(wrong));
        assert_eq!(refused.error(), (401, "invalid_token".into()));
        assert!(refused.header("www-authenticate").contains("invalid_token"));
    }
    assert_eq!(register(Some(&format!("Bearer {TOKEN}"))).status, 201);
}

#[test]
fn where_registration_is_off_nobody_registers_and_nobody_is_told_where() {
    let mut world = World::with(&[("registration", "off")]);
    let refused = world.register_json(&json!({ "redirect_uris": [REDIRECT_URI] }));
    assert_eq!(refused.error(), (403, "access_denied".into()));
    let metadata = world.get("/.well-known/oauth-authorization-server").json();
    assert!(metadata.get("registration_endpoint").is_none());
    let open = World::new()
        .get("/.well-known/oauth-authorization-server")
        .json();
    assert_eq!(open["registration_endpoint"], format!("{ISSUER}/register"));
}

use super::world::{ISSUER, REDIRECT_URI, World, query, request};
use bytes::Bytes;
use serde_json::{Value, json};

/// Registers a client from where `lines` say, and returns the status.
fn register_from(world: &mut World, lines: &[(&str, &str)]) -> u16 {
    let mut builder = request("POST", "/register").header("content-type", "application/json");
    for (name, value) in lines {
        builder = builder.header(*name, *value);
    }
    let body = json!({ "redirect_uris": [REDIRECT_URI] }).to_string();
    world.send(builder.body(body.into()).unwrap()).status
}

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
fn a_registration_takes_a_write_and_one_for_each_counter() {
    let mut world = World::with(&[
        ("registrations_per_hour", "100"),
        ("registrations_per_source", "9"),
    ]);
    let mut writes = |headers: &[(&str, &str)]| {
        let before = world.store.backend().writes();
        assert_eq!(register_from(&mut world, headers), 201);
        world.store.backend().writes() - before
    };
    let named = [("spin-client-addr", "203.0.113.1:1")];
    let local = [("spin-client-addr", "127.0.0.1:1")];
    // Which begin the counters, and take numbers of ledger lines.
    for _ in 0..4 {
        writes(&named);
    }
    assert_eq!((writes(&local), writes(&named)), (2, 3));
}

#[test]
fn a_registration_over_the_limit_writes_nothing() {
    let mut world = World::with(&[("registrations_per_source", "2")]);
    let mut register = |address: &'static str| {
        let status = register_from(&mut world, &[("spin-client-addr", address)]);
        (status, world.store.backend().snapshot())
    };
    for _ in 0..2 {
        register("203.0.113.1:1");
    }
    let (_, before) = register("203.0.113.2:1");
    // The share of the one is used up, and the hour for the other.
    for address in ["203.0.113.1:2", "203.0.113.2:2", "203.0.113.3:1"] {
        assert_eq!(register(address), (429, before.clone()), "{address}");
    }
}

#[test]
fn one_client_address_has_its_share_of_the_registrations() {
    let many = [
        ("registrations_per_hour", "100"),
        ("registrations_per_source", "2"),
    ];
    let mut world = World::with(&many);
    let mut register = |lines: &[(&str, &str)]| register_from(&mut world, lines);
    let one = ("spin-client-addr", "203.0.113.1:1000");
    assert_eq!((register(&[one]), register(&[one])), (201, 201));
    for lines in [
        &[one][..],
        &[("spin-client-addr", "203.0.113.1:2000")],
        // What the client sends under the name comes first, and counts for nothing.
        &[("spin-client-addr", "203.0.113.9:1"), one],
        // Without the variable this is what anybody may say.
        &[("x-forwarded-for", "203.0.113.9"), one],
    ] {
        assert_eq!(register(lines), 429, "{lines:?}");
    }
    assert_eq!(register(&[("spin-client-addr", "203.0.113.2:1000")]), 201);
    // A proxy, whose clients cannot be told apart: the hour alone counts.
    for _ in 0..5 {
        assert_eq!(register(&[("spin-client-addr", "127.0.0.1:1000")]), 201);
    }
    let kept = world.store.backend().keys().join(" ");
    assert!(!kept.contains("203.0.113"), "{kept}");
}

#[test]
fn behind_a_proxy_the_header_that_it_adds_to_names_the_address() {
    let mut world = World::with(&[
        ("registrations_per_hour", "100"),
        ("registrations_per_source", "1"),
        ("client_address_header", "x-forwarded-for"),
    ]);
    let proxy = ("spin-client-addr", "127.0.0.1:1000");
    let mut register =
        |forwarded: &str| register_from(&mut world, &[("x-forwarded-for", forwarded), proxy]);
    assert_eq!(register("203.0.113.1"), 201);
    assert_eq!(register("203.0.113.9, 203.0.113.1"), 429);
    assert_eq!(register("203.0.113.1, 203.0.113.2"), 201);
    // What is no address is one source, and not one that a client chooses.
    assert_eq!(
        (register("a"), register("b"), register("")),
        (201, 429, 429)
    );
    assert_eq!(register_from(&mut world, &[proxy]), 429);
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

/// Returns the time from which a registration counts as absent.
fn expiry(world: &World, id: &str) -> Option<u64> {
    let key = format!("t:client:{id}");
    let snapshot = world.store.backend().snapshot();
    let record: Value = serde_json::from_slice(snapshot.get(&key)?).unwrap();
    record["exp"].as_u64()
}

#[test]
fn a_used_registration_lives_as_long_as_its_last_grant_and_a_margin() {
    const DAY: u64 = 86_400;
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let start = world.now;
    world.code(&id, "");
    let ends = |since: u64| Some(since + DAY + 30 * DAY);
    assert_eq!(expiry(&world, &id), ends(start));
    // A day more is worth a write, an hour is not.
    world.now += 3600;
    world.code(&id, "");
    assert_eq!(expiry(&world, &id), ends(start));
    world.now = start + 10 * DAY;
    let code = world.code(&id, "");
    assert_eq!(expiry(&world, &id), ends(world.now));
    assert_eq!(world.redeem(&id, &code).status, 200);
    world.now = start + 41 * DAY - 1;
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    assert_eq!(world.get(&path).status, 200);
    world.now += 1;
    assert_eq!(world.get(&path).status, 400);
    world.now += 2 * 3600;
    futures::executor::block_on(world.store.sweep(world.now, 100_000)).unwrap();
    assert_eq!(expiry(&world, &id), None, "swept");
    let kept = world.store.backend().keys();
    assert!(!kept.contains(&format!("t:client:{id}")), "{kept:?}");
}

#[test]
fn a_registration_without_an_expiry_gets_one_when_it_is_used() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let tokens = world.redeem(&id, &code).json();
    // As an earlier version left it: without an end, and forgotten by the sweep.
    let key = format!("t:client:{id}");
    let mut record: Value =
        serde_json::from_slice(&world.store.backend().snapshot()[&key]).unwrap();
    record["exp"] = Value::Null;
    let bytes = record.to_string().into_bytes();
    let backend = world.store.backend();
    futures::executor::block_on(store::KeyValue::set(backend, &key, &bytes, None)).unwrap();
    let lines = |world: &World| {
        let snapshot = world.store.backend().snapshot();
        snapshot
            .values()
            .filter(|value| **value == key.as_bytes())
            .count()
    };
    let before = lines(&world);
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(world.refresh(&id, refresh_token).status, 200);
    assert_eq!(expiry(&world, &id), Some(world.now + 31 * 86_400));
    assert_eq!(lines(&world), before + 1, "the sweep knows of it again");
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
fn where_registration_is_off_no_client_registers_or_is_told_where() {
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

#[test]
fn private_use_schemes_are_refused_where_the_operator_switched_them_off() {
    let mut world = World::with(&[("private_use_schemes", "false")]);
    let metadata = |uri: &str| json!({ "redirect_uris": [uri] });
    for uri in ["cursor://a/cb", "com.example.app:/cb"] {
        let answer = world.register_json(&metadata(uri));
        assert_eq!(answer.error(), (400, "invalid_redirect_uri".to_owned()));
        assert!(answer.body.contains("switched off"), "{answer:?}");
    }
    let answer = world.register_json(&metadata("https://a.example/cb"));
    assert_eq!(answer.status, 201);
}

#[test]
fn a_client_whose_own_scope_the_operator_removed_gets_no_other() {
    let mut world = World::with(&[("scopes", "tools upstream_token")]);
    let answer = world.register_json(&json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "upstream_token",
    }));
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let code = world.code(&id, "");
    let tokens = world.redeem(&id, &code).json();
    world.config.scopes = vec!["tools".to_owned()];
    world.config.default_scopes = vec!["tools".to_owned()];
    for more in ["", "&scope=tools", "&scope=upstream_token"] {
        let asked = format!("{}{more}", query(&id, REDIRECT_URI));
        let page = world.get(&format!("/authorize?{asked}"));
        assert_eq!(page.status, 400, "{more}");
        assert!(page.body.contains("invalid_scope"), "{}", page.body);
    }
    let refreshed = world.refresh(&id, tokens["refresh_token"].as_str().unwrap());
    assert_eq!(refreshed.status, 400, "{refreshed:?}");
}

use super::world::{ISSUER, REDIRECT_URI, VERIFIER, World, encode, request};
use oauth::access_token::{self, Audience, Claims};
use serde_json::json;

fn started() -> (World, String) {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    (world, id)
}

fn claims(world: &World, token: &serde_json::Value) -> Claims {
    world
        .config
        .keys
        .verify(access_token::TYP, token.as_str().unwrap())
        .unwrap()
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

#[test]
fn a_code_gives_an_access_token_for_the_canonical_resource_and_a_refresh_token() {
    let (mut world, id) = started();
    let code = world.code(&id, "");
    let answer = world.redeem(&id, &code);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let json = answer.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 900);
    assert_eq!(json["scope"], "tools userinfo");
    assert!(json["refresh_token"].as_str().unwrap().starts_with("ghr_"));
    let claims = claims(&world, &json["access_token"]);
    let audience = format!("{ISSUER}/mcp");
    assert_eq!(claims.aud, Audience::One(audience.clone()));
    assert_eq!(claims.sub, "person-1");
    assert_eq!(claims.client_id, id);
    assert_eq!(
        access_token::check(&claims, ISSUER, &[audience], world.now),
        Ok(())
    );
}

#[test]
fn a_code_is_good_once_and_its_reuse_ends_what_it_issued() {
    let (mut world, id) = started();
    let code = world.code(&id, "");
    let first = world.redeem(&id, &code).json();
    world.now += 10;
    assert_eq!(world.redeem(&id, &code).error(), invalid_grant());
    let refresh = first["refresh_token"].as_str().unwrap();
    assert_eq!(world.refresh(&id, refresh).error(), invalid_grant());
}

#[test]
fn a_code_sent_twice_within_ten_seconds_is_refused_and_its_tokens_live() {
    let (mut world, id) = started();
    let code = world.code(&id, "");
    let first = world.redeem(&id, &code).json();
    world.now += 9;
    assert_eq!(world.redeem(&id, &code).error(), invalid_grant());
    let refresh = first["refresh_token"].as_str().unwrap();
    assert_eq!(world.refresh(&id, refresh).status, 200);
}

#[test]
fn a_replaced_refresh_token_is_answered_for_refresh_grace_seconds() {
    let mut world = World::with(&[("refresh_grace", "30")]);
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let first = world.redeem(&id, &code).json();
    let first = first["refresh_token"].as_str().unwrap();
    let second = world.refresh(&id, first).json()["refresh_token"].clone();
    world.now += 29;
    assert_eq!(world.refresh(&id, first).json()["refresh_token"], second);
    world.now += 1;
    assert_eq!(world.refresh(&id, first).error(), invalid_grant());
    let second = second.as_str().unwrap();
    assert_eq!(world.refresh(&id, second).error(), invalid_grant());
}

#[test]
fn a_replaced_refresh_token_of_a_client_with_a_secret_ends_nothing() {
    let mut world = World::new();
    let (id, secret) = world.register_confidential();
    let code = world.code(&id, "");
    let send = |world: &mut World, name: &str, value: &str, grant_type: &str| {
        world.post_form(
            "/token",
            &[
                ("grant_type", grant_type),
                ("client_id", id.as_str()),
                ("client_secret", secret.as_str()),
                (name, value),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
        )
    };
    let tokens = send(&mut world, "code", &code, "authorization_code").json();
    let first = tokens["refresh_token"].as_str().unwrap();
    let refresh = "refresh_token";
    let second = send(&mut world, refresh, first, refresh).json();
    let second = second["refresh_token"].as_str().unwrap();
    world.now += 120;
    let late = send(&mut world, refresh, first, refresh);
    assert_eq!(late.error(), invalid_grant());
    assert_eq!(send(&mut world, refresh, second, refresh).status, 200);
}

#[test]
fn a_code_lives_for_a_minute() {
    let (mut world, id) = started();
    let code = world.code(&id, "");
    world.now += 60;
    assert_eq!(world.redeem(&id, &code).error(), invalid_grant());
}

#[test]
fn a_request_that_does_not_fit_is_refused_and_leaves_the_code_good() {
    let (mut world, id) = started();
    let other = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let wrong_verifier = "a".repeat(43);
    let good = [
        ("grant_type", "authorization_code"),
        ("client_id", id.as_str()),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    for (name, value, error) in [
        ("client_id", other.as_str(), "invalid_grant"),
        (
            "redirect_uri",
            "https://client.example/other",
            "invalid_grant",
        ),
        ("code_verifier", &wrong_verifier, "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
        ("code", "ghc_forged", "invalid_grant"),
        ("code", "", "invalid_request"),
        ("grant_type", "", "invalid_request"),
        ("grant_type", "password", "unsupported_grant_type"),
    ] {
        let form = good.map(|(key, was)| (key, if key == name { value } else { was }));
        assert_eq!(
            world.post_form("/token", &form).error(),
            (400, error.into()),
            "{name}={value}"
        );
    }
    for (name, value, error) in [
        ("resource", "https://other.example/", "invalid_target"),
        ("code", "again", "invalid_request"),
    ] {
        let mut form = good.to_vec();
        form.push((name, value));
        assert_eq!(
            world.post_form("/token", &form).error(),
            (400, error.into()),
            "{name}={value}"
        );
    }
    assert_eq!(world.post_form("/token", &good).status, 200);
}

#[test]
fn a_redirect_uri_may_be_left_out_as_in_oauth_2_1() {
    let (mut world, id) = started();
    let code = world.code(&id, "");
    let answer = world.post_form(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", &id),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ],
    );
    assert_eq!(answer.status, 200);
}

#[test]
fn a_refresh_token_rotates_and_reuse_ends_the_grant() {
    let (mut world, id) = started();
    let code = world.code(&id, "");
    let token = |json: &serde_json::Value| json["refresh_token"].as_str().unwrap().to_owned();
    let first = token(&world.redeem(&id, &code).json());
    let second = token(&world.refresh(&id, &first).json());
    assert_ne!(first, second);
    // A client that lost the answer asks again and gets the same successor.
    assert_eq!(token(&world.refresh(&id, &first).json()), second);
    let third = token(&world.refresh(&id, &second).json());
    assert_eq!(world.refresh(&id, &first).error(), invalid_grant());
    assert_eq!(world.refresh(&id, &third).error(), invalid_grant());
}

#[test]
fn a_refresh_token_is_its_clients_alone() {
    let (mut world, id) = started();
    let other = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let json = world.redeem(&id, &code).json();
    let refresh = json["refresh_token"].as_str().unwrap();
    assert_eq!(world.refresh(&other, refresh).error(), invalid_grant());
    assert_eq!(world.refresh(&id, refresh).status, 200);
}

#[test]
fn scopes_and_resources_only_narrow() {
    let (mut world, id) = started();
    let code = world.code(
        &id,
        "&scope=userinfo+email&resource=https://mcp.example.com&resource=https://mcp.example.com/sse",
    );
    let json = world.redeem(&id, &code).json();
    assert_eq!(json["scope"], "userinfo");
    let both = claims(&world, &json["access_token"]);
    assert_eq!(
        both.aud,
        Audience::Many(vec![ISSUER.into(), format!("{ISSUER}/sse")])
    );
    let refresh = json["refresh_token"].as_str().unwrap();
    let mut with = |name: &str, value: &str| {
        world.post_form(
            "/token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &id),
                ("refresh_token", refresh),
                (name, value),
            ],
        )
    };
    assert_eq!(
        with("scope", "userinfo tools").error(),
        (400, "invalid_scope".into())
    );
    assert_eq!(
        with("resource", "https://other.example/mcp").error(),
        (400, "invalid_target".into())
    );
    let another = with("resource", "https://mcp.example.com/mcp").json();
    let narrowed = with("resource", "https://mcp.example.com/").json();
    assert_eq!(claims(&world, &another["access_token"]).aud, both.aud);
    assert_eq!(
        claims(&world, &narrowed["access_token"]).aud,
        Audience::One(ISSUER.into())
    );
}

#[test]
fn a_client_that_registered_for_codes_alone_gets_no_refresh_token() {
    let mut world = World::new();
    let answer = world.register_json(&json!({
        "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
    }));
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let code = world.code(&id, "&scope=tools+offline_access");
    let json = world.redeem(&id, &code).json();
    assert_eq!(json["scope"], "tools offline_access");
    assert!(json.get("refresh_token").is_none());
    assert_eq!(
        world.refresh(&id, "x").error(),
        (400, "unauthorized_client".into())
    );
}

#[test]
fn two_installations_of_a_client_hold_grants_side_by_side() {
    let (mut world, id) = started();
    let mut refresh = || {
        let code = world.code(&id, "");
        let json = world.redeem(&id, &code).json();
        json["refresh_token"].as_str().unwrap().to_owned()
    };
    let tokens = [refresh(), refresh()];
    for token in tokens {
        assert_eq!(world.refresh(&id, &token).status, 200);
    }
}

#[test]
fn a_client_that_cannot_say_who_it_is_gets_401_with_a_challenge() {
    let mut world = World::new();
    let answer = world
        .register_json(&json!({ "redirect_uris": [REDIRECT_URI] }))
        .json();
    let id = answer["client_id"].as_str().unwrap();
    let secret = answer["client_secret"].as_str().unwrap();
    let code = world.code(id, "");
    let mut send = |authorization: Option<String>, client_id: &str| {
        let mut builder =
            request("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            builder = builder.header("authorization", value);
        }
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        world.send(builder.body(encode(&form)).unwrap())
    };
    let basic = |id: &str, secret: &str| {
        use base64::Engine;
        let text = format!("{id}:{secret}");
        Some(format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(text)
        ))
    };
    for (authorization, client_id) in [
        (None, id),
        (None, "unknown"),
        (None, ""),
        (basic(id, "wrong"), id),
        (basic("unknown", secret), ""),
        (Some("Bearer x".to_owned()), id),
    ] {
        let answer = send(authorization, client_id);
        assert_eq!(answer.error(), (401, "invalid_client".into()));
        assert!(answer.header("www-authenticate").starts_with("Basic "));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // Basic with a matching client_id in the form, as the Python SDK sends it.
    assert_eq!(send(basic(id, secret), id).status, 200);
}

#[test]
fn only_forms_are_taken_and_only_by_post() {
    let (mut world, _) = started();
    let json = request("POST", "/token").header("content-type", "application/json");
    let answer = world.send(json.body("{}".into()).unwrap());
    assert_eq!(answer.error(), (400, "invalid_request".into()));
    let get = world.get("/token?grant_type=authorization_code");
    assert_eq!((get.status, get.header("allow")), (405, "POST, OPTIONS"));
}

#[test]
fn a_scope_that_was_removed_is_gone_at_refresh_introspection_and_account() {
    let mut world = World::new();
    let (id, secret) = world.register_confidential();
    let code = world.code(&id, "");
    let redeem = [
        ("grant_type", "authorization_code"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let tokens = world.post_form("/token", &redeem).json();
    assert_eq!(tokens["scope"], "tools userinfo");
    world.config.scopes = vec!["tools".to_owned()];
    for name in ["access_token", "refresh_token"] {
        let form = [
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("token", tokens[name].as_str().unwrap()),
        ];
        let told = world.post_form("/introspect", &form).json();
        assert_eq!(told["active"], true, "{name}");
        assert_eq!(told["scope"], "tools", "{name}");
    }
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let refreshed = world.post_form("/token", &refresh).json();
    assert_eq!(refreshed["scope"], "tools");
    // The sign-in that asks the person again is what helps where nothing is left.
    world.config.scopes = vec!["reports".to_owned()];
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        (
            "refresh_token",
            refreshed["refresh_token"].as_str().unwrap(),
        ),
    ];
    let answer = world.post_form("/token", &refresh);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
}

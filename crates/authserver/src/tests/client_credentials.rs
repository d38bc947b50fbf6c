//! Clients that the operator has configured, and that act for no person.

use super::world::{ADMIN_TOKEN, Answer, Browser, ISSUER, REDIRECT_URI, World, query, request};
use oauth::access_token::{self, Audience, Claims};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn world() -> World {
    let clients = json!([
        {
            "client_id": "nightly",
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials"],
        },
        {
            "client_id": "gateway",
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials"],
            "scope": "userinfo",
            "resource_server": true,
        },
    ])
    .to_string();
    World::with(&[("clients", &clients)])
}

fn ask(world: &mut World, client: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", SECRET),
    ];
    form.extend(more);
    world.post_form("/token", &form)
}

fn claims(world: &World, answer: &Value) -> Claims {
    let token = answer["access_token"].as_str().unwrap();
    world.config.keys.verify(access_token::TYP, token).unwrap()
}

#[test]
fn a_configured_client_gets_a_token_for_itself_and_no_refresh_token() {
    let mut world = world();
    let answer = ask(&mut world, "nightly", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let json = answer.json();
    assert_eq!(json["scope"], "tools");
    assert_eq!(json["expires_in"], 900);
    assert_eq!(json.get("refresh_token"), None);
    let claims = claims(&world, &json);
    assert_eq!(
        (claims.sub.as_str(), claims.client_id.as_str()),
        ("client:nightly", "nightly")
    );
    assert_eq!(claims.aud, Audience::One(format!("{ISSUER}/mcp")));
}

#[test]
fn a_client_that_asks_for_nothing_of_ours_gets_the_default_scopes() {
    let mut world = world();
    world.config.scopes.push("reports".to_owned());
    world.config.default_scopes = vec!["reports".to_owned()];
    for scope in ["", "openid email", "made_up"] {
        let answer = ask(&mut world, "nightly", &[("scope", scope)]);
        assert_eq!(answer.json()["scope"], "reports", "{scope}");
    }
    let answer = ask(&mut world, "nightly", &[("scope", "tools")]);
    assert_eq!(answer.json()["scope"], "tools");
}

#[test]
fn nothing_that_concerns_a_person_is_to_be_had_without_one() {
    let mut world = world();
    let answer = ask(&mut world, "nightly", &[("scope", "tools userinfo")]);
    assert_eq!(answer.json()["scope"], "tools");
    for scope in ["userinfo", "offline_access"] {
        let answer = ask(&mut world, "nightly", &[("scope", scope)]);
        assert_eq!(answer.error(), (400, "invalid_scope".into()));
    }
    let answer = ask(&mut world, "gateway", &[("scope", "tools")]);
    assert_eq!(answer.error(), (400, "invalid_scope".into()));
}

#[test]
fn the_resource_of_another_server_is_refused() {
    let mut world = world();
    let sse = format!("{ISSUER}/sse");
    let answer = ask(&mut world, "nightly", &[("resource", &sse)]);
    assert_eq!(claims(&world, &answer.json()).aud, Audience::One(sse));
    let foreign = [("resource", "https://other.example/mcp")];
    let answer = ask(&mut world, "nightly", &foreign);
    assert_eq!(answer.error(), (400, "invalid_target".into()));
}

#[test]
fn who_registered_itself_or_shows_no_secret_gets_nothing_for_itself() {
    let mut world = world();
    let (id, secret) = world.register_confidential();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    let answer = world.post_form("/token", &form);
    assert_eq!(answer.error(), (400, "unauthorized_client".into()));
    let public = world.register(REDIRECT_URI);
    for client in [public.as_str(), "nightly"] {
        let form = [("grant_type", "client_credentials"), ("client_id", client)];
        let answer = world.post_form("/token", &form);
        assert!(matches!(answer.status, 400 | 401), "{answer:?}");
    }
}

#[test]
fn a_clients_own_token_can_be_revoked_and_leaves_nothing() {
    let mut world = world();
    let token = ask(&mut world, "nightly", &[]).json();
    let token = token["access_token"].as_str().unwrap();
    let introspect = |world: &mut World| {
        let form = [
            ("client_id", "nightly"),
            ("client_secret", SECRET),
            ("token", token),
        ];
        world.post_form("/introspect", &form).json()["active"].clone()
    };
    assert_eq!(introspect(&mut world), true);
    let form = [
        ("client_id", "nightly"),
        ("client_secret", SECRET),
        ("token", token),
    ];
    assert_eq!(world.post_form("/revoke", &form).status, 200);
    assert_eq!(introspect(&mut world), false);
}

#[test]
fn an_operator_finds_and_ends_a_clients_own_grants() {
    let mut world = world();
    let token = ask(&mut world, "nightly", &[]).json();
    let token = token["access_token"].as_str().unwrap();
    let send = |world: &mut World, method: &str, subject: &str| {
        let path = format!("/admin/grants?subject={subject}");
        let request =
            request(method, &path).header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        world
            .send(request.body(bytes::Bytes::new()).unwrap())
            .json()
    };
    let listed = send(&mut world, "GET", "client:nightly");
    assert_eq!(listed["grants"][0]["client_id"], "nightly", "{listed}");
    assert_eq!(send(&mut world, "GET", "nightly")["grants"], json!([]));
    assert_eq!(send(&mut world, "DELETE", "client:nightly")["ended"], 1);
    let form = [
        ("client_id", "nightly"),
        ("client_secret", SECRET),
        ("token", token),
    ];
    let answer = world.post_form("/introspect", &form).json();
    assert_eq!(answer, json!({ "active": false }));
}

#[test]
fn no_one_signs_in_under_the_subject_of_a_client() {
    let mut world = world();
    world.provider.subject = "client:nightly".into();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
    let back = world.finish_login(&mut browser).redirect();
    assert_eq!(back["error"], "access_denied");
    assert!(!back.contains_key("code"));
}

#[test]
fn a_configured_client_that_is_no_resource_server_learns_of_its_own_tokens_alone() {
    let mut world = world();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let theirs = world.redeem(&id, &code).json();
    let own = ask(&mut world, "nightly", &[]).json();
    let mut is_active = |token: &Value| {
        let form = [
            ("client_id", "nightly"),
            ("client_secret", SECRET),
            ("token", token.as_str().unwrap()),
        ];
        world.post_form("/introspect", &form).json()["active"].clone()
    };
    assert_eq!(is_active(&own["access_token"]), true);
    assert_eq!(is_active(&theirs["access_token"]), false);
    assert_eq!(is_active(&theirs["refresh_token"]), false);
}

#[test]
fn a_configured_resource_server_may_introspect_every_token() {
    let mut world = world();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let tokens = world.redeem(&id, &code).json();
    for name in ["access_token", "refresh_token"] {
        let form = [
            ("client_id", "gateway"),
            ("client_secret", SECRET),
            ("token", tokens[name].as_str().unwrap()),
        ];
        let answer = world.post_form("/introspect", &form).json();
        assert_eq!(
            (&answer["active"], &answer["client_id"]),
            (&json!(true), &json!(id))
        );
    }
}

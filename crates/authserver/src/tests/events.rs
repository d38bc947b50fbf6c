//! Events in the log, as docs/events.md says.

use super::world::{ADMIN_TOKEN, Browser, REDIRECT_URI, VERIFIER, World, query, request};
use bytes::Bytes;
use grants::MAX_GRANTS_PER_CLIENT;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Returns the names of events.
fn names(events: &[Value]) -> Vec<&str> {
    let names = events.iter().map(|event| event["event"].as_str());
    names.map(Option::unwrap_or_default).collect()
}

/// Returns the only event since the last time.
fn one(world: &World) -> Value {
    let events = world.events();
    assert_eq!(events.len(), 1, "{events:?}");
    events.into_iter().next().unwrap_or_default()
}

fn admin(world: &mut World, method: &str, path: &str, token: &str) -> u16 {
    let request = request(method, path).header(AUTHORIZATION, format!("Bearer {token}"));
    world.send(request.body(Bytes::new()).unwrap()).status
}

#[test]
fn a_sign_in_leaves_an_event_of_each_step_and_no_secret() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    assert_eq!(
        one(&world),
        json!({"event": "registration", "change": "created", "client_name": "Test App",
            "client_id": id})
    );
    let code = world.code(&id, "");
    let answer = world.redeem(&id, &code);
    let token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(world.refresh(&id, &token).status, 200);
    let events = world.events();
    assert_eq!(
        names(&events),
        ["consent", "sign_in", "grant", "token", "refresh"]
    );
    for event in &events {
        assert_eq!(event["client_id"], id, "{event}");
    }
    for event in &events[1..] {
        assert_eq!(event["subject"], "person-1", "{event}");
    }
    assert_eq!(events[0]["decision"], "allowed");
    assert_eq!(events[0]["scope"], "tools userinfo");
    assert_eq!(events[1]["purpose"], "client");
    assert_eq!(events[2]["client_name"], "Test App");
    assert_eq!(events[2]["destination"], "client.example");
    assert_eq!(events[3]["grant_type"], "authorization_code");
    assert_eq!(events[4]["scope"], "tools userinfo");
    let grant = &events[2]["grant_id"];
    assert!(grant.is_string());
    assert!(events[3..].iter().all(|event| event["grant_id"] == *grant));
    let text = Value::from(events).to_string();
    for secret in [code.as_str(), &token, "client state", VERIFIER, "upstream"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_denied_and_a_remembered_consent_are_events() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let mut browser = Browser::default();
    world.events();
    let sealed = browser.open(&mut world, &path).consent();
    assert_eq!(world.events(), Vec::<Value>::new());
    browser.post(&mut world, &[("consent", &sealed), ("decision", "deny")]);
    assert_eq!(
        one(&world),
        json!({"event": "consent", "decision": "denied", "scope": "tools userinfo",
            "client_id": id})
    );
    let sealed = browser.open(&mut world, &path).consent();
    let yes = [
        ("consent", sealed.as_str()),
        ("decision", "allow"),
        ("remember", "yes"),
    ];
    browser.post(&mut world, &yes);
    world.finish_login(&mut browser);
    browser.open(&mut world, &path);
    let events = world.events();
    assert_eq!(names(&events), ["consent", "sign_in", "grant", "consent"]);
    assert_eq!(events[0]["decision"], "allowed_and_remembered");
    assert_eq!(events[3]["decision"], "remembered");
}

#[test]
fn a_refused_request_is_an_event_with_its_reason_and_its_trace() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    world.events();
    let answer = world.redeem(&id, "no-code");
    let refusal = one(&world);
    assert_eq!(refusal["event"], "refusal");
    assert_eq!(refusal["endpoint"], "/token");
    assert_eq!(refusal["error"], answer.json()["error"]);
    assert_eq!(refusal["reason"], answer.json()["error_description"]);

    let traced = request("GET", "/authorize?client_id=unknown").header("traceparent", TRACEPARENT);
    world.send(traced.body(Bytes::new()).unwrap());
    let refusal = one(&world);
    assert_eq!(refusal["endpoint"], "/authorize");
    assert_eq!(refusal["error"], "invalid_client");
    assert_eq!(refusal["client_id"], "unknown");
    assert_eq!(refusal["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(refusal["parent_id"], "00f067aa0ba902b7");

    let bad_scope = format!(
        "/authorize?{}&response_mode=fragment",
        query(&id, REDIRECT_URI)
    );
    world.get(&bad_scope.replace("response_type=code", "response_type=token"));
    assert_eq!(one(&world)["error"], "unsupported_response_type");

    world.get("/callback?state=forged&code=forged");
    assert_eq!(one(&world)["endpoint"], "/callback");

    world.register_json(&json!({"redirect_uris": ["javascript:alert(1)"]}));
    let refusal = one(&world);
    assert_eq!(refusal["endpoint"], "/register");
    assert_eq!(refusal["error"], "invalid_redirect_uri");
}

#[test]
fn reuse_of_a_code_or_token_is_an_event_that_says_whether_the_grant_ended() {
    let mut world = World::with(&[("refresh_grace", "30")]);
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let first = world.redeem(&id, &code).json()["refresh_token"].clone();
    world.events();
    world.redeem(&id, &code);
    let events = world.events();
    assert_eq!(names(&events), ["reuse", "refusal"]);
    assert_eq!(events[0]["credential"], "code");
    assert_eq!(events[0]["grant_ended"], false);
    world.refresh(&id, first.as_str().unwrap());
    world.now += 31;
    world.events();
    world.refresh(&id, first.as_str().unwrap());
    let events = world.events();
    assert_eq!(names(&events), ["reuse", "refusal"]);
    assert_eq!(events[0]["credential"], "refresh_token");
    assert_eq!(events[0]["grant_ended"], true);
    assert_eq!(events[0]["subject"], "person-1");
    assert!(events[0]["grant_id"].is_string());
}

#[test]
fn the_end_of_a_grant_is_an_event_that_says_who_ended_it() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let token = world.redeem(&id, &code).json()["refresh_token"].clone();
    world.events();
    let form = [("token", token.as_str().unwrap()), ("client_id", &id)];
    for _ in 0..2 {
        assert_eq!(world.post_form("/revoke", &form).status, 200);
    }
    let revocation = one(&world);
    assert_eq!(revocation["event"], "revocation");
    assert_eq!(
        (&revocation["by"], &revocation["grants"]),
        (&json!("client"), &json!(1))
    );
    assert_eq!(revocation["subject"], "person-1");
    assert_eq!(revocation["client_id"], id);

    world.code(&id, "");
    world.code(&id, "");
    let mut browser = Browser::default();
    browser.open(&mut world, "/account/sign-in");
    world.finish_login(&mut browser);
    assert_eq!(world.events().last().unwrap()["purpose"], "account");
    let page = browser.open(&mut world, "/account");
    let form = [
        ("token", page.field("token")),
        ("grant", page.field("grant")),
    ];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    browser.post_to(&mut world, "/account/end", &form);
    let revocation = one(&world);
    assert_eq!(
        (&revocation["by"], &revocation["grants"]),
        (&json!("person"), &json!(1))
    );
    assert!(revocation["grant_id"].is_string());

    let path = "/admin/grants?subject=person-1";
    assert_eq!(admin(&mut world, "GET", path, ADMIN_TOKEN), 200);
    assert_eq!(
        one(&world),
        json!({"event": "administration", "action": "list_grants", "count": 1,
            "subject": "person-1"})
    );
    assert_eq!(admin(&mut world, "DELETE", path, ADMIN_TOKEN), 200);
    let events = world.events();
    assert_eq!(names(&events), ["administration", "revocation"]);
    assert_eq!(events[0]["action"], "end_grants");
    assert_eq!(events[1]["by"], "operator");
    assert_eq!(admin(&mut world, "GET", path, "not-the-operators"), 401);
    assert_eq!(one(&world)["endpoint"], "/admin");
}

#[test]
fn the_oldest_of_too_many_grants_ends_with_an_event() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    for _ in 0..MAX_GRANTS_PER_CLIENT {
        world.code(&id, "");
    }
    assert!(!names(&world.events()).contains(&"revocation"));
    world.code(&id, "");
    let events = world.events();
    let revocation = events.last().unwrap();
    assert_eq!(revocation["event"], "revocation");
    assert_eq!(
        (&revocation["by"], &revocation["grants"]),
        (&json!("limit"), &json!(1))
    );
}

#[test]
fn a_changed_and_a_deleted_registration_are_events() {
    let mut world = World::new();
    let answer = world
        .register_json(&json!({"redirect_uris": [REDIRECT_URI]}))
        .json();
    let id = answer["client_id"].as_str().unwrap();
    let token = answer["registration_access_token"].as_str().unwrap();
    world.events();
    for (method, change) in [("PUT", "changed"), ("DELETE", "deleted")] {
        let body = json!({"client_id": id, "redirect_uris": [REDIRECT_URI]});
        let request = request(method, &format!("/register/{id}"))
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("content-type", "application/json");
        world.send(request.body(body.to_string().into()).unwrap());
        let event = one(&world);
        assert_eq!(event["change"], change);
        assert_eq!(event["client_id"], id);
    }
}

#[test]
fn only_the_kinds_that_the_variable_names_are_written() {
    let mut world = World::with(&[("events", "grant refresh")]);
    let id = world.register(REDIRECT_URI);
    world.code(&id, "");
    assert_eq!(names(&world.events()), ["grant"]);
    let mut world = World::with(&[("events", "none")]);
    let id = world.register(REDIRECT_URI);
    world.code(&id, "");
    assert_eq!(world.events(), Vec::<Value>::new());
}

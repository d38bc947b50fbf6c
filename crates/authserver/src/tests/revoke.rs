use super::world::{REDIRECT_URI, VERIFIER, World};
use serde_json::Value;

fn signed_in() -> (World, String, Value) {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let tokens = world.redeem(&id, &code).json();
    (world, id, tokens)
}

fn revoke(world: &mut World, id: &str, token: &str) -> super::world::Answer {
    world.post_form("/revoke", &[("client_id", id), ("token", token)])
}

fn has_grant(world: &World) -> bool {
    let keys = world.store.backend().keys();
    keys.iter().any(|key| key.starts_with("t:grant:"))
}

#[test]
fn revoking_either_token_ends_the_grant() {
    for name in ["refresh_token", "access_token"] {
        let (mut world, id, tokens) = signed_in();
        assert!(has_grant(&world));
        let answer = revoke(&mut world, &id, tokens[name].as_str().unwrap());
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert!(!has_grant(&world));
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(
            world.refresh(&id, refresh).error(),
            (400, "invalid_grant".into())
        );
    }
}

#[test]
fn an_unknown_or_ended_token_is_answered_200() {
    let (mut world, id, tokens) = signed_in();
    assert_eq!(revoke(&mut world, &id, "unknown").status, 200);
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(revoke(&mut world, &id, token).status, 200);
    assert_eq!(revoke(&mut world, &id, token).status, 200);
}

#[test]
fn another_client_can_revoke_nothing() {
    let (mut world, _, tokens) = signed_in();
    let other = world.register(REDIRECT_URI);
    let answer = revoke(
        &mut world,
        &other,
        tokens["refresh_token"].as_str().unwrap(),
    );
    assert_eq!(answer.error(), (400, "invalid_request".into()));
    let answer = revoke(
        &mut world,
        "unknown",
        tokens["refresh_token"].as_str().unwrap(),
    );
    assert_eq!(answer.error(), (401, "invalid_client".into()));
    assert!(has_grant(&world));
}

#[test]
fn a_request_without_a_token_is_refused() {
    let (mut world, id, _) = signed_in();
    assert_eq!(
        revoke(&mut world, &id, "").error(),
        (400, "invalid_request".into())
    );
}

#[test]
fn an_expired_access_token_of_a_public_client_ends_nothing() {
    let (mut world, id, tokens) = signed_in();
    let access_token = tokens["access_token"].as_str().unwrap();
    world.now += 900;
    let answer = revoke(&mut world, &id, access_token);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(has_grant(&world));
    // Not even whose it was is told.
    let other = world.register(REDIRECT_URI);
    assert_eq!(revoke(&mut world, &other, access_token).status, 200);
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(revoke(&mut world, &id, refresh_token).status, 200);
    assert!(!has_grant(&world));
}

#[test]
fn an_expired_access_token_of_a_client_that_authenticates_ends_its_grant() {
    let mut world = World::new();
    let (id, secret) = world.register_confidential();
    let code = world.code(&id, "");
    let with_secret = [
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
    ];
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    form.extend(with_secret);
    let tokens = world.post_form("/token", &form).json();
    world.now += 900;
    let mut form = vec![("token", tokens["access_token"].as_str().unwrap())];
    form.extend(with_secret);
    assert_eq!(world.post_form("/revoke", &form).status, 200);
    assert!(!has_grant(&world));
}

#[test]
fn a_revocation_leaves_the_upstream_tokens_to_be_revoked_after_the_answer() {
    let (mut world, id, tokens) = signed_in();
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(revoke(&mut world, &id, token).status, 200);
    let ended = world.revocations.take();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].access_token, "upstream");
    assert_eq!(revoke(&mut world, &id, token).status, 200);
    assert_eq!(world.revocations.take(), []);
}

/// As a kill leaves it: the grant's own record is gone, and nothing else.
#[test]
fn a_revocation_that_is_repeated_finishes_what_a_kill_left() {
    use store::KeyValue;
    let (mut world, id, tokens) = signed_in();
    let backend = world.store.backend();
    let keys = backend.keys();
    let grant = keys.into_iter().find(|key| key.starts_with("t:grant:"));
    futures::executor::block_on(backend.delete(&grant.unwrap())).unwrap();
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(revoke(&mut world, &id, token).status, 200);
    let keys = world.store.backend().keys();
    assert!(
        !keys
            .iter()
            .any(|key| key.starts_with("t:upstream:") || key.starts_with("t:refresh:")),
        "{keys:?}"
    );
    assert_eq!(world.revocations.take().len(), 1);
}

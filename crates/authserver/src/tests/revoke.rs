use super::world::{REDIRECT_URI, World};
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
        "nobody",
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

//! A store that does not answer.

use super::world::{ADMIN_TOKEN, Answer, Browser, REDIRECT_URI, World, query, request};
use bytes::Bytes;

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("retry-after"), "1");
}

#[test]
fn a_store_that_does_not_answer_is_503_as_an_oauth_error() {
    let mut world = World::new();
    let (id, secret) = world.register_confidential();
    let client = [("client_id", id.as_str()), ("client_secret", &secret)];
    let code = world.code(&id, "");
    let public = world.register(REDIRECT_URI);
    let registration = world.register_json(&serde_json::json!({ "redirect_uris": [REDIRECT_URI] }));
    let registration = registration.json();
    let text = |name: &str| registration[name].as_str().unwrap().to_owned();
    let path = format!("/register/{}", text("client_id"));
    let bearer = format!("Bearer {}", text("registration_access_token"));

    world.store.backend().set_down(true);
    let token = [&client[..], &[("token", "unknown")]].concat();
    let get = |path: &str, bearer: &str| {
        let request = request("GET", path).header("authorization", bearer);
        request.body(Bytes::new()).unwrap()
    };
    let operator = format!("Bearer {ADMIN_TOKEN}");
    for answer in [
        world.redeem(&public, &code),
        world.refresh(&public, "unknown"),
        world.post_form("/revoke", &token),
        world.post_form("/introspect", &token),
        world.register_json(&serde_json::json!({ "redirect_uris": [REDIRECT_URI] })),
        world.send(get(&path, &bearer)),
        world.send(get("/admin/grants?subject=person-1", &operator)),
    ] {
        assert_unavailable(&answer);
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
    }
}

#[test]
fn a_store_that_does_not_answer_is_a_503_page_for_people() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    browser.open(&mut world, "/account/sign-in");
    world.finish_login(&mut browser);

    world.store.backend().set_down(true);
    let authorize = format!("/authorize?{}", query(&id, REDIRECT_URI));
    for path in [authorize.as_str(), "/account"] {
        let answer = browser.open(&mut world, path);
        assert_unavailable(&answer);
        assert!(answer.body.contains("does not answer"), "{answer:?}");
    }
}

#[test]
fn a_callback_that_the_store_kept_from_beginning_can_be_loaded_again() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
    world.store.backend().set_down(true);
    assert_unavailable(&world.finish_login(&mut browser));
    world.store.backend().set_down(false);
    let answer = world.finish_login(&mut browser);
    assert!(answer.redirect().contains_key("code"), "{answer:?}");
}

#[test]
fn a_record_that_cannot_be_read_stays_a_server_error() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let keys = world.store.backend().keys();
    let client = keys.iter().find(|key| key.contains(&id)).unwrap();
    futures::executor::block_on(store::KeyValue::set(
        world.store.backend(),
        client,
        b"?",
        None,
    ))
    .unwrap();
    assert_eq!(
        world.refresh(&id, "x").error(),
        (500, "server_error".into())
    );
}

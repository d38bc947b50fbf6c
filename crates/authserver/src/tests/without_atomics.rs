//! The authorization server over a store without atomics, and over one of several regions.

use super::world::{ADMIN_TOKEN, Answer, Browser, REDIRECT_URI, VERIFIER, World, request};
use bytes::Bytes;
use futures::executor::block_on;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{KeyValue, Regions};

fn world() -> World {
    World::without_atomics(Regions::One)
}

fn sweep(world: &mut World) -> Answer {
    let request = request("POST", "/admin/sweep");
    let request = request.header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    world.send(request.body(Bytes::new()).unwrap())
}

fn refresh_token(answer: &Answer) -> String {
    let json = answer.json();
    json["refresh_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_code_is_redeemed_once_and_refresh_tokens_rotate() {
    let mut world = world();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let first = refresh_token(&world.redeem(&id, &code));
    assert_eq!(world.redeem(&id, &code).error().1, "invalid_grant");
    let second = refresh_token(&world.refresh(&id, &first));
    assert!(!second.is_empty() && second != first);
    world.now += 1000;
    assert_eq!(world.refresh(&id, &first).error().1, "invalid_grant");
    // The reuse has ended the grant.
    assert_eq!(world.refresh(&id, &second).error().1, "invalid_grant");
}

#[test]
fn a_sign_in_is_completed_once() {
    let mut world = world();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &super::world::query(&id, REDIRECT_URI));
    let path = world.callback_path();
    let first = browser.open(&mut world, &path);
    assert!(first.redirect().contains_key("code"));
    let again = browser.open(&mut world, &path);
    assert!(again.status != 303 || !again.redirect().contains_key("code"));
}

#[test]
fn grants_are_listed_and_ended_at_the_account_page() {
    let mut world = world();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let token = refresh_token(&world.redeem(&id, &code));
    let mut browser = Browser::default();
    browser.open(&mut world, "/account/sign-in");
    world.finish_login(&mut browser);
    let page = browser.open(&mut world, "/account");
    assert!(page.body.contains("Test App"), "{}", page.body);
    let (csrf, grant) = (page.field("token"), page.field("grant"));
    let form = [("token", csrf.as_str()), ("grant", grant.as_str())];
    browser.post_to(&mut world, "/account/end", &form);
    assert_eq!(world.refresh(&id, &token).error().0, 400);
    let page = browser.open(&mut world, "/account");
    assert!(page.body.contains("You have not connected any apps."));
}

#[test]
fn registrations_are_limited() {
    let mut world = world();
    for expected in [201, 201, 201, 429] {
        let body = serde_json::json!({ "redirect_uris": [REDIRECT_URI] });
        assert_eq!(world.register_json(&body).status, expected);
    }
}

#[test]
fn an_operator_sweeps_by_listing_and_requests_leave_no_ledger() {
    let mut world = world();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    world.redeem(&id, &code);
    let keys = world.store.backend().keys();
    assert!(keys.iter().all(|key| !key.contains("ledger")), "{keys:?}");
    let alive = sweep(&mut world).json();
    assert_eq!(alive["removed"], 0, "{alive}");
    world.now += 2 * 366 * 86_400;
    let swept = sweep(&mut world).json();
    assert_eq!(
        (&swept["more"], &swept["swept_until"]),
        (&false.into(), &world.now.into())
    );
    // Slots are found dead once their counters are gone.
    sweep(&mut world);
    assert_eq!(world.store.backend().keys(), [""; 0]);
}

#[test]
fn a_request_to_sweep_removes_a_part_and_says_that_there_is_more() {
    let mut world = world();
    for _ in 0..30 {
        world.register(REDIRECT_URI);
        // As often as registrations_per_hour allows.
        world.now += 1200;
    }
    world.now += 2 * 366 * 86_400;
    let swept = sweep(&mut world).json();
    assert_eq!(
        (&swept["removed"], &swept["more"]),
        (&25.into(), &true.into())
    );
}

/// Redeems a code whose grant comes to this region with the third look. Returns the answer and the looks.
fn redeem_early(world: &World, client_id: &str, code: &str) -> (Answer, u32) {
    let backend = world.store.backend();
    let is_grant = |key: &&String| key.starts_with("t:grant:");
    let key = backend.keys().iter().find(is_grant).unwrap().clone();
    let grant = block_on(backend.get(&key)).unwrap().unwrap();
    block_on(backend.delete(&key)).unwrap();
    let looks = AtomicU32::new(0);
    let sleep = |_| {
        let is_here = looks.fetch_add(1, Ordering::Relaxed) == 2;
        let (key, grant) = (&key, &grant);
        async move {
            if is_here {
                backend.set(key, grant, None).await.unwrap();
            }
        }
    };
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let answer = world.post_token(&form, sleep);
    (answer, looks.into_inner())
}

#[test]
fn a_code_waits_for_its_grant_from_another_region() {
    let mut world = World::without_atomics(Regions::Several);
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let (answer, looks) = redeem_early(&world, &id, &code);
    assert_eq!((answer.status, looks), (200, 3), "{answer:?}");
}

#[test]
fn a_code_without_its_grant_is_refused_at_once_where_there_is_one_region() {
    for mut world in [World::new(), world()] {
        let id = world.register(REDIRECT_URI);
        let code = world.code(&id, "");
        let (answer, looks) = redeem_early(&world, &id, &code);
        assert_eq!((answer.error().1.as_str(), looks), ("invalid_grant", 0));
    }
}

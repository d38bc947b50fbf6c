//! `/account` and `/admin`: connections that a person sees and ends, and those that an operator ends.

use super::world::{ADMIN_TOKEN, Answer, Browser, REDIRECT_URI, World, query, request};
use bytes::Bytes;

fn sign_in(world: &mut World) -> Browser {
    let mut browser = Browser::default();
    let answer = browser.open(world, "/account/sign-in");
    assert!(answer.location().starts_with("https://idp.example/"));
    let answer = world.finish_login(&mut browser);
    assert_eq!(answer.location(), "https://mcp.example.com/account");
    browser
}

fn admin(world: &mut World, method: &str, path: &str, token: &str) -> Answer {
    let request = request(method, path).header("authorization", format!("Bearer {token}"));
    world.send(request.body(Bytes::new()).unwrap())
}

#[test]
fn a_person_sees_what_they_have_connected_and_ends_it() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let token = world.redeem(&id, &code).json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut browser = sign_in(&mut world);
    assert!(browser.has("__Host-gatehouse-account"));
    let page = browser.open(&mut world, "/account");
    assert!(page.body.contains("see your profile"));
    world.config.scopes = vec!["tools".to_owned()];
    let page = browser.open(&mut world, "/account");
    assert!(!page.body.contains("see your profile"), "it is gone");
    for text in [
        "Test App",
        "client.example",
        "use the tools",
        "12 January 1970",
        "Ada",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let (csrf, grant) = (page.field("token"), page.field("grant"));
    let form = [("token", csrf.as_str()), ("grant", grant.as_str())];
    let answer = browser.post_to(&mut world, "/account/end", &form);
    assert!(answer.location().ends_with("/account?done=ended"));
    assert_eq!(world.refresh(&id, &token).error().0, 400);
    let page = browser.open(&mut world, "/account?done=ended");
    assert!(page.body.contains("The app is disconnected."));
    assert!(page.body.contains("You have not connected any apps."));
}

#[test]
fn a_person_ends_all_their_own_grants_at_once_and_no_others() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let theirs: Vec<_> = (0..3).map(|_| world.code(&id, "")).collect();
    world.provider.subject = "person-2".into();
    let other = world.code(&id, "");
    world.provider.subject = "person-1".into();
    let mut browser = sign_in(&mut world);
    let csrf = browser.open(&mut world, "/account").field("token");
    browser.post_to(&mut world, "/account/end-all", &[("token", &csrf)]);
    for code in theirs {
        assert_eq!(world.redeem(&id, &code).status, 400);
    }
    assert_eq!(world.redeem(&id, &other).status, 200);
}

#[test]
fn a_form_without_the_sessions_token_changes_nothing() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "");
    let mut browser = sign_in(&mut world);
    let own = browser.open(&mut world, "/account").field("token");
    let foreign = sign_in(&mut world)
        .open(&mut world, "/account")
        .field("token");
    for form in [
        vec![],
        vec![("token", "x")],
        vec![("token", foreign.as_str())],
    ] {
        let answer = browser.post_to(&mut world, "/account/end-all", &form);
        assert_eq!(answer.status, 403);
    }
    let stranger = Browser::default().post_to(&mut world, "/account/end-all", &[("token", &own)]);
    assert_eq!(stranger.status, 403);
    let request = request("POST", "/account/end-all")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", browser.cookies())
        .header("origin", "https://evil.example");
    let form = super::world::encode(&[("token", own.as_str())]);
    assert_eq!(world.send(request.body(form).unwrap()).status, 403);
    assert_eq!(world.redeem(&id, &code).status, 200);
}

#[test]
fn a_session_ends_after_an_hour_and_for_every_copy_at_sign_out() {
    let mut world = World::new();
    let mut browser = sign_in(&mut world);
    let page = browser.open(&mut world, "/account");
    let copy = browser.cookies();
    let csrf = page.field("token");
    let out = browser.post_to(&mut world, "/account/sign-out", &[("token", &csrf)]);
    assert!(out.location().ends_with("done=out"));
    let request = request("GET", "/account").header("cookie", copy);
    let answer = world.send(request.body(Bytes::new()).unwrap());
    assert!(!answer.body.contains("You are signed in"));
    let mut browser = sign_in(&mut world);
    world.now += 3600;
    let page = browser.open(&mut world, "/account");
    assert!(!page.body.contains("You are signed in"));
}

#[test]
fn a_person_forgets_what_the_browser_remembers() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let sealed = browser.open(&mut world, &path).consent();
    let form = [
        ("consent", sealed.as_str()),
        ("decision", "allow"),
        ("remember", "1"),
    ];
    browser.post(&mut world, &form);
    world.finish_login(&mut browser);
    browser.open(&mut world, &path).location();
    browser.open(&mut world, "/account/sign-in");
    world.finish_login(&mut browser);
    let page = browser.open(&mut world, "/account");
    assert!(
        page.body
            .contains("One app is connected again without asking")
    );
    let csrf = page.field("token");
    browser.post_to(&mut world, "/account/forget", &[("token", &csrf)]);
    assert_eq!(browser.open(&mut world, &path).status, 200);
}

#[test]
fn a_sign_in_to_the_account_gives_no_client_anything_and_is_good_once() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.open(&mut world, "/account/sign-in");
    let path = world.callback_path();
    assert_eq!(Browser::default().open(&mut world, &path).status, 400);
    assert_eq!(browser.open(&mut world, &path).status, 303);
    assert_eq!(browser.open(&mut world, &path).status, 400);
    assert!(
        world
            .store
            .backend()
            .keys()
            .iter()
            .all(|key| !key.contains("grant:"))
    );
}

#[test]
fn a_sign_in_to_the_account_that_fails_is_said_on_a_page() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.open(&mut world, "/account/sign-in");
    let path = world.callback_path();
    world.provider.failure = Some(identity::Error::Unavailable("timeout".into()));
    let answer = browser.open(&mut world, &path);
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("Try again"));
    let answer = browser.open(&mut world, "/account/sign-in");
    assert_eq!(answer.status, 500);
    world.provider.failure = None;
    world.now += 600;
    assert!(browser.open(&mut world, &path).body.contains("ten minutes"));
}

#[test]
fn an_account_page_knows_its_methods_and_paths() {
    let mut world = World::new();
    assert_eq!(world.get("/account").status, 200);
    assert_eq!(world.get("/account/nothing").status, 404);
    assert_eq!(world.get("/account/end").header("allow"), "POST");
    let post = world.post_form("/account", &[]);
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
}

#[test]
fn an_operator_lists_and_ends_the_grants_of_a_person() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let codes: Vec<_> = (0..2).map(|_| world.code(&id, "")).collect();
    let path = "/admin/grants?subject=person-1";
    let listed = admin(&mut world, "GET", path, ADMIN_TOKEN);
    assert_eq!(listed.status, 200);
    assert!(!listed.headers.contains_key("access-control-allow-origin"));
    let grants = listed.json()["grants"].as_array().unwrap().clone();
    assert_eq!(grants.len(), 2);
    assert_eq!(grants[0]["client_name"], "Test App");
    assert_eq!(grants[0]["client_id"], id.as_str());
    let newest = grants[0]["id"].as_str().unwrap();
    let one = format!("{path}&grant={newest}");
    let ended = admin(&mut world, "DELETE", &one, ADMIN_TOKEN).json();
    assert_eq!(
        (ended["ended"].as_u64(), ended["more"].as_bool()),
        (Some(1), Some(false))
    );
    let again = admin(&mut world, "DELETE", &one, ADMIN_TOKEN).json();
    assert_eq!(again["ended"], 0);
    assert_eq!(world.redeem(&id, &codes[1]).status, 400);
    let ended = admin(&mut world, "POST", path, ADMIN_TOKEN).json();
    assert_eq!(ended["ended"], 1);
    assert_eq!(world.redeem(&id, &codes[0]).status, 400);
}

#[test]
fn without_the_operators_token_a_request_gets_nothing() {
    let mut world = World::new();
    for path in ["/admin/grants?subject=person-1", "/admin/sweep", "/admin"] {
        for token in ["", "x", &ADMIN_TOKEN[1..]] {
            let answer = admin(&mut world, "POST", path, token);
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
        assert_eq!(world.get(path).status, 401);
    }
    world.config.admin_token = None;
    let answer = admin(&mut world, "POST", "/admin/sweep", ADMIN_TOKEN);
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("admin_token is not set"));
}

#[test]
fn an_operator_sweeps_what_is_dead() {
    let mut world = World::new();
    world.register(REDIRECT_URI);
    assert_eq!(
        admin(&mut world, "GET", "/admin/sweep", ADMIN_TOKEN).status,
        405
    );
    world.now += 86_400 + 2 * 3600;
    let swept = admin(&mut world, "POST", "/admin/sweep", ADMIN_TOKEN).json();
    // The registration and the hour's counter of them.
    assert_eq!(swept["removed"], 2, "{swept}");
    assert_eq!(swept["more"], false);
    assert!(world.now - swept["swept_until"].as_u64().unwrap() < 3600 + 300 + 1);
    assert_eq!(world.store.backend().keys(), ["t:sweep:cursor"]);
}

#[test]
fn a_bad_administration_request_is_answered_in_words() {
    let mut world = World::new();
    for (path, status) in [
        ("/admin/grants", 400),
        ("/admin/grants?subject=a&subject=b", 400),
        ("/admin/grants?subject=a&from=x", 400),
        ("/admin/other", 404),
    ] {
        let answer = admin(&mut world, "GET", path, ADMIN_TOKEN);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["error_description"].is_string());
    }
}

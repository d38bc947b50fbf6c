//! The policy, at the sign-in and at each refresh.

use super::world::{Answer, Browser, ISSUER, REDIRECT_URI, World, query};
use futures::executor::block_on;
use identity::RefreshedProfile;
use serde_json::{Value, json};
use store::KeyValue;
use url::Url;

const STAFF_ALONE: (&str, &str) = ("allowed", "claim:/roles=staff");
const RULES: (&str, &str) = (
    "scope_rules",
    r#"[{"who": "claim:/roles=staff", "scopes": "tools"},
        {"who": "claim:/roles=admin", "scopes": "tools userinfo"}]"#,
);

fn world(variables: &[(&str, &str)]) -> World {
    let mut world = World::with(variables);
    world.provider.refresh_token = Some("refresh-0".into());
    world.provider.tokens_end_at = Some(world.now + 600);
    world
}

fn now_has(world: &World, roles: &[&str]) {
    *world.provider.claims.lock().unwrap() = json!({ "roles": roles });
}

fn refreshes(world: &World) -> Vec<String> {
    world.provider.refreshed.lock().unwrap().clone()
}

/// Signs in for both scopes, and gives the client's id and its tokens.
fn sign_in(world: &mut World) -> (String, Value) {
    let id = world.register(REDIRECT_URI);
    let code = world.code(&id, "&scope=tools+userinfo+offline_access");
    let tokens = world.redeem(&id, &code);
    assert_eq!(tokens.status, 200, "{tokens:?}");
    (id, tokens.json())
}

fn refresh(world: &mut World, id: &str, tokens: &Value) -> Answer {
    world.refresh(id, tokens["refresh_token"].as_str().unwrap())
}

/// Signs in, and gives the page for whom the policy refuses.
fn refused(world: &mut World, id: &str) -> (Browser, Answer) {
    let mut browser = Browser::default();
    let query = format!("{}&resource={ISSUER}/mcp", query(id, REDIRECT_URI));
    world.begin_login(&mut browser, &query);
    let page = world.finish_login(&mut browser);
    assert_eq!(page.status, 403, "{page:?}");
    (browser, page)
}

/// Returns the addresses of the links with this text.
fn link(page: &Answer, text: &str) -> Url {
    let (before, _) = page.body.split_once(text).expect(text);
    let (_, href) = before.rsplit_once("href=\"").unwrap();
    let href = href.split_once('"').unwrap().0.replace("&amp;", "&");
    Url::parse(&href).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

#[test]
fn who_may_not_come_in_reads_which_account_it_was_and_gets_no_grant() {
    let mut world = world(&[("allowed", "domain:example.com")]);
    world.provider.email = Some(("<eve>@evil.example".into(), true));
    world.provider.subject = "eve-1".into();
    let id = world.register(REDIRECT_URI);
    let (mut browser, page) = refused(&mut world, &id);
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    for text in [
        "This account may not use this server",
        "Test Provider",
        "Ada",
        "eve-1",
        "&lt;eve&gt;@evil.example",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("<eve>"));
    let keys = world.store.backend().keys();
    let kinds = ["grant", "upstream", "subject", "grant-limit"];
    let is_grant = |key: &String| kinds.iter().any(|kind| key.contains(&format!("t:{kind}")));
    assert!(!keys.iter().any(is_grant), "{keys:?}");
    let revoked = world.revocations.take();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].refresh_token.as_deref(), Some("refresh-0"));
    let events = world.events();
    let refusal = events.last().unwrap();
    assert_eq!(refusal["event"], "refusal");
    assert_eq!(refusal["error"], "access_denied");
    assert_eq!(refusal["reason"], "this account may not use this server");
    assert_eq!(refusal["subject"], "eve-1");
    assert_eq!(refusal["client_id"], id);
    // The sign-in is used up.
    let again = world.finish_login(&mut browser);
    assert_eq!(again.status, 400);
}

#[test]
fn from_the_page_the_client_gets_access_denied_with_state_and_issuer() {
    let mut world = world(&[STAFF_ALONE]);
    let id = world.register(REDIRECT_URI);
    let (_, page) = refused(&mut world, &id);
    let back = link(&page, "Back to ");
    assert!(back.as_str().starts_with(REDIRECT_URI), "{back}");
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("client state"));
    assert_eq!(parameter(&back, "iss").as_deref(), Some(ISSUER));
    let description = parameter(&back, "error_description").unwrap();
    assert!(description.contains("may not use this server"));
    // Whose account it was is not the client's to know.
    assert!(!back.as_str().contains("person-1"));
}

#[test]
fn another_account_can_be_tried_for_the_same_request() {
    let mut world = world(&[STAFF_ALONE]);
    let id = world.register(REDIRECT_URI);
    let (mut browser, page) = refused(&mut world, &id);
    let again = link(&page, "Try another account");
    assert!(again.as_str().starts_with(&format!("{ISSUER}/authorize?")));
    assert_eq!(
        parameter(&again, "prompt").as_deref(),
        Some("select_account")
    );
    now_has(&world, &["staff"]);
    let answer = world.begin_login(&mut browser, again.query().unwrap());
    assert_eq!(answer.status, 303);
    let asked = world
        .provider
        .logins
        .lock()
        .unwrap()
        .last()
        .unwrap()
        .prompt
        .clone();
    assert_eq!(asked.as_deref(), Some("select_account"));
    let back = world.finish_login(&mut browser);
    assert_eq!(back.redirect()["state"], "client state");
    let code = back.redirect()["code"].clone();
    assert_eq!(world.redeem(&id, &code).status, 200);
}

#[test]
fn a_person_of_an_unverified_address_is_told_that_it_is_that() {
    let mut world = world(&[("allowed", "domain:example.com")]);
    world.provider.email = Some(("ann@example.com".into(), false));
    let id = world.register(REDIRECT_URI);
    let (_, page) = refused(&mut world, &id);
    assert!(page.body.contains("does not say that it has verified"));
    world.provider.email = Some(("ann@example.com".into(), true));
    sign_in(&mut world);
}

#[test]
fn a_remembered_consent_lets_no_one_in_whom_the_policy_refuses() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let id = world.register(REDIRECT_URI);
    let request = query(&id, REDIRECT_URI);
    let mut browser = Browser::default();
    let page = browser.open(&mut world, &format!("/authorize?{request}"));
    let sealed = page.consent();
    let form = [
        ("consent", &*sealed),
        ("decision", "allow"),
        ("remember", "yes"),
    ];
    browser.post(&mut world, &form);
    assert!(
        world
            .finish_login(&mut browser)
            .redirect()
            .contains_key("code")
    );
    now_has(&world, &[]);
    let begun = browser.open(&mut world, &format!("/authorize?{request}"));
    assert_eq!(begun.status, 303, "it is remembered");
    assert_eq!(world.finish_login(&mut browser).status, 403);
    // Nor is another person asked about the client.
    world.provider.subject = "another".into();
    browser.open(&mut world, &format!("/authorize?{request}"));
    assert_eq!(world.finish_login(&mut browser).status, 403);
}

#[test]
fn a_person_gets_the_scopes_that_the_rules_give() {
    let mut world = world(&[RULES]);
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    let page = browser.open(
        &mut world,
        &format!("/authorize?{}", query(&id, REDIRECT_URI)),
    );
    assert!(
        page.body
            .contains("Anything that your account itself may not do is left out.")
    );
    for (roles, scope) in [
        (&["staff"][..], "tools offline_access"),
        (&["admin"], "tools userinfo offline_access"),
    ] {
        now_has(&world, roles);
        let (_, tokens) = sign_in(&mut world);
        assert_eq!(tokens["scope"], scope);
    }
    // No one gets a grant with nothing in it.
    now_has(&world, &["guest"]);
    let (_, page) = refused(&mut world, &id);
    assert!(
        page.body
            .contains("none of the permissions that the app asked for")
    );
    assert_eq!(
        parameter(&link(&page, "Back to "), "error").as_deref(),
        Some("access_denied")
    );
}

#[test]
fn the_account_page_is_open_to_who_may_no_longer_come_in() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    sign_in(&mut world);
    now_has(&world, &[]);
    let mut browser = Browser::default();
    assert_eq!(browser.open(&mut world, "/account/sign-in").status, 303);
    assert_eq!(world.finish_login(&mut browser).status, 303);
    let account = browser.open(&mut world, "/account");
    assert_eq!(account.status, 200);
    assert!(account.body.contains("Test App"), "{}", account.body);
}

#[test]
fn as_long_as_the_providers_token_lives_a_refresh_asks_the_provider_nothing() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    now_has(&world, &[]);
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    assert!(refreshes(&world).is_empty());
}

#[test]
fn without_a_policy_a_refresh_never_asks_the_provider() {
    let mut world = world(&[]);
    let (id, tokens) = sign_in(&mut world);
    world.now += 700;
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    assert!(refreshes(&world).is_empty());
}

#[test]
fn who_may_no_longer_come_in_loses_the_grant_at_the_next_refresh() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    now_has(&world, &[]);
    world.now += 700;
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    let description = answer.json()["error_description"].to_string();
    assert!(
        description.contains("may not use this server"),
        "{description}"
    );
    let revoked = world.revocations.take();
    assert_eq!(revoked[0].access_token, "upstream-1");
    let events = world.events();
    let revocation = &events[events.len() - 2];
    assert_eq!(revocation["event"], "revocation");
    assert_eq!(revocation["by"], "policy");
    assert_eq!(revocation["subject"], "person-1");
    assert_eq!(revocation["client_id"], id);
    now_has(&world, &["staff"]);
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
}

#[test]
fn a_lost_role_costs_its_scopes_at_the_next_token_and_brings_them_back() {
    let mut world = world(&[RULES]);
    now_has(&world, &["admin"]);
    let (id, mut tokens) = sign_in(&mut world);
    for (roles, scope) in [
        (&["staff"], "tools offline_access"),
        (&["admin"], "tools userinfo offline_access"),
    ] {
        now_has(&world, roles);
        world.now += 1000;
        world.provider.tokens_end_at = Some(world.now - 400);
        let answer = refresh(&mut world, &id, &tokens);
        assert_eq!(answer.status, 200, "{answer:?}");
        tokens = answer.json();
        assert_eq!(tokens["scope"], scope);
    }
    assert_eq!(refreshes(&world), ["refresh-0", "refresh-1"]);
    // A client that names again what it was granted loses what it lost, and no more.
    now_has(&world, &["staff"]);
    world.now += 1000;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", &id),
        ("scope", "tools userinfo"),
    ];
    let answer = world.post_form("/token", &form);
    assert_eq!(answer.json()["scope"], "tools", "{answer:?}");
    // Without any left, the person is one who may not come in.
    now_has(&world, &[]);
    world.now += 2000;
    let answer = refresh(&mut world, &id, &answer.json());
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
}

#[test]
fn a_role_that_was_not_there_at_the_sign_in_widens_no_grant() {
    let mut world = world(&[RULES]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    now_has(&world, &["admin"]);
    world.now += 700;
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.json()["scope"], "tools offline_access");
}

#[test]
fn a_provider_that_does_not_answer_costs_503_and_nothing_else() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    world.now += 700;
    let down = identity::Error::Unavailable("it is down".into());
    *world.provider.refresh_failure.lock().unwrap() = Some(down);
    for _ in 0..3 {
        let answer = refresh(&mut world, &id, &tokens);
        assert_eq!(answer.error(), (503, "temporarily_unavailable".into()));
        assert!(!answer.header("retry-after").is_empty());
    }
    *world.provider.refresh_failure.lock().unwrap() = None;
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    assert_eq!(refreshes(&world), ["refresh-0"; 4]);
}

#[test]
fn tokens_without_a_word_on_the_person_are_kept_and_decide_nothing() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    world.now += 700;
    let silent = RefreshedProfile::Unavailable("userinfo is down".into());
    *world.provider.profile_failure.lock().unwrap() = Some(silent);
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (503, "temporarily_unavailable".into()));
    *world.provider.profile_failure.lock().unwrap() = None;
    now_has(&world, &[]);
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    assert_eq!(refreshes(&world), ["refresh-0", "refresh-1"]);
}

#[test]
fn what_a_provider_says_at_no_refresh_is_as_it_was_at_the_sign_in() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    now_has(&world, &[]);
    world.now += 700;
    *world.provider.profile_failure.lock().unwrap() = Some(RefreshedProfile::Unchanged);
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    // Nor is there more to know without a refresh token of the provider's.
    let mut world = self::world(&[STAFF_ALONE]);
    world.provider.refresh_token = None;
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    now_has(&world, &[]);
    world.now += 700;
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    assert!(refreshes(&world).is_empty());
}

#[test]
fn a_person_whom_the_provider_no_longer_knows_loses_the_grant() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    world.now += 700;
    let refused = identity::Error::Refused("the user is disabled".into());
    *world.provider.refresh_failure.lock().unwrap() = Some(refused);
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    *world.provider.refresh_failure.lock().unwrap() = None;
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    assert_eq!(refreshes(&world).len(), 1);
}

#[test]
fn refreshed_tokens_of_another_person_end_the_grant_and_are_revoked() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    world.now += 700;
    world.provider.subject = "another".into();
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    let revoked = world.revocations.take();
    assert!(
        revoked
            .iter()
            .any(|tokens| tokens.access_token == "upstream-1")
    );
}

#[test]
fn tokens_that_do_not_say_when_they_end_are_refreshed_each_time() {
    let mut world = world(&[STAFF_ALONE]);
    world.provider.tokens_end_at = None;
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    let tokens = refresh(&mut world, &id, &tokens).json();
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    assert_eq!(refreshes(&world), ["refresh-0", "refresh-1"]);
}

#[test]
fn what_will_be_refused_anyway_asks_the_provider_nothing() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    refresh(&mut world, &id, &tokens);
    world.now += 700;
    // Replaced long ago; of another client; beyond the grant.
    let other = world.register("https://other.example/cb");
    let answer = refresh(&mut world, &other, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    let answer = refresh(&mut world, &id, &tokens);
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    assert!(refreshes(&world).is_empty());
}

#[test]
fn a_clients_own_grant_is_under_no_policy_about_people() {
    const CLIENTS: &str = r#"[{"client_id": "nightly", "client_secret": "0123456789abcdef0123456789abcdef",
        "token_endpoint_auth_method": "client_secret_post", "grant_types": ["client_credentials"], "scope": "tools"}]"#;
    let mut world = world(&[("allowed", "subject:unknown"), RULES, ("clients", CLIENTS)]);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "nightly"),
        ("client_secret", "0123456789abcdef0123456789abcdef"),
    ];
    let answer = world.post_form("/token", &form);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["scope"], "tools");
}

#[test]
fn what_a_refresh_says_of_a_person_lies_sealed() {
    let mut world = world(&[STAFF_ALONE]);
    now_has(&world, &["staff"]);
    let (id, tokens) = sign_in(&mut world);
    now_has(&world, &["staff", "secret-role"]);
    world.now += 700;
    assert_eq!(refresh(&mut world, &id, &tokens).status, 200);
    let backend = world.store.backend();
    for key in backend.keys() {
        let value = block_on(backend.get(&key)).unwrap().unwrap();
        assert!(
            !String::from_utf8_lossy(&value).contains("secret-role"),
            "{key}"
        );
    }
}

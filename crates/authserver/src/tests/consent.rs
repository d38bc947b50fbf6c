//! Warnings of the consent page, and remembered consents.

use super::world::{Answer, Browser, REDIRECT_URI, World, query, request};
use bytes::Bytes;
use serde_json::json;

fn register(world: &mut World, metadata: serde_json::Value) -> String {
    let mut body = json!({
        "client_name": "Notes",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    });
    body.as_object_mut()
        .unwrap()
        .extend(metadata.as_object().unwrap().clone());
    let answer = world.register_json(&body);
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

fn ask(world: &mut World, browser: &mut Browser, id: &str, more: &str) -> Answer {
    let path = format!("/authorize?{}{more}", query(id, REDIRECT_URI));
    browser.open(world, &path)
}

/// Allows and signs in, with the box ticked.
fn remember(world: &mut World, browser: &mut Browser, id: &str) {
    let sealed = ask(world, browser, id, "").consent();
    let form = [
        ("consent", sealed.as_str()),
        ("decision", "allow"),
        ("remember", "yes"),
    ];
    browser.post(world, &form);
    let answer = world.finish_login(browser);
    assert!(answer.redirect().contains_key("code"));
}

#[test]
fn a_remembered_consent_holds_for_thirty_days() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let mut browser = Browser::default();
    remember(&mut world, &mut browser, &id);
    assert!(browser.has("__Host-gatehouse-remembered"));
    let answer = ask(&mut world, &mut browser, &id, "");
    assert!(answer.location().starts_with("https://idp.example/"));
    assert!(
        world
            .finish_login(&mut browser)
            .redirect()
            .contains_key("code")
    );
    let asked = ask(&mut world, &mut Browser::default(), &id, "");
    assert_eq!(asked.status, 200, "another browser remembers nothing");
    world.now += 30 * 86_400;
    assert_eq!(ask(&mut world, &mut browser, &id, "").status, 200);
}

#[test]
fn nothing_is_remembered_unless_the_person_ticks_the_box() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
    world.finish_login(&mut browser);
    assert!(!browser.has("__Host-gatehouse-remembered"));
    assert_eq!(ask(&mut world, &mut browser, &id, "").status, 200);
}

#[test]
fn an_error_redirects_to_a_client_whose_consent_this_browser_remembers() {
    let mut world = World::new();
    let uris = json!({ "redirect_uris": [REDIRECT_URI, "https://other.example/cb"] });
    let id = register(&mut world, uris);
    let mut browser = Browser::default();
    // A consent that was given and is not remembered does not count.
    world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
    world.finish_login(&mut browser);
    let more = "&prompt=none&scope=tools";
    assert_eq!(ask(&mut world, &mut browser, &id, more).status, 400);
    remember(&mut world, &mut browser, &id);
    let answer = ask(&mut world, &mut browser, &id, more);
    assert!(answer.location().starts_with(REDIRECT_URI));
    assert_eq!(answer.redirect()["error"], "login_required");
    // Not for another redirect URI, another client, another browser, or longer than it is remembered.
    let elsewhere = query(&id, "https://other.example/cb");
    let elsewhere = browser.open(&mut world, &format!("/authorize?{elsewhere}{more}"));
    assert_eq!(elsewhere.status, 400);
    let other = register(&mut world, json!({}));
    assert_eq!(ask(&mut world, &mut browser, &other, more).status, 400);
    let stranger = &mut Browser::default();
    assert_eq!(ask(&mut world, stranger, &id, more).status, 400);
    world.now += 30 * 86_400;
    assert_eq!(ask(&mut world, &mut browser, &id, more).status, 400);
}

#[test]
fn a_remembered_consent_is_asked_again_when_more_is_asked_of_the_provider() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let mut browser = Browser::default();
    remember(&mut world, &mut browser, &id);
    ask(&mut world, &mut browser, &id, "").location();
    world.provider.scopes.push("phone".to_owned());
    assert_eq!(ask(&mut world, &mut browser, &id, "").status, 200);
}

#[test]
fn https_to_this_machine_cannot_be_remembered() {
    for uri in [
        "https://127.0.0.1/cb",
        "https://[::1]/cb",
        "https://2130706433/cb",
    ] {
        let mut world = World::new();
        let id = register(&mut world, json!({ "redirect_uris": [uri] }));
        let page = world.get(&format!("/authorize?{}", query(&id, uri)));
        assert!(page.body.contains("a program on this computer"), "{uri}");
        assert!(!page.body.contains("remember"), "{uri}");
    }
}

#[test]
fn an_app_that_calls_itself_as_this_server_or_its_provider_does_is_warned_of() {
    for name in ["Gatehouse", "Gаtehouse", "Test Provider", "ᴛᴇꜱᴛ Provider"] {
        let mut world = World::new();
        let id = register(&mut world, json!({ "client_name": name }));
        let page = ask(&mut world, &mut Browser::default(), &id, "");
        assert!(page.body.contains("Be careful"), "{name}");
    }
    // The operator vouches for their own.
    let clients = json!([{
        "client_id": "own",
        "client_name": "Test Provider Notes",
        "redirect_uris": [REDIRECT_URI],
    }]);
    let mut world = World::with(&[("clients", &clients.to_string())]);
    let page = ask(&mut world, &mut Browser::default(), "own", "");
    assert!(!page.body.contains("Be careful"));
}

#[test]
fn a_remembered_consent_is_asked_again_when_anything_of_it_changes() {
    let mut world = World::new();
    let id = register(
        &mut world,
        json!({ "redirect_uris": [REDIRECT_URI, "https://other.example/cb"] }),
    );
    let mut browser = Browser::default();
    remember(&mut world, &mut browser, &id);
    for more in [
        "&scope=tools",
        "&resource=https://mcp.example.com/sse",
        "&prompt=consent",
    ] {
        assert_eq!(
            ask(&mut world, &mut browser, &id, more).status,
            200,
            "{more}"
        );
    }
    let elsewhere = format!("/authorize?{}", query(&id, "https://other.example/cb"));
    assert_eq!(browser.open(&mut world, &elsewhere).status, 200);
    // Its name, as it would be after an update of its metadata.
    let key = format!("t:client:{id}");
    let record = futures::executor::block_on(store::KeyValue::get(world.store.backend(), &key));
    let record = String::from_utf8(record.unwrap().unwrap()).unwrap();
    let renamed = record.replace("Notes", "Notes 2");
    assert_ne!(record, renamed);
    let set = store::KeyValue::set(world.store.backend(), &key, renamed.as_bytes(), None);
    futures::executor::block_on(set).unwrap();
    assert_eq!(ask(&mut world, &mut browser, &id, "").status, 200);
}

#[test]
fn a_consent_of_another_person_in_the_same_browser_is_asked_again() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let mut browser = Browser::default();
    remember(&mut world, &mut browser, &id);
    ask(&mut world, &mut browser, &id, "").location();
    world.provider.subject = "person-2".into();
    let asked = world.finish_login(&mut browser);
    assert_eq!(asked.status, 200, "{asked:?}");
    let sealed = asked.consent();
    browser.post(&mut world, &[("consent", &sealed), ("decision", "allow")]);
    assert!(
        world
            .finish_login(&mut browser)
            .redirect()
            .contains_key("code")
    );
}

#[test]
fn a_program_on_the_persons_machine_cannot_be_remembered() {
    let mut world = World::new();
    let uri = "http://127.0.0.1/cb";
    let id = register(&mut world, json!({ "redirect_uris": [uri] }));
    let mut browser = Browser::default();
    let path = format!("/authorize?{}", query(&id, uri));
    let page = browser.open(&mut world, &path);
    assert!(!page.body.contains("remember"));
    let sealed = page.consent();
    let form = [
        ("consent", sealed.as_str()),
        ("decision", "allow"),
        ("remember", "yes"),
    ];
    browser.post(&mut world, &form);
    world.finish_login(&mut browser);
    assert_eq!(browser.open(&mut world, &path).status, 200);
}

#[test]
fn a_form_leads_to_one_sign_in_and_back_before_its_end_still_works() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let mut browser = Browser::default();
    let sealed = ask(&mut world, &mut browser, &id, "").consent();
    let form = [("consent", sealed.as_str()), ("decision", "allow")];
    browser.post(&mut world, &form);
    let first = world.callback_path();
    // Back from the provider's page, and allowed again.
    browser.post(&mut world, &form).location();
    assert!(
        world
            .finish_login(&mut browser)
            .redirect()
            .contains_key("code")
    );
    // Neither the form nor the other state leads anywhere any more.
    let again = browser.post(&mut world, &form);
    assert_eq!(again.status, 400);
    assert!(again.body.contains("already answered"));
    assert_eq!(browser.open(&mut world, &first).status, 400);
}

#[test]
fn a_form_that_was_refused_cannot_be_allowed_and_nothing_is_written_for_it() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let mut browser = Browser::default();
    let keys = world.store.backend().keys();
    let sealed = ask(&mut world, &mut browser, &id, "").consent();
    let other_tab = ask(&mut world, &mut browser, &id, "").consent();
    let denied = browser.post(&mut world, &[("consent", &sealed), ("decision", "deny")]);
    assert_eq!(denied.redirect()["error"], "access_denied");
    let form = [("consent", sealed.as_str()), ("decision", "allow")];
    assert_eq!(browser.post(&mut world, &form).status, 400);
    assert_eq!(world.store.backend().keys(), keys);
    // The other tab's form is another one.
    let form = [("consent", other_tab.as_str()), ("decision", "allow")];
    browser.post(&mut world, &form).location();
}

#[test]
fn a_form_that_a_browser_says_comes_from_elsewhere_is_refused() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let mut browser = Browser::default();
        let sealed = ask(&mut world, &mut browser, &id, "").consent();
        let form = [("consent", sealed.as_str()), ("decision", "allow")];
        let request = request("POST", "/authorize")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", browser.cookies())
            .header(name, value);
        let answer = world.send(request.body(super::world::encode(&form)).unwrap());
        assert_eq!(answer.status, 400, "{name}");
    }
}

#[test]
fn an_app_that_imitates_a_known_one_is_warned_of_in_words() {
    let mut world = World::new();
    let honest = register(&mut world, json!({}));
    let page = ask(&mut world, &mut Browser::default(), &honest, "");
    assert!(!page.body.contains("Be careful"));
    let id = register(&mut world, json!({ "client_name": "Claude" }));
    let page = ask(&mut world, &mut Browser::default(), &id, "");
    assert!(page.body.contains("Be careful"));
    assert!(page.body.contains("calls itself Claude"));
}

#[test]
fn a_logo_is_fetched_only_where_the_operator_allows_it_and_from_its_host_alone() {
    let mut world = World::new();
    let logo = json!({ "logo_uri": "https://pictures.example/a.png" });
    let id = register(&mut world, logo);
    let page = ask(&mut world, &mut Browser::default(), &id, "");
    assert!(
        page.body
            .contains(r#"src="https://pictures.example/a.png""#)
    );
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; img-src data: https://pictures.example"));
    world.config.show_logos = false;
    let page = ask(&mut world, &mut Browser::default(), &id, "");
    assert!(!page.body.contains("pictures.example"));
    assert!(!page.header("content-security-policy").contains("pictures"));
}

#[test]
fn what_the_client_asks_of_the_sign_in_reaches_the_provider() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let query = format!("{}&prompt=login", query(&id, REDIRECT_URI));
    world.begin_login(&mut Browser::default(), &query);
    let logins = world.provider.logins.lock().unwrap();
    assert_eq!(logins[0].prompt.as_deref(), Some("login"));
}

#[test]
fn a_remembered_consent_is_not_begun_for_a_request_without_a_cookie_of_ours() {
    let mut world = World::new();
    let id = register(&mut world, json!({}));
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let request = request("GET", &path).header("cookie", "__Host-gatehouse-remembered=forged");
    assert_eq!(world.send(request.body(Bytes::new()).unwrap()).status, 200);
}

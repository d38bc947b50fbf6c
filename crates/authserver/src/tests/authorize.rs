use super::world::{Browser, ISSUER, REDIRECT_URI, World, query, request};
use bytes::Bytes;
use serde_json::json;

#[test]
fn an_unknown_client_gets_a_page_that_says_what_to_do() {
    let mut world = World::new();
    for id in ["unknown", "../../x", "", &"a".repeat(300)] {
        let answer = world.get(&format!("/authorize?{}", query(id, REDIRECT_URI)));
        assert_eq!(answer.status, 400);
        assert!(!answer.headers.contains_key("location"));
    }
    let answer = world.get(&format!("/authorize?{}", query("unknown", REDIRECT_URI)));
    assert!(answer.body.contains("Remove this server") && answer.body.contains("Add it again"));
}

#[test]
fn a_redirect_uri_that_is_not_registered_is_never_followed() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    // Everything else is wrong as well: the redirect URI decides first.
    for redirect_uri in ["https://evil.example/cb", "https://client.example/cb2"] {
        let path =
            format!("/authorize?client_id={id}&response_type=token&redirect_uri={redirect_uri}");
        let answer = world.get(&path);
        assert_eq!(answer.status, 400);
        assert!(!answer.headers.contains_key("location"));
    }
    for twice in ["client_id=x", "redirect_uri=https://client.example/cb"] {
        let answer = world.get(&format!("/authorize?{}&{twice}", query(&id, REDIRECT_URI)));
        assert_eq!(answer.status, 400);
        assert!(!answer.headers.contains_key("location"));
    }
}

/// Returns what is wrong with a request whose client and redirect URI are good, and the error it is.
fn faulty(good: &str) -> Vec<(String, &'static str)> {
    vec![
        (
            good.replace("=code&", "=token&"),
            "unsupported_response_type",
        ),
        (good.replace("S256", "plain"), "invalid_request"),
        (good.replace("code_challenge=", "x="), "invalid_request"),
        (format!("{good}&scope=a&scope=b"), "invalid_request"),
        (
            format!("{good}&resource=https://other.example"),
            "invalid_target",
        ),
        (format!("{good}&request_uri=x"), "request_uri_not_supported"),
        (format!("{good}&prompt=none"), "login_required"),
        (format!("{good}&prompt=none+login"), "invalid_request"),
    ]
}

#[test]
fn any_other_error_goes_back_with_state_and_iss() {
    let uri = "http://127.0.0.1:4000/cb";
    let mut world = World::new();
    let id = world.register(uri);
    let good = query(&id, uri);
    for (bad, code) in faulty(&good) {
        let answer = world.get(&format!("/authorize?{bad}"));
        assert!(answer.location().starts_with("http://127.0.0.1:4000/cb?"));
        let parameters = answer.redirect();
        assert_eq!(parameters["error"], code, "{bad}");
        assert_eq!(parameters["state"], "client state");
        assert_eq!(parameters["iss"], ISSUER);
    }
    let answer = world.get(&format!("/authorize?{good}&state=other"));
    assert_eq!(answer.redirect()["error"], "invalid_request");
    assert!(!answer.redirect().contains_key("state"));
}

#[test]
fn an_error_redirects_to_no_host_that_a_stranger_registered() {
    let mut world = World::new();
    for uri in [REDIRECT_URI, "cursor://a/cb", "com.example.app:/cb"] {
        let id = world.register(uri);
        for (bad, code) in faulty(&query(&id, uri)) {
            let answer = world.get(&format!("/authorize?{bad}"));
            assert_eq!(answer.status, 400, "{bad}");
            assert!(!answer.headers.contains_key("location"));
            let place = uri.split("/cb").next().unwrap();
            let link = format!(r#"href="{uri}?error={code}&amp;"#);
            for told in ["Test App", place, code, &link, r#"rel="noreferrer""#] {
                assert!(answer.body.contains(told), "{told}: {}", answer.body);
            }
            assert!(answer.body.contains("state=client+state"));
            assert!(!answer.body.contains("http-equiv"));
        }
    }
    assert!(world.provider.logins.lock().unwrap().is_empty());
}

#[test]
fn an_error_redirects_to_loopback_whatever_the_scheme_of_the_redirect_uri() {
    for uri in [
        "https://127.0.0.1/cb",
        "https://[::1]/cb",
        "https://2130706433/cb",
        "https://localhost/cb",
    ] {
        let mut world = World::new();
        let id = world.register(uri);
        let answer = world.get(&format!("/authorize?{}&prompt=none", query(&id, uri)));
        assert!(answer.location().starts_with(uri));
    }
}

#[test]
fn an_error_redirects_to_a_client_that_the_operator_configured() {
    let uri = "myapp://cb";
    let clients = json!([{ "client_id": "own", "redirect_uris": [REDIRECT_URI, uri] }]);
    let mut world = World::with(&[("clients", &clients.to_string())]);
    for uri in [REDIRECT_URI, uri] {
        let answer = world.get(&format!("/authorize?{}&prompt=none", query("own", uri)));
        assert!(answer.location().starts_with(uri));
        assert_eq!(answer.redirect()["error"], "login_required");
    }
}

#[test]
fn an_error_redirects_to_a_metadata_documents_own_origin_and_to_no_other() {
    let mut world = World::new();
    let id = "https://app.example/client.json";
    let own = "https://app.example/cb";
    let others = [
        "https://other.example/cb",
        "https://www.app.example/cb",
        "https://app.example:8443/cb",
        "cursor://app.example/cb",
    ];
    let mut uris = vec![own];
    uris.extend(others);
    let document = json!({ "client_id": id, "client_name": "App", "redirect_uris": uris });
    world.hosts.publish(id, &document);
    let answer = world.get(&format!("/authorize?{}&prompt=none", query(id, own)));
    assert!(answer.location().starts_with(own));
    for uri in others {
        let answer = world.get(&format!("/authorize?{}&prompt=none", query(id, uri)));
        assert_eq!(answer.status, 400, "{uri}");
        assert!(!answer.headers.contains_key("location"));
    }
}

#[test]
fn a_redirect_uri_that_was_registered_under_other_rules_is_refused_in_words() {
    let mut world = World::new();
    let uri = "cursor://a/cb";
    let id = world.register(uri);
    let path = format!("/authorize?{}", query(&id, uri));
    assert_eq!(world.get(&path).status, 200);
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(&id, uri));
    world.config.clients.private_use = oauth::redirect_uri::PrivateUse::Off;
    let answer = world.get(&path);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("private-use schemes are switched off"));
    assert!(!answer.body.contains("href=\"cursor:"));
    // So is a sign-in that had begun.
    let refused = world.finish_login(&mut browser);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(!refused.headers.contains_key("location"));
}

#[test]
fn what_the_page_about_an_error_says_is_escaped() {
    let mut world = World::new();
    let uri = "https://client.example/cb?a='b'&c=d";
    let answer = world.register_json(&json!({
        "client_name": "<script>alert(1)</script>",
        "redirect_uris": [uri],
        "token_endpoint_auth_method": "none",
    }));
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let bad = "&%3Cscript%3E=1&%3Cscript%3E=2&state=%22%3E%3Cscript%3E";
    let path = format!("/authorize?{}{bad}&prompt=none", query(&id, uri));
    let page = world.get(&path.replace("&state=client+state", ""));
    assert_eq!(page.status, 400);
    assert!(!page.body.contains("<script") && page.body.contains("&lt;script&gt;"));
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'none'")
    );
}

#[test]
fn the_consent_page_names_client_host_and_scopes() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let answer = world.get(&format!(
        "/authorize?{}&scope=userinfo",
        query(&id, REDIRECT_URI)
    ));
    assert_eq!(answer.status, 200);
    for text in [
        "Test App",
        "client.example",
        "mcp.example.com",
        "see your profile",
        "Test Provider",
    ] {
        assert!(answer.body.contains(text), "{text}");
    }
    assert!(!answer.body.contains("use the tools"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    // Chromium would hold the client's own redirects to it.
    assert!(!policy.contains("form-action"));
    assert!(world.provider.logins.lock().unwrap().is_empty());
}

#[test]
fn the_consent_page_shows_the_whole_redirect_uri_and_what_is_asked_of_the_provider() {
    let mut world = World::new();
    let uri = "https://client.example/a/long/path?tenant=1&amp=2";
    let id = world.register(uri);
    let answer = world.get(&format!("/authorize?{}", query(&id, uri)));
    for text in [
        "https://client.example/a/long/path?tenant=1&amp;amp=2",
        "This server will ask Test Provider for",
        "who you are there",
        "your email address",
    ] {
        assert!(answer.body.contains(text), "{text}: {}", answer.body);
    }
    assert!(!answer.body.contains("your phone number"));
    world.provider.scopes.clear();
    let answer = world.get(&format!("/authorize?{}", query(&id, uri)));
    assert!(!answer.body.contains("This server will ask"));
}

#[test]
fn what_a_client_says_of_itself_is_escaped() {
    let mut world = World::new();
    let answer = world.register_json(&json!({
        "client_name": "<img src=x onerror=alert(1)>\"'",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    }));
    let json = answer.json();
    let id = json["client_id"].as_str().unwrap();
    let page = world.get(&format!("/authorize?{}", query(id, REDIRECT_URI)));
    assert!(!page.body.contains("<img") && page.body.contains("&lt;img"));
}

#[test]
fn a_loopback_client_may_choose_its_port_and_the_person_is_told() {
    let mut world = World::new();
    let id = world.register("http://127.0.0.1/cb");
    let answer = world.get(&format!(
        "/authorize?{}",
        query(&id, "http://127.0.0.1:41234/cb")
    ));
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("a program on this computer"));
    let other = world.get(&format!(
        "/authorize?{}",
        query(&id, "http://localhost:41234/cb")
    ));
    assert_eq!(other.status, 400);
}

#[test]
fn a_request_may_come_by_post_as_well() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let form = query(&id, REDIRECT_URI);
    let request =
        request("POST", "/authorize").header("content-type", "application/x-www-form-urlencoded");
    let answer = world.send(request.body(form.into()).unwrap());
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Test App"));
}

#[test]
fn a_head_request_gets_the_headers_alone_and_other_methods_405() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let head = world.send(request("HEAD", &path).body(Bytes::new()).unwrap());
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let put = world.send(request("PUT", &path).body(Bytes::new()).unwrap());
    assert_eq!((put.status, put.header("allow")), (405, "GET, HEAD, POST"));
}

#[test]
fn allowing_sets_the_login_cookie_and_goes_to_the_provider() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    let page = browser.open(
        &mut world,
        &format!("/authorize?{}", query(&id, REDIRECT_URI)),
    );
    assert!(browser.has("__Host-gatehouse-consent"));
    assert!(!browser.has("__Host-gatehouse-login"));
    let sealed = page.consent();
    let answer = browser.post(&mut world, &[("consent", &sealed), ("decision", "allow")]);
    assert!(
        answer
            .location()
            .starts_with("https://idp.example/login?state=")
    );
    assert!(browser.has("__Host-gatehouse-login"));
    let login = world.provider.logins.lock().unwrap()[0].clone();
    assert_eq!(login.redirect_uri, "https://mcp.example.com/callback");
}

#[test]
fn saying_no_goes_back_as_access_denied_and_anything_but_yes_is_no() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    for decision in ["deny", "other"] {
        let mut browser = Browser::default();
        let page = browser.open(
            &mut world,
            &format!("/authorize?{}", query(&id, REDIRECT_URI)),
        );
        let sealed = page.consent();
        let answer = browser.post(&mut world, &[("consent", &sealed), ("decision", decision)]);
        let parameters = answer.redirect();
        assert_eq!(parameters["error"], "access_denied");
        assert_eq!(parameters["state"], "client state");
        assert_eq!(parameters["iss"], ISSUER);
    }
    assert!(world.provider.logins.lock().unwrap().is_empty());
}

#[test]
fn a_consent_form_is_good_in_its_own_browser_alone() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let sealed = Browser::default().open(&mut world, &path).consent();
    let form = [("consent", sealed.as_str()), ("decision", "allow")];
    let mut victim = Browser::default();
    assert_eq!(victim.post(&mut world, &form).status, 400);
    victim.open(&mut world, &path);
    assert_eq!(victim.post(&mut world, &form).status, 400);
    assert!(world.provider.logins.lock().unwrap().is_empty());
}

#[test]
fn a_consent_form_that_was_changed_or_is_old_is_refused() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let sealed = browser.open(&mut world, &path).consent();
    let changed = format!("{}A", &sealed[..sealed.len() - 1]);
    let changed = if changed == sealed {
        format!("{}B", &sealed[..sealed.len() - 1])
    } else {
        changed
    };
    for bad in [changed.as_str(), "x"] {
        let answer = browser.post(&mut world, &[("consent", bad), ("decision", "allow")]);
        assert_eq!(answer.status, 400);
    }
    world.now += 1800;
    let answer = browser.post(&mut world, &[("consent", &sealed), ("decision", "allow")]);
    assert_eq!(answer.status, 400);
}

#[test]
fn two_tabs_of_a_browser_do_not_disturb_each_other() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    let path = format!("/authorize?{}", query(&id, REDIRECT_URI));
    let first = browser.open(&mut world, &path).consent();
    let second = browser.open(&mut world, &path).consent();
    browser.post(&mut world, &[("consent", &first), ("decision", "allow")]);
    let first = world.callback_path();
    browser.post(&mut world, &[("consent", &second), ("decision", "allow")]);
    let second = world.callback_path();
    for callback in [first, second] {
        let answer = browser.open(&mut world, &callback);
        assert!(answer.redirect().contains_key("code"));
    }
}

#[test]
fn a_provider_that_is_not_set_up_is_said_on_a_page_and_one_that_is_down_goes_back() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let problem = "descope_project_id: it is not set".to_owned();
    world.provider.failure = Some(identity::Error::Misconfigured(problem.clone()));
    let answer = world.begin_login(&mut Browser::default(), &query(&id, REDIRECT_URI));
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains(&problem));
    world.provider.failure = Some(identity::Error::Unavailable("timeout".into()));
    let answer = world.begin_login(&mut Browser::default(), &query(&id, REDIRECT_URI));
    assert_eq!(answer.redirect()["error"], "temporarily_unavailable");
}

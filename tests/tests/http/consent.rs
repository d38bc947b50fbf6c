//! The consent page, remembered consents, and when a person is asked again.

use crate::pages::assert_strict;
use descope_emulator::{Config, Endpoint, User};
use gatehouse_tests::Form;
use gatehouse_tests::client::{REDIRECT_URI, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::{Client, Gatehouse, Page, Person, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Where a hosted client's answers go.
const HOSTED: &str = "https://notes.example/callback";

/// Of another server.
const OTHER_KEY: &str = "f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff";

const DAY: u64 = 86_400;

/// A hosted client: what is said to it can be remembered.
async fn register(gatehouse: &Gatehouse, more: Value) -> Client {
    let mut metadata = json!({
        "client_name": "Notes",
        "redirect_uris": [HOSTED],
        "token_endpoint_auth_method": "none",
    });
    for (name, value) in more.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    Client::register_as(gatehouse, metadata).await
}

/// An authorization URL of a hosted client, with other parameters than usual.
fn ask(client: &Client, other: &[(&'static str, &str)]) -> String {
    let mut request: HashMap<_, _> = client.authorization_request();
    request.insert("redirect_uri", HOSTED.to_owned());
    for (name, value) in other {
        request.insert(name, (*value).to_owned());
    }
    client.authorization_url(&request)
}

/// Says yes, with the box ticked, and signs in.
async fn allow_and_remember(person: &Person, url: &str) {
    let form = person.page(url).await.form().with("remember", "yes");
    let sent = person.send(&form, ("decision", "allow")).await;
    assert!(parameter(&person.finish(&sent).await, "code").is_some());
}

/// Whether the person is asked, rather than led on to Descope.
async fn is_asked(gatehouse: &Gatehouse, person: &Person, url: &str) -> bool {
    let response = person.open(url).await;
    if response.status() == 200 {
        return true;
    }
    let to = location(&response);
    assert!(
        to.as_str().starts_with(gatehouse.descope.base_url()),
        "{to}"
    );
    false
}

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_where_to_before_descope_is_contacted() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, json!({})).await;
    let page = Person::new().page(&ask(&client, &[])).await;
    let text = page.text();
    for told in [
        "Connect Notes?",
        "notes.example",
        "use the tools of this server",
        "see your profile",
        "access token that Descope issues for you",
        "you sign in with Descope next",
        HOSTED,
        "This server will ask Descope for",
        "who you are there",
        "your email address",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let narrow = Person::new()
        .page(&ask(&client, &[("scope", "tools")]))
        .await;
    assert!(!narrow.text().contains("see your profile"));
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn a_consent_is_remembered_for_thirty_days_where_the_person_says_so() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::new();
    let url = ask(&client, &[]);
    allow_and_remember(&person, &url).await;
    let again = person.open(&url).await;
    assert!(parameter(&person.finish(&again).await, "code").is_some());
    gatehouse.pass(30 * DAY - 600);
    assert!(!is_asked(&gatehouse, &person, &url).await);
    gatehouse.pass(600);
    assert!(is_asked(&gatehouse, &person, &url).await);
}

#[tokio::test]
async fn nothing_is_remembered_unless_the_person_ticks_the_box() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::new();
    let url = ask(&client, &[]);
    person.allow(&url).await;
    assert!(person.cookie("gatehouse-remembered").is_none());
    assert!(is_asked(&gatehouse, &person, &url).await);
    // A yes that was not followed by a sign-in does not count.
    let form = person.page(&url).await.form().with("remember", "yes");
    person.send(&form, ("decision", "allow")).await;
    assert!(is_asked(&gatehouse, &person, &url).await);
    // Nor is a no.
    let form = person.page(&url).await.form().with("remember", "yes");
    person.send(&form, ("decision", "deny")).await;
    assert!(is_asked(&gatehouse, &person, &url).await);
}

#[tokio::test]
async fn consent_is_asked_for_each_client_redirect_uri_resource_and_set_of_scopes() {
    let gatehouse = Gatehouse::start().await;
    let other_host = "https://other.example/callback";
    let uris = json!({ "redirect_uris": [HOSTED, other_host] });
    let client = register(&gatehouse, uris).await;
    let same_name = register(&gatehouse, json!({})).await;
    let person = Person::new();
    allow_and_remember(&person, &ask(&client, &[("scope", "tools userinfo")])).await;
    let known = [("scope", "tools userinfo")];
    assert!(!is_asked(&gatehouse, &person, &ask(&client, &known)).await);
    let asked_before = gatehouse.descope.requests(Endpoint::Authorize);
    let sse = gatehouse.url("/sse");
    for (what, url) in [
        ("another client", ask(&same_name, &known)),
        (
            "another redirect URI",
            ask(&client, &[known[0], ("redirect_uri", other_host)]),
        ),
        ("more scopes", ask(&client, &[])),
        ("fewer scopes", ask(&client, &[("scope", "tools")])),
        (
            "another resource",
            ask(&client, &[known[0], ("resource", &sse)]),
        ),
        (
            "a client that wants it asked",
            ask(&client, &[known[0], ("prompt", "consent")]),
        ),
    ] {
        assert!(is_asked(&gatehouse, &person, &url).await, "{what}");
    }
    assert!(is_asked(&gatehouse, &Person::new(), &ask(&client, &known)).await);
    assert_eq!(
        gatehouse.descope.requests(Endpoint::Authorize),
        asked_before
    );
}

#[tokio::test]
async fn a_client_that_says_something_else_of_itself_is_asked_about_again() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::new();
    let url = ask(&client, &[]);
    allow_and_remember(&person, &url).await;
    // RFC 7592 section 2.2.
    let mut changed = client.registration.clone();
    changed["client_name"] = json!("Notes and more");
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_id_issued_at",
    ] {
        changed.as_object_mut().unwrap().remove(name);
    }
    let text = |name: &str| client.registration[name].as_str().unwrap();
    let response = reqwest::Client::new()
        .put(text("registration_client_uri"))
        .bearer_auth(text("registration_access_token"))
        .json(&changed)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let page = person.page(&url).await;
    assert_eq!(page.heading(), "Connect Notes and more?");
}

#[tokio::test]
async fn a_remembered_consent_counts_for_the_person_who_gave_it_alone() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::new();
    let url = ask(&client, &[]);
    allow_and_remember(&person, &url).await;
    gatehouse
        .descope
        .sign_in_as(User::new("Eve", "eve@example.com"));
    let callback = person.come_back(&person.open(&url).await).await;
    let page = person.page(callback.as_str()).await;
    assert_eq!(page.heading(), "Connect Notes?");
    let sent = person.send(&page.form(), ("decision", "allow")).await;
    assert!(parameter(&person.finish(&sent).await, "code").is_some());
}

#[tokio::test]
async fn a_forged_changed_doubled_or_foreign_cookie_remembers_nothing() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::new();
    let url = ask(&client, &[]);
    allow_and_remember(&person, &url).await;
    person.open(&gatehouse.url("/account/sign-in")).await;
    let good = person.cookie("gatehouse-remembered").unwrap();
    let other_key = Settings::default().variable("encryption_key", OTHER_KEY);
    let elsewhere = Gatehouse::start_with(other_key).await;
    let stranger = Person::new();
    let theirs = register(&elsewhere, json!({})).await;
    allow_and_remember(&stranger, &ask(&theirs, &[])).await;
    let mut flipped = good.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    for (what, value) in [
        ("nothing", String::new()),
        ("words", "W10".to_owned()),
        ("a cut one", good[..good.len() - 4].to_owned()),
        ("a changed one", String::from_utf8(flipped).unwrap()),
        (
            "one of another key",
            stranger.cookie("gatehouse-remembered").unwrap(),
        ),
        (
            "one of another purpose",
            person.cookie("gatehouse-login").unwrap(),
        ),
        ("two", format!("{good}; gatehouse-remembered={good}")),
    ] {
        let copy = person.copy();
        copy.plant("gatehouse-remembered", value);
        assert!(is_asked(&gatehouse, &copy, &url).await, "{what}");
    }
    assert!(!is_asked(&gatehouse, &person.copy(), &url).await);
}

#[tokio::test]
async fn an_answer_that_stays_on_the_persons_device_is_warned_of_and_never_remembered() {
    let gatehouse = Gatehouse::start().await;
    for (uri, warning) in [
        (REDIRECT_URI, "a program that runs on this computer"),
        (
            "example.notes.app:/callback",
            "links that start with example.notes.app:",
        ),
        (
            "https://2130706433/callback",
            "a program that runs on this computer",
        ),
    ] {
        let client = register(&gatehouse, json!({ "redirect_uris": [uri] })).await;
        let person = Person::new();
        let url = ask(&client, &[("redirect_uri", uri)]);
        let page = person.page(&url).await;
        assert!(page.text().contains(warning), "{}", page.text());
        assert!(page.html.contains("class=\"warning\""));
        assert!(!page.html.contains("name=\"remember\""));
        let form = page.form().with("remember", "yes");
        let sent = person.send(&form, ("decision", "allow")).await;
        person.finish(&sent).await;
        assert!(person.cookie("gatehouse-remembered").is_none());
        assert!(is_asked(&gatehouse, &person, &url).await);
    }
}

#[tokio::test]
async fn a_name_or_host_that_imitates_a_known_one_is_warned_of_in_words() {
    let gatehouse = Gatehouse::start().await;
    for (name, uri, warned) in [
        (
            "Claude",
            HOSTED,
            Some("It calls itself Claude, but its answers go to notes.example"),
        ),
        (
            "Сlaude",
            REDIRECT_URI,
            Some("looks like Claude, and is not"),
        ),
        (
            "Pаypal",
            REDIRECT_URI,
            Some("letters of different alphabets"),
        ),
        (
            "Notes",
            "https://claude.ai.notes.example/callback",
            Some("claude.ai.notes.example looks like one of Claude, and is not"),
        ),
        (
            "ᴄʟᴀᴜᴅᴇ",
            REDIRECT_URI,
            Some("looks like Claude, and is not"),
        ),
        (
            "Descope",
            HOSTED,
            Some("It calls itself Descope, but its answers go to notes.example"),
        ),
        (
            "Gemini",
            "https://sites.google.com/callback",
            Some("It calls itself Gemini, but its answers go to sites.google.com"),
        ),
        ("Claude", "https://claude.ai/api/mcp/auth_callback", None),
        ("Claude Code", REDIRECT_URI, None),
        ("Notes", HOSTED, None),
    ] {
        let metadata = json!({ "client_name": name, "redirect_uris": [uri] });
        let client = register(&gatehouse, metadata).await;
        let url = ask(&client, &[("redirect_uri", uri)]);
        let text = Person::new().page(&url).await.text();
        match warned {
            Some(words) => {
                assert!(
                    text.contains("Be careful") && text.contains(words),
                    "{text}"
                );
            }
            None => assert!(!text.contains("Be careful"), "{name} at {uri}: {text}"),
        }
    }
}

#[tokio::test]
async fn a_consent_form_is_good_for_its_browser_alone_and_for_half_an_hour() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let mut form = person.page(&url).await.form();
    let stranger = Person::new();
    let theirs = stranger.page(&url).await.form();
    for (browser, form) in [
        (&Person::new(), &form),
        (&stranger, &form),
        (&person, &theirs),
        (
            &person,
            &Form {
                fields: Vec::new(),
                ..form.clone()
            },
        ),
    ] {
        let response = browser.send(form, ("decision", "allow")).await;
        assert_eq!(response.status(), 400);
    }
    // The clock runs on, so a second may begin between the page and its form: then once more.
    let mut lasts = false;
    for _ in 0..10 {
        form = person.page(&url).await.form();
        gatehouse.pass(1799);
        let sent = person.send(&form, ("decision", "allow")).await;
        lasts = sent.status().is_redirection();
        if lasts {
            break;
        }
    }
    assert!(lasts);
    gatehouse.pass(1);
    let page = Page::read(person.send(&form, ("decision", "allow")).await).await;
    assert_eq!(page.status, 400);
    assert_eq!(page.heading(), "This page has expired");
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn a_form_that_a_page_of_another_site_sends_is_refused() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let form = person.page(&url).await.form().with("decision", "allow");
    let ours = gatehouse.base();
    for (site, origin, is_taken) in [
        (Some("cross-site"), None, false),
        (Some("same-site"), Some("null"), false),
        (None, Some("https://evil.example"), false),
        (Some("same-origin"), Some("https://evil.example"), false),
        (Some("same-origin"), Some("null"), true),
        (Some("same-origin"), Some(ours.as_str()), true),
    ] {
        let mut request = person.request(Method::POST, form.action.as_str());
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = person.answer(request.form(&form.fields)).await;
        let taken = response.status().is_redirection();
        assert_eq!(taken, is_taken, "{site:?} {origin:?}");
    }
}

#[tokio::test]
async fn a_consent_form_leads_to_one_answer() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let url = client.authorization_url(&client.authorization_request());
    // A no is final.
    let person = Person::new();
    let form = person.page(&url).await.form();
    let back = location(&person.send(&form, ("decision", "deny")).await);
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("client-state"));
    assert_eq!(parameter(&back, "iss"), Some(gatehouse.base()));
    let page = Page::read(person.send(&form, ("decision", "allow")).await).await;
    assert_eq!(page.heading(), "You have already answered this");
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
    // A yes can be gone back from until the sign-in is complete, and is final then.
    let form = person.page(&url).await.form();
    person.send(&form, ("decision", "allow")).await;
    let sent = person.send(&form, ("decision", "allow")).await;
    assert!(parameter(&person.finish(&sent).await, "code").is_some());
    for decision in ["allow", "deny"] {
        let page = Page::read(person.send(&form, ("decision", decision)).await).await;
        assert_eq!(page.heading(), "You have already answered this");
    }
}

#[tokio::test]
async fn on_https_every_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
    const PUBLIC: &str = "https://mcp.example.com";
    let settings = Settings {
        descope: Config {
            redirect_uris: vec![format!("{PUBLIC}/callback")],
            ..Config::for_tests()
        },
        ..Settings::default()
    };
    let gatehouse = Gatehouse::start_with(settings.variable("public_url", PUBLIC)).await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::at(PUBLIC, &gatehouse);
    let resource = format!("{PUBLIC}/mcp");
    allow_and_remember(&person, &ask(&client, &[("resource", &resource)])).await;
    let sign_in = person.open(&format!("{PUBLIC}/account/sign-in")).await;
    let account = person.finish(&sign_in).await;
    assert_eq!(account.as_str(), format!("{PUBLIC}/account"));
    let token = person.page(account.as_str()).await.form_to("/sign-out");
    person.submit(&token).await;
    let mut names: Vec<_> = person
        .set_cookies()
        .iter()
        .map(|cookie| {
            let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
            for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
                assert!(attributes.contains(&attribute), "{cookie}");
            }
            assert!(!cookie.contains("Domain="), "{cookie}");
            cookie.split('=').next().unwrap_or_default().to_owned()
        })
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(
        names,
        [
            "__Host-gatehouse-account",
            "__Host-gatehouse-consent",
            "__Host-gatehouse-login",
            "__Host-gatehouse-remembered",
        ]
    );
}

#[tokio::test]
async fn a_cookie_without_the_host_prefix_counts_for_nothing_on_https() {
    const PUBLIC: &str = "https://mcp.example.com";
    let settings = Settings::default().variable("public_url", PUBLIC);
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = register(&gatehouse, json!({})).await;
    let person = Person::at(PUBLIC, &gatehouse);
    let resource = format!("{PUBLIC}/mcp");
    let form = person
        .page(&ask(&client, &[("resource", &resource)]))
        .await
        .form();
    // What a neighbouring host, or a plain http answer, could plant.
    let planted = Person::at(PUBLIC, &gatehouse);
    planted.plant(
        "gatehouse-consent",
        person.cookie("__Host-gatehouse-consent").unwrap(),
    );
    let response = planted.send(&form, ("decision", "allow")).await;
    assert_eq!(response.status(), 400);
    let response = person.send(&form, ("decision", "allow")).await;
    assert!(response.status().is_redirection());
}

#[tokio::test]
async fn whatever_a_client_says_of_itself_is_text_and_nothing_else() {
    let gatehouse = Gatehouse::start_with(Settings::default().variable("show_logos", "true")).await;
    let harmless = register(&gatehouse, said_by_a_client("Notes")).await;
    let harmless_page = Person::new().page(&ask(&harmless, &[("state", "s")])).await;
    for payload in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' autofocus onfocus='alert(1)",
        "</title><svg/onload=alert(1)>",
        "</style><style>*{display:none}</style>",
        "{{7*7}}${7*7}<!--",
        "javascript:alert(1)",
    ] {
        let client = register(&gatehouse, said_by_a_client(payload)).await;
        let url = ask(&client, &[("state", payload)]);
        let person = Person::new();
        let page = person.page(&url).await;
        assert_strict(&page);
        assert_eq!(page.tags(), harmless_page.tags(), "{payload}");
        assert!(page.text().contains(payload), "{payload}: {}", page.text());
        assert_eq!(page.policy("script-src"), None);
        // What goes back is a parameter, whatever it says.
        let back = location(&person.send(&page.form(), ("decision", "deny")).await);
        assert_eq!(parameter(&back, "state").as_deref(), Some(payload));
        assert_eq!(back.host_str(), Some("notes.example"));
    }
}

/// Every field in which a client may say what it likes.
fn said_by_a_client(text: &str) -> Value {
    json!({
        "client_name": text,
        "client_name#de": text,
        "client_uri": "https://notes.example/about",
        "logo_uri": "https://notes.example/logo.png?a=1&b=%22%3E%3Cscript%3E",
        "contacts": [text],
        "tos_uri": "https://notes.example/tos",
        "policy_uri": "https://notes.example/policy",
        "software_id": text,
        "software_version": text,
    })
}

#[tokio::test]
async fn a_page_of_ours_repeats_nothing_of_a_link_but_as_text() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let plain = {
        let mut request = client.authorization_request();
        request.insert("client_id", "unknown".to_owned());
        Person::new()
            .page(&client.authorization_url(&request))
            .await
    };
    for payload in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
    ] {
        for name in ["client_id", "redirect_uri", "scope", "prompt", "resource"] {
            let mut request = client.authorization_request();
            request.insert(name, payload.to_owned());
            let response = Person::new()
                .open(&client.authorization_url(&request))
                .await;
            if response.status().is_redirection() {
                assert_eq!(location(&response).host_str(), Some("127.0.0.1"));
                continue;
            }
            let page = Page::read(response).await;
            assert_strict(&page);
            assert!(!page.html.contains(payload), "{name}: {}", page.html);
            if name == "client_id" {
                assert_eq!(page.tags(), plain.tags());
            }
        }
    }
}

#[tokio::test]
async fn a_logo_is_shown_where_the_operator_lets_it_and_from_https_alone() {
    let logo = "https://images.notes.example/logo.png";
    let quiet = Gatehouse::start().await;
    let client = register(&quiet, json!({ "logo_uri": logo })).await;
    let page = Person::new().page(&ask(&client, &[])).await;
    assert!(!page.html.contains("<img") && !page.html.contains("images.notes.example"));
    assert_eq!(page.policy("img-src").as_deref(), Some("data:"));
    let showing = Gatehouse::start_with(Settings::default().variable("show_logos", "true")).await;
    let client = register(&showing, json!({ "logo_uri": logo })).await;
    let page = Person::new().page(&ask(&client, &[])).await;
    assert_eq!(page.attribute_of("img", "src").as_deref(), Some(logo));
    let referrer = page.attribute_of("img", "referrerpolicy");
    assert_eq!(referrer.as_deref(), Some("no-referrer"));
    assert_eq!(
        page.policy("img-src").as_deref(),
        Some("data: https://images.notes.example")
    );
}

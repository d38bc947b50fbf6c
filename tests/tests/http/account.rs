//! `/account`: a person sees and ends their own connected apps, and no one else's.

use crate::pages::assert_strict;
use descope_emulator::{Endpoint, Fault, User};
use gatehouse_tests::client::{REDIRECT_URI, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::{Client, Gatehouse, Mcp, Page, Person, Tokens};
use reqwest::Method;
use serde_json::{Value, json};

async fn register(gatehouse: &Gatehouse, name: &str) -> Client {
    let metadata = json!({
        "client_name": name,
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    Client::register_as(gatehouse, metadata).await
}

/// Signs in at the account, and gives the page.
async fn account(gatehouse: &Gatehouse, person: &Person) -> Page {
    let sign_in = person.open(&gatehouse.url("/account/sign-in")).await;
    let to = person.finish(&sign_in).await;
    assert_eq!(to.as_str(), gatehouse.url("/account"));
    person.page(to.as_str()).await
}

/// The names of the apps on the page.
fn apps(page: &Page) -> Vec<String> {
    let names = page.html.split("<h3>").skip(1);
    names
        .filter_map(|part| part.split("</h3>").next())
        .map(str::to_owned)
        .collect()
}

/// Whether an access token is good at this machine.
async fn is_good(url: &str, access: &str) -> bool {
    let response = Mcp::new(format!("{url}/mcp"), Some(access))
        .request("tools/list", json!({}))
        .await;
    assert!(matches!(response.status().as_u16(), 200 | 401));
    response.status() == 200
}

#[tokio::test]
async fn a_person_who_has_not_signed_in_sees_only_where_to() {
    let gatehouse = Gatehouse::start().await;
    register(&gatehouse, "Notes")
        .await
        .sign_in(&Person::new())
        .await;
    let page = Person::new().page(&gatehouse.url("/account")).await;
    assert_eq!(page.status, 200);
    assert_strict(&page);
    assert!(page.forms().is_empty());
    assert!(!page.html.contains("Notes"));
    let link = page.attribute_of("a", "href");
    assert!(link.is_some() && page.html.contains("/account/sign-in"));
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 1);
}

#[tokio::test]
async fn a_person_sees_which_apps_they_have_connected_since_when_and_when_they_were_used() {
    let gatehouse = Gatehouse::start().await;
    let ada = User::new("Ada Lovelace", "ada@example.com");
    gatehouse.descope.sign_in_as(ada);
    let person = Person::new();
    let unused = register(&gatehouse, "Unused").await;
    unused.code(&person).await;
    let used = register(&gatehouse, "Notes & more").await;
    let tokens = used.sign_in_for(&person, "tools").await;
    let before = account(&gatehouse, &person).await;
    assert!(before.text().contains("You are signed in as Ada Lovelace"));
    assert_eq!(apps(&before), ["Notes &amp; more", "Unused"]);
    let card = |page: &Page, name: &str| {
        let (_, rest) = page.html.split_once(&format!("<h3>{name}</h3>")).unwrap();
        let card = rest
            .split("<h3>")
            .next()
            .unwrap()
            .split("<h2>")
            .next()
            .unwrap();
        let times: Vec<_> = card
            .split("datetime=\"")
            .skip(1)
            .map(|part| part.split('"').next().unwrap().to_owned())
            .collect();
        (card.to_owned(), times)
    };
    let (text, times) = card(&before, "Unused");
    assert!(text.contains("not yet") && times.len() == 2, "{text}");
    let (text, times) = card(&before, "Notes &amp; more");
    assert!(text.contains("127.0.0.1"), "{text}");
    assert!(text.contains("use the tools") && !text.contains("profile"));
    let [since, last_used, ends] = times.as_slice() else {
        panic!("{times:?}");
    };
    assert_eq!(since, last_used);
    assert!(ends > since);
    gatehouse.pass(7200);
    Tokens::read(used.refresh(&tokens.refresh).await).await;
    let after = account(&gatehouse, &person).await;
    let (_, times) = card(&after, "Notes &amp; more");
    assert_eq!(&times[0], since);
    assert!(times[1] > *last_used, "{times:?}");
}

#[tokio::test]
async fn what_a_person_ends_is_dead_at_once_on_every_machine() {
    let gatehouse = Gatehouse::start().await;
    let machine = gatehouse.another().await;
    let person = Person::new();
    let notes = register(&gatehouse, "Notes").await;
    let kept = register(&gatehouse, "Kept").await.sign_in(&person).await;
    let ended = notes.sign_in(&person).await;
    let page = account(&gatehouse, &person).await;
    assert_eq!(apps(&page), ["Notes", "Kept"]);
    let machines = [gatehouse.base(), machine.url()];
    for url in &machines {
        assert!(is_good(url, &ended.access).await);
    }
    let answer = person.submit(&page.form_to("/end")).await;
    let page = person.page(location(&answer).as_str()).await;
    assert!(page.text().contains("The app is disconnected."));
    assert_eq!(apps(&page), ["Kept"]);
    for url in &machines {
        assert!(!is_good(url, &ended.access).await, "{url}");
        assert!(is_good(url, &kept.access).await, "{url}");
    }
    let refused = notes.refresh(&ended.refresh).await;
    assert_eq!(refused.status(), 400);
    let answer: Value = refused.json().await.unwrap();
    assert_eq!(answer["error"], "invalid_grant");
    machine.shutdown().await;
}

#[tokio::test]
async fn a_person_ends_everything_of_their_own_at_once() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, "Notes").await;
    let person = Person::new();
    let mine = [client.sign_in(&person).await, client.sign_in(&person).await];
    let eve = User::new("Eve", "eve@example.com");
    gatehouse.descope.sign_in_as(eve);
    let theirs = client.sign_in(&Person::new()).await;
    gatehouse.descope.sign_in_as(User::default());
    let page = account(&gatehouse, &person).await;
    assert_eq!(apps(&page).len(), 2);
    let answer = person.submit(&page.form_to("/end-all")).await;
    let page = person.page(location(&answer).as_str()).await;
    assert!(
        page.text().contains("You have not connected any apps."),
        "{}",
        page.text()
    );
    for tokens in &mine {
        assert!(!is_good(&gatehouse.base(), &tokens.access).await);
    }
    assert!(is_good(&gatehouse.base(), &theirs.access).await);
}

#[tokio::test]
async fn no_one_sees_or_ends_the_grants_of_another_person() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, "Notes").await;
    let ada = Person::new();
    let tokens = client.sign_in(&ada).await;
    let hers = account(&gatehouse, &ada).await.form_to("/end");
    gatehouse
        .descope
        .sign_in_as(User::new("Eve", "eve@example.com"));
    let eve = Person::new();
    client.sign_in(&eve).await;
    let page = account(&gatehouse, &eve).await;
    assert_eq!(apps(&page).len(), 1);
    assert!(!page.html.contains(hers.field("grant")));
    // With her own token and Ada's grant.
    let mut forged = page.form_to("/end");
    forged.fields.retain(|(name, _)| name != "grant");
    for grant in [hers.field("grant"), "", "x", "../client", "AAAA:x"] {
        let answer = eve.submit(&forged.clone().with("grant", grant)).await;
        assert!(answer.status().is_redirection(), "{grant}");
    }
    assert!(is_good(&gatehouse.base(), &tokens.access).await);
    assert_eq!(apps(&eve.page(&gatehouse.url("/account")).await).len(), 1);
    // With Ada's form.
    assert_eq!(eve.submit(&hers).await.status(), 403);
    assert!(is_good(&gatehouse.base(), &tokens.access).await);
}

#[tokio::test]
async fn a_form_without_the_sessions_token_or_from_another_site_changes_nothing() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, "Notes").await;
    let person = Person::new();
    let tokens = client.sign_in(&person).await;
    let page = account(&gatehouse, &person).await;
    let earlier = page.form_to("/end").field("token").to_owned();
    let page = account(&gatehouse, &person).await;
    let good = page.form_to("/end");
    assert_ne!(
        good.field("token"),
        earlier,
        "another session, another token"
    );
    for end in ["/end", "/end-all", "/forget", "/sign-out"] {
        let mut form = good.clone();
        form.action = gatehouse.url(&format!("/account{end}")).parse().unwrap();
        form.fields.retain(|(name, _)| name != "token");
        for token in ["", "x", earlier.as_str()] {
            let answer = person.submit(&form.clone().with("token", token)).await;
            let page = Page::read(answer).await;
            assert_eq!(page.status, 403, "{end} {token}");
            assert_eq!(page.heading(), "This page has expired");
        }
        // A link does nothing.
        let answer = person.open(form.action.as_str()).await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "POST");
        // Nor does the good token in another browser.
        let form = form.with("token", good.field("token"));
        assert_eq!(Person::new().submit(&form).await.status(), 403);
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = person.request(Method::POST, form.action.as_str());
            let request = request.header(name, value).form(&form.fields);
            assert_eq!(person.answer(request).await.status(), 403, "{name} {value}");
        }
    }
    assert!(is_good(&gatehouse.base(), &tokens.access).await);
    let answer = person.submit(&good).await;
    assert!(answer.status().is_redirection());
    assert!(!is_good(&gatehouse.base(), &tokens.access).await);
}

#[tokio::test]
async fn a_session_lasts_an_hour_and_signing_out_ends_every_copy_of_it() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    let is_in = async |person: &Person| {
        let page = person.page(&gatehouse.url("/account")).await;
        page.text().contains("You are signed in as")
    };
    let page = account(&gatehouse, &person).await;
    let copy = person.copy();
    let machine = gatehouse.another().await;
    let answer = person.submit(&page.form_to("/sign-out")).await;
    assert!(location(&answer).as_str().ends_with("/account?done=out"));
    assert!(person.cookie("gatehouse-account").is_none());
    assert!(!is_in(&copy).await);
    let elsewhere = copy.page(&format!("{}/account", machine.url())).await;
    assert!(!elsewhere.text().contains("You are signed in as"));
    // The clock runs on, so a second may begin between the sign-in and the look: then once more.
    let mut lasts = false;
    for _ in 0..10 {
        account(&gatehouse, &person).await;
        gatehouse.pass(3599);
        lasts = is_in(&person).await;
        if lasts {
            break;
        }
    }
    assert!(lasts);
    gatehouse.pass(1);
    assert!(!is_in(&person).await);
    machine.shutdown().await;
}

#[tokio::test]
async fn a_forged_or_foreign_session_is_none() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    account(&gatehouse, &person).await;
    let good = person.cookie("gatehouse-account").unwrap();
    for value in [
        "",
        "e30",
        &good[..good.len() - 2],
        &person.cookie("gatehouse-login").unwrap(),
        &format!("{good}; gatehouse-account={good}"),
    ] {
        let forger = person.copy();
        forger.plant("gatehouse-account", value);
        let page = forger.page(&gatehouse.url("/account")).await;
        assert!(!page.text().contains("You are signed in"), "{value}");
    }
    assert!(!good.contains("Local"), "nothing of the person can be read");
}

#[tokio::test]
async fn signing_in_at_the_account_gives_no_client_anything() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, "Notes").await;
    let person = Person::new();
    let page = account(&gatehouse, &person).await;
    assert!(page.text().contains("You have not connected any apps."));
    // What a sign-in for a client gave is no session, and the other way round.
    let other = Person::new();
    client.sign_in(&other).await;
    let page = other.page(&gatehouse.url("/account")).await;
    assert!(!page.text().contains("You are signed in"));
    let url = client.authorization_url(&client.authorization_request());
    assert_eq!(person.open(&url).await.status(), 200, "consent is asked");
}

#[tokio::test]
async fn a_sign_in_at_the_account_is_good_once_in_its_browser_and_for_ten_minutes() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    let sign_in = gatehouse.url("/account/sign-in");
    let callback = person.come_back(&person.open(&sign_in).await).await;
    let page = Person::new().page(callback.as_str()).await;
    assert_eq!(page.heading(), "This sign-in was not started here");
    let copy = person.copy();
    assert!(
        person
            .open(callback.as_str())
            .await
            .status()
            .is_redirection()
    );
    let page = copy.page(callback.as_str()).await;
    assert_eq!(page.heading(), "This sign-in is already complete");
    assert!(copy.cookie("gatehouse-account").is_none());
    let late = copy.come_back(&copy.open(&sign_in).await).await;
    gatehouse.pass(600);
    let page = copy.page(late.as_str()).await;
    assert_eq!(page.heading(), "The sign-in failed");
}

#[tokio::test]
async fn a_sign_in_at_the_account_that_fails_ends_at_a_page_that_leads_back() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    let sign_in = gatehouse.url("/account/sign-in");
    gatehouse.descope.deny_next();
    let callback = person.come_back(&person.open(&sign_in).await).await;
    let denied = person.page(callback.as_str()).await;
    gatehouse.descope.fail(Endpoint::Token, Fault::Garbage, 1);
    let callback = person.come_back(&person.open(&sign_in).await).await;
    let failed = person.page(callback.as_str()).await;
    for page in [denied, failed] {
        assert_eq!(page.status, 502);
        assert_eq!(page.heading(), "The sign-in failed");
        assert!(page.html.contains("/account\""), "{}", page.html);
        assert_strict(&page);
    }
    account(&gatehouse, &person).await;
}

#[tokio::test]
async fn a_person_forgets_what_the_browser_remembers() {
    let gatehouse = Gatehouse::start().await;
    let hosted = "https://notes.example/callback";
    let metadata = json!({ "client_name": "Notes", "redirect_uris": [hosted] });
    let client = Client::register_as(&gatehouse, metadata).await;
    let mut request = client.authorization_request();
    request.insert("redirect_uri", hosted.to_owned());
    let url = client.authorization_url(&request);
    let person = Person::new();
    let form = person.page(&url).await.form().with("remember", "yes");
    let sent = person.send(&form, ("decision", "allow")).await;
    assert!(parameter(&person.finish(&sent).await, "code").is_some());
    assert!(person.open(&url).await.status().is_redirection());
    let page = account(&gatehouse, &person).await;
    assert!(
        page.text()
            .contains("One app is connected again without asking.")
    );
    let answer = person.submit(&page.form_to("/forget")).await;
    let page = person.page(location(&answer).as_str()).await;
    assert!(page.text().contains("Every app will ask you again."));
    assert_eq!(person.open(&url).await.status(), 200);
}

#[tokio::test]
async fn a_link_to_the_account_puts_no_words_of_its_own_on_the_page() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    account(&gatehouse, &person).await;
    let plain = person.page(&gatehouse.url("/account")).await;
    for query in [
        "done=<script>alert(1)</script>",
        "done=Call%20this%20number",
        "from=<script>",
        "from=99999999999999999999.1.1",
        "other=<b>",
    ] {
        let page = person
            .page(&gatehouse.url(&format!("/account?{query}")))
            .await;
        assert_eq!(page.text(), plain.text(), "{query}");
    }
    let twice = person
        .page(&gatehouse.url("/account?done=out&done=out"))
        .await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn a_person_with_many_connections_gets_them_in_pages() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    // Of one client a person has 20 at most.
    for (name, grants) in [("Notes", 18), ("Mail", 18), ("Photos", 17)] {
        let client = register(&gatehouse, name).await;
        for _ in 0..grants {
            client.code(&person).await;
        }
    }
    let first = account(&gatehouse, &person).await;
    assert_eq!(apps(&first).len(), 50);
    let (_, rest) = first.html.split_once("?from=").unwrap();
    let from = rest.split('"').next().unwrap();
    let url = gatehouse.url(&format!("/account?from={from}"));
    let second = person.page(&url).await;
    assert_eq!(apps(&second).len(), 3);
    // Ending one there leads back to a list, and ending all reaches every page.
    let answer = person.submit(&second.form_to("/end")).await;
    person.page(location(&answer).as_str()).await;
    let answer = person.submit(&first.form_to("/end-all")).await;
    let page = person.page(location(&answer).as_str()).await;
    assert!(
        page.text().contains("Disconnect all again to continue."),
        "{}",
        page.text()
    );
    let page = person.page(&gatehouse.url("/account")).await;
    let answer = person.submit(&page.form_to("/end-all")).await;
    let page = person.page(location(&answer).as_str()).await;
    assert!(
        page.text().contains("You have not connected any apps."),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn what_a_person_ends_is_revoked_at_the_provider() {
    let gatehouse = Gatehouse::start().await;
    let client = register(&gatehouse, "Notes").await;
    let person = Person::new();
    let tokens = client.sign_in(&person).await;
    let page = account(&gatehouse, &person).await;
    person.submit(&page.form_to("/end")).await;
    assert!(!is_good(&gatehouse.base(), &tokens.access).await);
    // After the answer.
    while gatehouse.descope.requests(Endpoint::Revoke) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

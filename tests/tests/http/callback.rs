//! `/callback`: the browser that a sign-in is bound to, its single use, its lifetime, and errors of the provider.

use descope_emulator::{Endpoint, Fault};
use gatehouse_tests::client::parameter;
use gatehouse_tests::person::location;
use gatehouse_tests::{Client, Gatehouse, Page, Person, Provider, Settings, Tokens};
use reqwest::{Method, Response};
use serde_json::json;
use url::Url;

gatehouse_tests::over_both_providers!(
    a_state_is_sealed_and_good_in_the_browser_that_left_with_it_alone,
    a_parameter_that_comes_twice_is_refused_in_words,
    a_state_is_good_once_and_the_back_button_meets_words,
    a_state_is_good_for_ten_minutes,
    the_provider_is_asked_with_pkce_and_a_nonce_of_this_sign_in_alone,
    a_code_of_another_sign_in_is_refused,
    an_error_of_the_providers_reaches_the_client_by_its_meaning,
    a_provider_that_fails_is_an_error_at_the_client_that_can_retry,
    a_provider_that_never_answers_is_given_up,
    what_is_set_up_wrongly_reaches_the_client_as_an_error_and_the_log_in_words,
    two_tabs_of_a_browser_sign_in_side_by_side,
    the_same_page_loaded_twice_at_once_gives_one_code,
    the_same_page_loaded_many_times_at_once_gives_one_code_and_pages,
    going_back_from_the_provider_and_answering_again_completes_one_sign_in,
    a_client_that_is_gone_when_the_person_comes_back_is_named_on_a_page,
    only_get_completes_a_sign_in,
);

/// A person who has said yes and is on the way to the provider.
struct Started {
    gatehouse: Gatehouse,
    client: Client,
    person: Person,
}

impl Started {
    async fn over(provider: Provider) -> Self {
        let gatehouse = Gatehouse::start_over(provider).await;
        let client = Client::register(&gatehouse).await;
        Self {
            gatehouse,
            client,
            person: Person::new(),
        }
    }

    /// Says yes in this browser.
    async fn leave(&self, person: &Person) -> Response {
        let url = self
            .client
            .authorization_url(&self.client.authorization_request());
        let form = person.page(&url).await.form();
        person.send(&form, ("decision", "allow")).await
    }

    /// The address of `/callback` to which the provider sends this browser.
    async fn come_back(&self) -> Url {
        let to_provider = self.leave(&self.person).await;
        self.person.come_back(&to_provider).await
    }

    /// The error with which the browser goes back to the client.
    async fn error(&self, callback: &Url) -> String {
        let back = location(&self.person.open(callback.as_str()).await);
        self.check(&back);
        parameter(&back, "error").expect("an error")
    }

    /// What holds of every answer at the client (RFC 6749 section 4.1.2.1, RFC 9207 section 2).
    fn check(&self, back: &Url) {
        assert_eq!(back.host_str(), Some("127.0.0.1"));
        assert_eq!(back.path(), "/callback");
        assert_eq!(parameter(back, "state").as_deref(), Some("client-state"));
        assert_eq!(parameter(back, "iss"), Some(self.gatehouse.base()));
        let has_code = parameter(back, "code").is_some();
        assert_eq!(has_code, parameter(back, "error").is_none(), "{back}");
    }
}

/// The URL with another value of a query parameter, or without it.
fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<_> = url
        .query_pairs()
        .filter(|(known, _)| known != name)
        .map(|(known, value)| (known.into_owned(), value.into_owned()))
        .chain(value.map(|value| (name.to_owned(), value.to_owned())))
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}

async fn a_state_is_sealed_and_good_in_the_browser_that_left_with_it_alone(provider: Provider) {
    let started = Started::over(provider).await;
    let callback = started.come_back().await;
    let state = parameter(&callback, "state").unwrap();
    let other = Person::new();
    started.leave(&other).await;
    let mut changed = state.clone().into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let without_cookie = Person::new();
    for (browser, callback) in [
        (&other, callback.clone()),
        (&without_cookie, callback.clone()),
        (&started.person, with(&callback, "state", None)),
        (&started.person, with(&callback, "state", Some(""))),
        (&started.person, with(&callback, "state", Some(&changed))),
        (
            &started.person,
            with(&callback, "state", Some(&state[..40])),
        ),
    ] {
        let page = browser.page(callback.as_str()).await;
        assert_eq!(page.status, 400, "{callback}");
        assert_eq!(page.heading(), "This sign-in was not started here");
    }
    assert!(!state.contains(started.client.id()));
    assert_eq!(started.gatehouse.descope.requests(Endpoint::Token), 0);
    let back = location(&started.person.open(callback.as_str()).await);
    assert!(parameter(&back, "code").is_some());
}

async fn a_parameter_that_comes_twice_is_refused_in_words(provider: Provider) {
    let started = Started::over(provider).await;
    let callback = started.come_back().await;
    for more in [
        "code=x",
        "state=x",
        "iss=x&iss=y",
        "error=access_denied&error=x",
    ] {
        let page = started.person.page(&format!("{callback}&{more}")).await;
        assert_eq!(page.status, 400, "{more}");
    }
    assert_eq!(started.gatehouse.descope.requests(Endpoint::Token), 0);
}

async fn a_state_is_good_once_and_the_back_button_meets_words(provider: Provider) {
    let started = Started::over(provider).await;
    let callback = started.come_back().await;
    let back = location(&started.person.open(callback.as_str()).await);
    started.check(&back);
    let code = parameter(&back, "code").unwrap();
    for _ in 0..2 {
        let page = started.person.page(callback.as_str()).await;
        assert_eq!(page.status, 400);
        assert_eq!(page.heading(), "This sign-in is already complete");
    }
    // A copy of the browser gets no further.
    let page = started.person.copy().page(callback.as_str()).await;
    assert_eq!(page.heading(), "This sign-in is already complete");
    // However late it is.
    started.gatehouse.pass(30);
    Tokens::read(started.client.redeem(&code).await).await;
    started.gatehouse.pass(3600);
    let page = started.person.page(callback.as_str()).await;
    assert_eq!(page.heading(), "This sign-in is already complete");
}

async fn a_state_is_good_for_ten_minutes(provider: Provider) {
    let started = Started::over(provider).await;
    let late = started.come_back().await;
    started.gatehouse.pass(600);
    assert_eq!(started.error(&late).await, "access_denied");
    assert_eq!(started.gatehouse.descope.requests(Endpoint::Token), 0);
    // The person may start over in the same browser.
    let callback = started.come_back().await;
    let back = location(&started.person.open(callback.as_str()).await);
    assert!(parameter(&back, "code").is_some());
}

async fn the_provider_is_asked_with_pkce_and_a_nonce_of_this_sign_in_alone(provider: Provider) {
    let started = Started::over(provider).await;
    let first = location(&started.leave(&started.person).await);
    let second = location(&started.leave(&started.person).await);
    for url in [&first, &second] {
        let read = |name| parameter(url, name).unwrap_or_default();
        assert_eq!(read("response_type"), "code");
        assert_eq!(read("code_challenge_method"), "S256");
        assert_eq!(read("code_challenge").len(), 43);
        assert!(read("nonce").len() >= 16);
        assert_eq!(read("redirect_uri"), started.gatehouse.url("/callback"));
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parameter(&first, name), parameter(&second, name), "{name}");
    }
}

async fn a_code_of_another_sign_in_is_refused(provider: Provider) {
    let started = Started::over(provider).await;
    let theirs = Person::new();
    let attacker = theirs.come_back(&started.leave(&theirs).await).await;
    let callback = started.come_back().await;
    let code = parameter(&attacker, "code").unwrap();
    let injected = with(&callback, "code", Some(&code));
    assert_eq!(started.error(&injected).await, "access_denied");
    // An attacker who changes what the provider is asked gets no further either.
    for (name, value) in [
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("nonce", "of-someone-else"),
    ] {
        let to_provider = location(&started.leave(&started.person).await);
        let changed = with(&to_provider, name, Some(value));
        let callback = location(&started.person.open(changed.as_str()).await);
        assert_eq!(started.error(&callback).await, "access_denied", "{name}");
    }
}

async fn an_error_of_the_providers_reaches_the_client_by_its_meaning(provider: Provider) {
    let started = Started::over(provider).await;
    for (theirs, ours) in [
        ("access_denied", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("server_error", "server_error"),
        ("login_required", "server_error"),
        ("invalid_scope", "server_error"),
        ("unauthorized_client", "server_error"),
        ("<script>", "server_error"),
        ("", "server_error"),
    ] {
        let descope = &started.gatehouse.descope;
        descope.error_next(theirs, "the-words-of-the-provider");
        let callback = started.come_back().await;
        let back = location(&started.person.open(callback.as_str()).await);
        started.check(&back);
        assert_eq!(parameter(&back, "error").as_deref(), Some(ours), "{theirs}");
        let description = parameter(&back, "error_description").unwrap();
        assert!(!description.contains("the-words-of-the-provider"));
        assert!(!description.contains('<'), "{description}");
    }
    let callback = started.come_back().await;
    let neither = with(&callback, "code", None);
    assert_eq!(started.error(&neither).await, "server_error");
    // An error uses nothing up.
    let back = location(&started.person.open(callback.as_str()).await);
    assert!(parameter(&back, "code").is_some());
}

async fn a_provider_that_fails_is_an_error_at_the_client_that_can_retry(provider: Provider) {
    let started = Started::over(provider).await;
    let nowhere = match provider {
        // Descope has no app of ours.
        Provider::Descope => "server_error",
        // The endpoint is not where the provider's own metadata says.
        Provider::OpenId => "temporarily_unavailable",
    };
    let no_tokens = json!({ "access_token": "a.b.c", "id_token": "a.b.c", "token_type": "Bearer" });
    for (endpoint, fault, error) in [
        (
            Endpoint::Token,
            Fault::Status(500),
            "temporarily_unavailable",
        ),
        (
            Endpoint::Token,
            Fault::Status(503),
            "temporarily_unavailable",
        ),
        (
            Endpoint::Token,
            Fault::Status(429),
            "temporarily_unavailable",
        ),
        (
            Endpoint::Token,
            Fault::Status(302),
            "temporarily_unavailable",
        ),
        (Endpoint::Token, Fault::Status(400), "access_denied"),
        (Endpoint::Token, Fault::Status(401), "server_error"),
        (Endpoint::Token, Fault::Status(404), nowhere),
        (Endpoint::Token, Fault::Garbage, "temporarily_unavailable"),
        (
            Endpoint::Token,
            Fault::Json(json!([])),
            "temporarily_unavailable",
        ),
        (
            Endpoint::Token,
            Fault::Json(json!({})),
            "temporarily_unavailable",
        ),
        (Endpoint::Token, Fault::Json(no_tokens), "access_denied"),
        (
            Endpoint::Token,
            Fault::LoseAnswer,
            "temporarily_unavailable",
        ),
        (
            Endpoint::Jwks,
            Fault::Status(500),
            "temporarily_unavailable",
        ),
        (Endpoint::Jwks, Fault::Garbage, "temporarily_unavailable"),
        (
            Endpoint::Jwks,
            Fault::Json(json!({ "keys": [] })),
            "temporarily_unavailable",
        ),
    ] {
        // Another instance, which knows none of the provider's keys.
        let machine = started.gatehouse.another().await;
        let what = format!("{endpoint:?} {fault:?}");
        started.gatehouse.descope.fail(endpoint, fault, 3);
        let callback = started.come_back().await;
        let here = callback
            .as_str()
            .replace(&started.gatehouse.base(), &machine.url());
        let response = started.person.open(&here).await;
        let back = location(&response);
        started.check(&back);
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{what}");
        assert!(parameter(&back, "error_description").is_some());
        started.gatehouse.descope.heal();
        machine.shutdown().await;
    }
    let callback = started.come_back().await;
    let back = location(&started.person.open(callback.as_str()).await);
    assert!(parameter(&back, "code").is_some());
}

async fn a_provider_that_never_answers_is_given_up(provider: Provider) {
    let started = Started::over(provider).await;
    started
        .gatehouse
        .descope
        .fail(Endpoint::Token, Fault::Hang, 1);
    let callback = started.come_back().await;
    let error = started.error(&callback).await;
    assert_eq!(error, "temporarily_unavailable");
    // The code was not used: the same page, reloaded, completes the sign-in.
    let back = location(&started.person.open(callback.as_str()).await);
    assert!(parameter(&back, "code").is_some());
}

async fn what_is_set_up_wrongly_reaches_the_client_as_an_error_and_the_log_in_words(
    provider: Provider,
) {
    let variable = match provider {
        Provider::Descope => "descope_client_secret",
        Provider::OpenId => "oidc_client_secret",
    };
    let settings = Settings::over(provider).variable(variable, "not-the-secret");
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let back = person
        .allow(&client.authorization_url(&client.authorization_request()))
        .await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("server_error"));
    let description = parameter(&back, "error_description").unwrap();
    assert!(!description.contains(variable));
    let logs = gatehouse.host.logs().join("\n");
    assert!(logs.contains(variable), "{logs}");
    assert!(!logs.contains("not-the-secret"), "{logs}");
}

async fn two_tabs_of_a_browser_sign_in_side_by_side(provider: Provider) {
    let started = Started::over(provider).await;
    let first = started.come_back().await;
    let second = started.come_back().await;
    for callback in [second, first] {
        let back = location(&started.person.open(callback.as_str()).await);
        started.check(&back);
        let code = parameter(&back, "code").unwrap();
        Tokens::read(started.client.redeem(&code).await).await;
    }
}

async fn the_same_page_loaded_twice_at_once_gives_one_code(provider: Provider) {
    let started = Started::over(provider).await;
    let callback = started.come_back().await;
    let twin = started.person.copy();
    let (one, other) = tokio::join!(
        started.person.open(callback.as_str()),
        twin.open(callback.as_str()),
    );
    let codes = [one, other]
        .iter()
        .filter(|answer| answer.status().is_redirection())
        .filter(|answer| parameter(&location(answer), "code").is_some())
        .count();
    assert_eq!(codes, 1);
}

async fn the_same_page_loaded_many_times_at_once_gives_one_code_and_pages(provider: Provider) {
    let started = Started::over(provider).await;
    let machine = started.gatehouse.another().await;
    for _ in 0..5 {
        let here = started.come_back().await;
        let there = here
            .as_str()
            .replace(&started.gatehouse.base(), &machine.url());
        let loads = (0..8).map(|n| {
            let url = if n % 2 == 0 { here.as_str() } else { &there };
            let browser = started.person.copy();
            async move { browser.open(url).await }
        });
        let mut codes = 0;
        for answer in futures::future::join_all(loads).await {
            if answer.status().is_redirection() {
                let back = location(&answer);
                started.check(&back);
                assert_eq!(parameter(&back, "error"), None);
                codes += 1;
            } else {
                let page = Page::read(answer).await;
                assert_eq!(page.heading(), "This sign-in is already complete");
            }
        }
        assert_eq!(codes, 1);
    }
    machine.shutdown().await;
}

async fn going_back_from_the_provider_and_answering_again_completes_one_sign_in(
    provider: Provider,
) {
    let started = Started::over(provider).await;
    let url = started
        .client
        .authorization_url(&started.client.authorization_request());
    let form = started.person.page(&url).await.form();
    let first = started.person.send(&form, ("decision", "allow")).await;
    let abandoned = started.person.come_back(&first).await;
    let second = started.person.send(&form, ("decision", "allow")).await;
    let back = started.person.finish(&second).await;
    assert!(parameter(&back, "code").is_some());
    let page = started.person.page(abandoned.as_str()).await;
    assert_eq!(page.heading(), "This sign-in is already complete");
}

async fn a_client_that_is_gone_when_the_person_comes_back_is_named_on_a_page(provider: Provider) {
    let started = Started::over(provider).await;
    let callback = started.come_back().await;
    let text = |name: &str| started.client.registration[name].as_str().unwrap();
    let removed = reqwest::Client::new()
        .delete(text("registration_client_uri"))
        .bearer_auth(text("registration_access_token"))
        .send()
        .await
        .unwrap();
    assert_eq!(removed.status(), 204);
    let page = started.person.page(callback.as_str()).await;
    assert_eq!(page.status, 400);
    assert_eq!(page.heading(), "This app is not known here");
}

async fn only_get_completes_a_sign_in(provider: Provider) {
    let started = Started::over(provider).await;
    let callback = started.come_back().await;
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS] {
        let request = started.person.request(method.clone(), callback.as_str());
        let response = started.person.answer(request).await;
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "GET");
    }
    let page = Page::read(Person::new().open(callback.as_str()).await).await;
    assert_eq!(page.status, 400);
}

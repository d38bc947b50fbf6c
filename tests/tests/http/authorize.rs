//! The authorization endpoint, consent and the authorization response (RFC 6749 section 4.1, RFC 9207).

use descope_emulator::{Endpoint, Fault};
use gatehouse_tests::client::parameter;
use gatehouse_tests::person::location;
use gatehouse_tests::{Client, Gatehouse, Person, Provider};

gatehouse_tests::over_both_providers!(
    no_one_reaches_the_provider_without_consent,
    a_callback_is_good_for_one_browser_and_once,
    the_providers_refusal_and_its_failures_reach_the_client_or_the_person_in_words,
);

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_ends_at_a_page_and_redirects_no_one() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    for (name, value) in [
        ("client_id", "unknown"),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://127.0.0.1/callback/other"),
        ("redirect_uri", "http://127.0.0.1.evil.example/callback"),
    ] {
        let mut request = client.authorization_request();
        request.insert(name, value.to_owned());
        let response = person.open(&client.authorization_url(&request)).await;
        assert_eq!(response.status(), 400, "{name} = {value}");
        assert!(response.headers().get("location").is_none());
        let page = response.text().await.unwrap();
        assert!(page.contains("<h1"), "{page}");
    }
}

#[tokio::test]
async fn a_bad_request_of_a_known_client_goes_back_to_it_with_state_and_issuer() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    for (name, value, error) in [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        (
            "resource",
            Some("https://other.example/mcp"),
            "invalid_target",
        ),
    ] {
        let mut request = client.authorization_request();
        match value {
            Some(value) => request.insert(name, value.to_owned()),
            None => request.remove(name),
        };
        let response = person.open(&client.authorization_url(&request)).await;
        let back = location(&response);
        assert_eq!(back.path(), "/callback");
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{name}");
        assert_eq!(parameter(&back, "state").as_deref(), Some("client-state"));
        assert_eq!(parameter(&back, "iss"), Some(gatehouse.base()));
    }
}

#[tokio::test]
async fn an_error_redirects_to_no_host_that_a_stranger_registered() {
    let gatehouse = Gatehouse::start().await;
    for (uri, place) in [
        ("https://evil.example/callback", "evil.example"),
        ("cursor://evil/callback", "cursor:"),
    ] {
        let client = Client::register_as(
            &gatehouse,
            serde_json::json!({
                "client_name": "Notes",
                "redirect_uris": [uri],
                "token_endpoint_auth_method": "none",
            }),
        )
        .await;
        for (name, value, error) in [
            ("response_type", "token", "unsupported_response_type"),
            ("prompt", "none", "login_required"),
            ("resource", "https://other.example/mcp", "invalid_target"),
        ] {
            let mut request = client.authorization_request();
            request.insert("redirect_uri", uri.to_owned());
            request.insert(name, value.to_owned());
            let page = Person::new()
                .page(&client.authorization_url(&request))
                .await;
            assert_eq!(page.status, 400, "{name}");
            assert!(page.headers.get("location").is_none());
            let text = page.text();
            for told in ["Notes", uri, error, &format!("Go on to {place}")] {
                assert!(text.contains(told), "{told}: {text}");
            }
            let link = format!("href=\"{uri}?error={error}&amp;");
            assert!(page.html.contains(&link), "{}", page.html);
        }
        // Who says no has seen where it leads.
        let mut request = client.authorization_request();
        request.insert("redirect_uri", uri.to_owned());
        let person = Person::new();
        let form = person
            .page(&client.authorization_url(&request))
            .await
            .form();
        let back = location(&person.send(&form, ("decision", "deny")).await);
        assert!(back.as_str().starts_with(uri), "{back}");
    }
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let url = client.authorization_url(&client.authorization_request());
    let response = Person::new().open(&format!("{url}&state=again")).await;
    assert!(response.status().is_client_error() || response.status().is_redirection());
    if response.status().is_redirection() {
        let back = location(&response);
        assert_eq!(
            parameter(&back, "error").as_deref(),
            Some("invalid_request")
        );
    }
}

async fn no_one_reaches_the_provider_without_consent(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let response = person
        .open(&client.authorization_url(&client.authorization_request()))
        .await;
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let page = response.text().await.unwrap();
    for told in ["Test client", "127.0.0.1"] {
        assert!(page.contains(told), "the page names {told}");
    }
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_shown_and_never_run() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register_as(
        &gatehouse,
        serde_json::json!({
            "client_name": "<script>alert(1)</script>",
            "redirect_uris": [gatehouse_tests::client::REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        }),
    )
    .await;
    let response = Person::new()
        .open(&client.authorization_url(&client.authorization_request()))
        .await;
    let page = response.text().await.unwrap();
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert"));
}

#[tokio::test]
async fn consent_cannot_be_given_from_another_browser_or_without_its_token() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let form = person.form(person.open(&url).await).await;
    let stranger = Person::new();
    let response = stranger.send(&form, ("decision", "allow")).await;
    assert!(response.status().is_client_error(), "{}", response.status());
    let mut bare = form.clone();
    bare.fields.clear();
    let response = person.send(&bare, ("decision", "allow")).await;
    assert!(response.status().is_client_error(), "{}", response.status());
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn deny_goes_back_to_the_client_as_access_denied() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let form = person.form(person.open(&url).await).await;
    let back = location(&person.send(&form, ("decision", "deny")).await);
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("client-state"));
}

async fn a_callback_is_good_for_one_browser_and_once(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let form = person.form(person.open(&url).await).await;
    let descope = location(&person.send(&form, ("decision", "allow")).await);
    let callback = location(&person.open(descope.as_str()).await);
    let stranger = Person::new().open(callback.as_str()).await;
    assert_eq!(stranger.status(), 400);
    let back = location(&person.open(callback.as_str()).await);
    assert!(parameter(&back, "code").is_some());
    let again = person.open(callback.as_str()).await;
    assert!(
        again.status() == 400 || parameter(&location(&again), "code").is_none(),
        "a second callback gives no second code"
    );
}

async fn the_providers_refusal_and_its_failures_reach_the_client_or_the_person_in_words(
    provider: Provider,
) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());

    gatehouse.descope.deny_next();
    let back = person.allow(&url).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));

    gatehouse
        .descope
        .fail(Endpoint::Token, Fault::Status(500), 1);
    let back = person.allow(&url).await;
    let error = parameter(&back, "error").unwrap();
    assert!(
        matches!(error.as_str(), "temporarily_unavailable" | "server_error"),
        "{error}"
    );
    assert!(parameter(&back, "error_description").is_some());
}

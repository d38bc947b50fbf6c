//! The authorization request, parameter by parameter (RFC 6749 sections 3.1 and 4.1, RFC 7636, RFC
//! 8707, RFC 9207, OpenID Connect Core section 3.1.2).

use descope_emulator::Endpoint;
use gatehouse_tests::client::{REDIRECT_URI, USED_REDIRECT_URI, VERIFIER, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::{Client, Gatehouse, Person, Tokens};
use reqwest::Response;
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

/// An authorization request in which these parameters are changed, or left out.
async fn ask(client: &Client, changes: &[(&'static str, Option<&str>)]) -> Response {
    let mut request = client.authorization_request();
    for (name, value) in changes {
        match value {
            Some(value) => request.insert(name, (*value).to_owned()),
            None => request.remove(name),
        };
    }
    Person::new()
        .open(&client.authorization_url(&request))
        .await
}

/// The error that goes back to the client, with its `state` and our issuer.
async fn refused(gatehouse: &Gatehouse, response: Response) -> String {
    let back = location(&response);
    assert!(back.as_str().starts_with(USED_REDIRECT_URI), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("client-state"));
    assert_eq!(parameter(&back, "iss"), Some(gatehouse.base()));
    assert!(parameter(&back, "code").is_none());
    let description = parameter(&back, "error_description").unwrap();
    assert!(!description.is_empty());
    parameter(&back, "error").unwrap()
}

/// A page that leads nowhere.
async fn page(response: Response) -> String {
    assert_eq!(response.status(), 400);
    assert!(response.headers().get("location").is_none());
    let page = response.text().await.unwrap();
    assert!(page.contains("<h1"), "{page}");
    page
}

async fn tokens(client: &Client, changes: &[(&'static str, &str)]) -> Tokens {
    let code = client.code_with(&Person::new(), changes).await;
    Tokens::read(client.redeem(&code).await).await
}

#[tokio::test]
async fn without_a_certain_client_and_redirect_uri_no_one_is_redirected() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let bad: [(&str, Option<&str>); 8] = [
        ("client_id", None),
        ("client_id", Some("")),
        ("client_id", Some("unknown")),
        ("client_id", Some("../client:x")),
        ("redirect_uri", Some("https://evil.example/callback")),
        ("redirect_uri", Some("http://127.0.0.1:49152/callback?more")),
        ("redirect_uri", Some("http://127.0.0.1:49152/callback#more")),
        ("redirect_uri", Some("http://me@127.0.0.1:49152/callback")),
    ];
    for change in bad {
        page(ask(&client, &[change]).await).await;
        // Nor by what would otherwise be told to the client.
        let worse = [
            change,
            ("response_type", Some("token")),
            ("request", Some("x")),
        ];
        page(ask(&client, &worse).await).await;
    }
    let url = client.authorization_url(&client.authorization_request());
    for again in [
        format!("client_id={}", client.id()),
        "client_id=".into(),
        "redirect_uri=https%3A%2F%2Fevil.example".into(),
        "redirect_uri=".into(),
    ] {
        page(Person::new().open(&format!("{url}&{again}")).await).await;
    }
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn every_other_refusal_goes_back_to_the_client_with_state_and_issuer() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let long = "x".repeat(129);
    let foreign = "https://other.example/mcp";
    let neighbour = gatehouse.url("/mcp/other");
    let fragment = gatehouse.url("/mcp#x");
    for (name, value, error) in [
        ("response_type", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        (
            "response_type",
            Some("code token"),
            "unsupported_response_type",
        ),
        ("response_mode", Some("fragment"), "invalid_request"),
        ("response_mode", Some("form_post"), "invalid_request"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge", Some(&long), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("resource", Some(foreign), "invalid_target"),
        ("resource", Some(&neighbour), "invalid_target"),
        ("resource", Some(&fragment), "invalid_target"),
        ("resource", Some("mcp"), "invalid_target"),
        ("scope", Some("tools \"userinfo\""), "invalid_scope"),
        ("request", Some("e30.e30."), "request_not_supported"),
        ("request_uri", Some("urn:x"), "request_uri_not_supported"),
        ("registration", Some("{}"), "registration_not_supported"),
        ("prompt", Some("none"), "login_required"),
        ("prompt", Some("none login"), "invalid_request"),
        ("max_age", Some("soon"), "invalid_request"),
        ("dpop_jkt", Some("short"), "invalid_request"),
    ] {
        let response = ask(&client, &[(name, value)]).await;
        assert_eq!(
            refused(&gatehouse, response).await,
            error,
            "{name} {value:?}"
        );
    }
    assert_eq!(gatehouse.descope.requests(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn a_client_that_is_not_registered_for_codes_gets_none() {
    let clients = json!([{
        "client_id": "nightly",
        "client_secret": "correct-horse-battery-staple-correct",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["client_credentials"],
    }]);
    let settings = gatehouse_tests::Settings::default().variable("clients", clients.to_string());
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::known_as(&gatehouse, "nightly");
    let response = ask(&client, &[]).await;
    assert_eq!(refused(&gatehouse, response).await, "unauthorized_client");
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_refused_and_a_state_left_out() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let url = client.authorization_url(&client.authorization_request());
    for again in [
        "response_type=code",
        "scope=tools&scope=userinfo",
        "code_challenge=x",
        "code_challenge_method=S256",
        "prompt=login&prompt=consent",
        "made_up=1&made_up=2",
        // Without a value it is still there twice.
        "response_type=",
    ] {
        let response = Person::new().open(&format!("{url}&{again}")).await;
        assert_eq!(
            refused(&gatehouse, response).await,
            "invalid_request",
            "{again}"
        );
    }
    let response = Person::new().open(&format!("{url}&state=other")).await;
    let back = location(&response);
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("invalid_request")
    );
    assert_eq!(parameter(&back, "state"), None);
    assert_eq!(parameter(&back, "iss"), Some(gatehouse.base()));
}

#[tokio::test]
async fn pkce_is_asked_of_confidential_clients_too() {
    let gatehouse = Gatehouse::start().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let client = Client::register_as(&gatehouse, metadata).await;
    let missing = [("code_challenge", None), ("code_challenge_method", None)];
    let response = ask(&client, &missing).await;
    assert_eq!(refused(&gatehouse, response).await, "invalid_request");
    assert_eq!(ask(&client, &[]).await.status(), 200);
}

#[tokio::test]
async fn a_token_is_for_the_resources_that_were_asked_for_or_for_the_mcp_endpoint() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let mcp = gatehouse.url("/mcp");
    let sse = gatehouse.url("/sse");
    let slash = gatehouse.url("/");
    for (asked, audience) in [
        ("", json!(mcp)),
        (mcp.as_str(), json!(mcp)),
        (sse.as_str(), json!(sse)),
        // As libraries write it.
        (slash.as_str(), json!(gatehouse.base())),
    ] {
        let tokens = tokens(&client, &[("resource", asked)]).await;
        assert_eq!(tokens.claims()["aud"], audience, "{asked}");
    }
    // Several (RFC 8707 section 2), if all of them are ours.
    let mut request = client.authorization_request();
    request.insert("resource", mcp.clone());
    let url = client.authorization_url(&request);
    let several = Url::parse_with_params(&url, [("resource", &sse), ("resource", &mcp)]).unwrap();
    let back = Person::new().allow(several.as_str()).await;
    let code = parameter(&back, "code").unwrap();
    let tokens = Tokens::read(client.redeem(&code).await).await;
    assert_eq!(tokens.claims()["aud"], json!([mcp, sse]));
    let foreign = ("resource", "https://other.example/mcp");
    let mixed = Url::parse_with_params(&url, [foreign]).unwrap();
    let response = Person::new().open(mixed.as_str()).await;
    assert_eq!(refused(&gatehouse, response).await, "invalid_target");
}

#[tokio::test]
async fn a_scope_is_cut_to_what_exists_and_nothing_at_all_means_everything() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let everything = "tools userinfo upstream_token";
    for (asked, granted) in [
        ("tools", "tools"),
        ("userinfo tools", "tools userinfo"),
        ("tools made_up", "tools"),
        ("tools tools", "tools"),
        ("made_up", everything),
        ("openid email profile", everything),
        ("", everything),
        ("tools offline_access", "tools offline_access"),
    ] {
        let tokens = tokens(&client, &[("scope", asked)]).await;
        assert_eq!(tokens.answer["scope"], granted, "{asked}");
        assert_eq!(tokens.claims()["scope"], granted, "{asked}");
    }
}

#[tokio::test]
async fn what_a_client_asks_of_the_sign_in_is_asked_of_descope() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let at_descope = async |changes: &[(&'static str, &str)]| {
        let person = Person::new();
        let mut request = client.authorization_request();
        for (name, value) in changes {
            request.insert(name, (*value).to_owned());
        }
        let page = person.open(&client.authorization_url(&request)).await;
        let form = person.form(page).await;
        let there = location(&person.send(&form, ("decision", "allow")).await);
        parameter(&there, "prompt")
    };
    assert_eq!(at_descope(&[]).await, None);
    assert_eq!(at_descope(&[("prompt", "consent")]).await, None);
    assert_eq!(at_descope(&[("prompt", "made_up")]).await, None);
    for (asked, prompt) in [
        (("prompt", "login"), "login"),
        (("prompt", "select_account"), "select_account"),
        (("prompt", "consent login"), "login"),
        // When they last signed in is Descope's to know.
        (("max_age", "60"), "login"),
    ] {
        assert_eq!(
            at_descope(&[asked]).await.as_deref(),
            Some(prompt),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn a_state_comes_back_as_it_was_whatever_is_in_it() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let long = "s".repeat(32 * 1024);
    for state in [
        "a b+c&d=e#f%20\"<script>",
        "\u{e4}\u{1f511}",
        "{\"a\":1}",
        &long,
    ] {
        let mut request = client.authorization_request();
        request.insert("state", state.to_owned());
        let back = Person::new()
            .allow(&client.authorization_url(&request))
            .await;
        assert_eq!(parameter(&back, "state").as_deref(), Some(state));
        request.insert("response_type", "token".to_owned());
        let response = Person::new()
            .open(&client.authorization_url(&request))
            .await;
        let back = location(&response);
        assert_eq!(parameter(&back, "state").as_deref(), Some(state));
    }
    let back = location(&ask(&client, &[("state", Some(&format!("{long}s")))]).await);
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("invalid_request")
    );
    let request = client.authorization_request();
    let stateless: HashMap<_, _> = request
        .into_iter()
        .filter(|(name, _)| *name != "state")
        .collect();
    let back = Person::new()
        .allow(&client.authorization_url(&stateless))
        .await;
    assert!(back.query_pairs().all(|(name, _)| name != "state"));
}

#[tokio::test]
async fn an_answer_is_added_to_what_the_redirect_uri_has_of_its_own() {
    let gatehouse = Gatehouse::start().await;
    let uri = "https://client.example/callback?tenant=a%26b";
    let metadata = json!({ "redirect_uris": [uri], "token_endpoint_auth_method": "none" });
    let client = Client::register_as(&gatehouse, metadata).await;
    let mut request = client.authorization_request();
    request.insert("redirect_uri", uri.to_owned());
    let back = Person::new()
        .allow(&client.authorization_url(&request))
        .await;
    assert!(back.as_str().starts_with(&format!("{uri}&")), "{back}");
    assert_eq!(parameter(&back, "tenant").as_deref(), Some("a&b"));
    assert!(parameter(&back, "code").is_some());
}

#[tokio::test]
async fn a_client_with_one_redirect_uri_may_leave_it_out_and_one_with_several_may_not() {
    let gatehouse = Gatehouse::start().await;
    let one = "https://client.example/callback";
    let register = async |uris: Value| {
        let metadata = json!({ "redirect_uris": uris, "token_endpoint_auth_method": "none" });
        Client::register_as(&gatehouse, metadata).await
    };
    let client = register(json!([one])).await;
    let mut request = client.authorization_request();
    request.remove("redirect_uri");
    let back = Person::new()
        .allow(&client.authorization_url(&request))
        .await;
    assert!(back.as_str().starts_with(one), "{back}");
    let code = parameter(&back, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", client.id()),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(client.token(&form).await.status(), 200);
    let client = register(json!([one, "https://client.example/other"])).await;
    page(ask(&client, &[("redirect_uri", None)]).await).await;
}

#[tokio::test]
async fn a_request_may_come_by_get_or_post_and_as_a_form_alone() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let request = client.authorization_request();
    let form: Vec<_> = request
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let posted = client.form("/authorize", &form).send().await.unwrap();
    assert_eq!(posted.status(), 200);
    assert!(posted.text().await.unwrap().contains("Test client"));
    let http = reqwest::Client::new();
    let json = http.post(gatehouse.url("/authorize")).json(&request);
    page(json.send().await.unwrap()).await;
    // What is in the query of a POST does not count.
    let url = client.authorization_url(&request);
    let empty: [(&str, &str); 0] = [];
    page(http.post(&url).form(&empty).send().await.unwrap()).await;
    let head = http.head(&url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_request_beyond_all_measure_ends_at_a_page() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let url = client.authorization_url(&client.authorization_request());
    let many = "&a=1".repeat(70);
    page(Person::new().open(&format!("{url}{many}")).await).await;
    let long = "x".repeat(65 * 1024);
    let posted = client.form(
        "/authorize",
        &[("client_id", client.id()), ("scope", &long)],
    );
    assert_eq!(posted.send().await.unwrap().status(), 413);
}

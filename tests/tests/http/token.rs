//! The token endpoint and revocation (RFC 6749 sections 4.1.3 and 6, RFC 7009, RFC 7636).

use gatehouse_tests::client::{REDIRECT_URI, Tokens, USED_REDIRECT_URI, VERIFIER, parameter};
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Person, Settings};
use reqwest::Response;
use serde_json::{Value, json};
use url::Url;

/// The error of a refused request.
async fn error(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    let headers = response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["content-type"], "application/json");
    let error: Value = response.json().await.unwrap();
    assert!(error["error_description"].is_string());
    error["error"].as_str().unwrap().to_owned()
}

/// The form with another value of a parameter, or one parameter more.
fn with<'a>(form: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let others = form.iter().filter(|(known, _)| *known != name);
    others.copied().chain([(name, value)]).collect()
}

#[tokio::test]
async fn a_code_is_refused_without_what_it_is_bound_to_and_survives_the_attempt() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let other = Client::register(&gatehouse).await;
    let code = client
        .code_with(&Person::new(), &[("scope", "tools")])
        .await;
    let good = client.redeeming(&code);
    let wrong_verifier = "x".repeat(43);
    for (name, value, told) in [
        ("code_verifier", wrong_verifier.as_str(), "invalid_grant"),
        ("code_verifier", "short", "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
        ("redirect_uri", REDIRECT_URI, "invalid_grant"),
        ("redirect_uri", "https://evil.example/", "invalid_grant"),
        ("client_id", other.id(), "invalid_grant"),
        ("code", "ghc_AAAA", "invalid_grant"),
        ("code", "", "invalid_request"),
        ("grant_type", "", "invalid_request"),
        ("scope", "userinfo", "invalid_scope"),
        ("scope", "tools userinfo", "invalid_scope"),
        ("scope", "\"", "invalid_scope"),
        ("resource", "https://other.example/mcp", "invalid_target"),
    ] {
        let refused = client.token(&with(&good, name, value)).await;
        assert_eq!(error(refused, 400).await, told, "{name} = {value}");
    }
    let response = client.token(&good).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(Tokens::read(response).await.answer["expires_in"], 900);
}

#[tokio::test]
async fn a_refresh_token_is_refused_without_what_it_is_bound_to_and_survives_the_attempt() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let other = Client::register(&gatehouse).await;
    let tokens = client.sign_in_for(&Person::new(), "tools").await;
    let good = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", client.id()),
    ];
    for (name, value, told) in [
        ("client_id", other.id(), "invalid_grant"),
        ("refresh_token", "ghr_AAAA", "invalid_grant"),
        ("refresh_token", tokens.access.as_str(), "invalid_grant"),
        ("refresh_token", "", "invalid_request"),
        ("scope", "userinfo", "invalid_scope"),
        ("resource", "https://other.example/mcp", "invalid_target"),
    ] {
        let refused = client.token(&with(&good, name, value)).await;
        assert_eq!(error(refused, 400).await, told, "{name} = {value}");
    }
    // A code is no refresh token, nor the other way round.
    let code = client.code(&Person::new()).await;
    assert_eq!(
        error(client.refresh(&code).await, 400).await,
        "invalid_grant"
    );
    let refused = client.redeem(&tokens.refresh).await;
    assert_eq!(error(refused, 400).await, "invalid_grant");
    assert_eq!(client.token(&good).await.status(), 200);
}

#[tokio::test]
async fn a_code_that_comes_back_ends_everything_it_gave() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    let tokens = Tokens::read(client.redeem(&code).await).await;
    gatehouse.pass(10);
    assert_eq!(client.redeem(&code).await.status(), 400);
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 400);
}

#[tokio::test]
async fn a_code_sent_twice_within_ten_seconds_is_refused_and_its_tokens_live() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    // As a page does whose effect runs twice.
    let (one, other) = tokio::join!(client.redeem(&code), client.redeem(&code));
    let (good, refused) = if one.status() == 200 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(error(refused, 400).await, "invalid_grant");
    let tokens = Tokens::read(good).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 200);
}

#[tokio::test]
async fn a_replaced_refresh_token_is_answered_for_its_grace_and_then_ends_the_grant() {
    let settings = Settings::default().variable("refresh_grace", "60");
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    let first = client.sign_in(&Person::new()).await;
    let second = Tokens::read(client.refresh(&first.refresh).await).await;
    gatehouse.pass(30);
    let repeated = Tokens::read(client.refresh(&first.refresh).await).await;
    assert_eq!(repeated.refresh, second.refresh);
    gatehouse.pass(31);
    let refused = client.refresh(&first.refresh).await;
    assert_eq!(error(refused, 400).await, "invalid_grant");
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&repeated.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
    assert_eq!(client.refresh(&second.refresh).await.status(), 400);
}

#[tokio::test]
async fn a_refresh_token_rotates_and_its_reuse_after_its_successors_use_ends_the_grant() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let first = client.sign_in(&Person::new()).await;
    let second = Tokens::read(client.refresh(&first.refresh).await).await;
    assert_ne!(second.refresh, first.refresh);
    let retried = Tokens::read(client.refresh(&first.refresh).await).await;
    assert_eq!(retried.refresh, second.refresh);
    let third = Tokens::read(client.refresh(&second.refresh).await).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&third.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    assert_eq!(client.refresh(&first.refresh).await.status(), 400);
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
}

#[tokio::test]
async fn two_installations_of_one_client_hold_grants_side_by_side() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let one = client.sign_in(&Person::new()).await;
    let two = client.sign_in(&Person::new()).await;
    client.revoke(&two.refresh).await;
    assert_eq!(client.refresh(&one.refresh).await.status(), 200);
    assert_eq!(client.refresh(&two.refresh).await.status(), 400);
}

#[tokio::test]
async fn a_confidential_client_must_show_its_secret_and_may_repeat_its_id() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register_as(
        &gatehouse,
        json!({
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_basic",
        }),
    )
    .await;
    let secret = client.registration["client_secret"].as_str().unwrap();
    let code = client.code(&Person::new()).await;
    let response = client.redeem(&code).await;
    assert_eq!(response.status(), 401, "no secret");
    let request = |secret: &str| {
        reqwest::Client::new()
            .post(gatehouse.url("/token"))
            .basic_auth(client.id(), Some(secret))
            .form(&client.redeeming(&code))
            .send()
    };
    let response = request("wrong").await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"], "invalid_client");
    assert_eq!(request(secret).await.unwrap().status(), 200);
}

#[tokio::test]
async fn scopes_are_cut_to_what_exists_and_only_narrow() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client
        .sign_in_for(&Person::new(), "tools userinfo made_up offline_access")
        .await;
    let granted = tokens.answer["scope"].as_str().unwrap();
    assert!(granted.split(' ').any(|scope| scope == "tools"));
    assert!(!granted.contains("made_up") && !granted.contains("upstream_token"));
    let narrowed = client
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &tokens.refresh),
            ("client_id", client.id()),
            ("scope", "tools"),
        ])
        .await;
    assert_eq!(Tokens::read(narrowed).await.answer["scope"], "tools");
}

#[tokio::test]
async fn a_token_is_for_fewer_resources_where_it_is_asked_for_fewer_and_never_for_more() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let (mcp, sse) = (gatehouse.url("/mcp"), gatehouse.url("/sse"));
    let mut request = client.authorization_request();
    request.insert("resource", mcp.clone());
    let url = client.authorization_url(&request);
    let url = Url::parse_with_params(&url, [("resource", &sse)]).unwrap();
    let code = parameter(&Person::new().allow(url.as_str()).await, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", USED_REDIRECT_URI),
        ("client_id", client.id()),
        ("code_verifier", VERIFIER),
        ("resource", sse.as_str()),
        ("scope", "tools"),
    ];
    let tokens = Tokens::read(client.token(&form).await).await;
    assert_eq!(tokens.claims()["aud"], sse);
    assert_eq!(tokens.answer["scope"], "tools");
    // The grant keeps all of it (RFC 6749 section 6).
    let refreshed = Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(refreshed.claims()["aud"], json!([mcp, sse]));
    assert_eq!(refreshed.answer["scope"], "tools userinfo upstream_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refreshed.refresh.as_str()),
        ("client_id", client.id()),
        ("resource", mcp.as_str()),
        ("resource", sse.as_str()),
        ("scope", "userinfo made_up"),
    ];
    let both = Tokens::read(client.token(&form).await).await;
    assert_eq!(both.claims()["aud"], json!([mcp, sse]));
    assert_eq!(both.answer["scope"], "userinfo");
}

#[tokio::test]
async fn another_resource_of_ours_than_was_asked_for_at_first_is_taken_and_adds_nothing() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let base = gatehouse.base();
    let ours = ["", "/", "/mcp", "/sse"].map(|path| format!("{base}{path}"));
    for asked in &ours {
        for named in &ours {
            let code = client.code_with(&person, &[("resource", asked)]).await;
            let form = [&client.redeeming(&code)[..], &[("resource", named)]].concat();
            let tokens = Tokens::read(client.token(&form).await).await;
            let refresh = [
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.refresh.as_str()),
                ("client_id", client.id()),
                ("resource", named),
            ];
            let refreshed = Tokens::read(client.token(&refresh).await).await;
            for tokens in [&tokens, &refreshed] {
                assert_eq!(tokens.claims()["aud"], asked.trim_end_matches('/'));
                let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
                assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
            }
            let stream = reqwest::Client::new().get(gatehouse.url("/sse"));
            let stream = stream.bearer_auth(&refreshed.access).send().await.unwrap();
            let status = if Flavour::offers_http_sse() { 200 } else { 404 };
            assert_eq!(stream.status(), status, "{asked} {named}");
        }
    }
}

#[tokio::test]
async fn only_a_form_in_the_body_is_read_and_nothing_in_it_comes_twice() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    let form = client.redeeming(&code);
    let http = reqwest::Client::new();
    let url = gatehouse.url("/token");
    let in_query = Url::parse_with_params(&url, form).unwrap();
    let query = in_query.query().unwrap().to_owned();
    let empty: [(&str, &str); 0] = [];
    let object: Value = form
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let content = |kind: &str| {
        http.post(&url)
            .header("content-type", kind)
            .body(query.clone())
    };
    for (request, status) in [
        (http.post(&url).json(&object), 400),
        (content("text/plain"), 400),
        (content("multipart/form-data; boundary=x"), 400),
        (http.post(&url).body(query.clone()), 400),
        // Where others would see it (RFC 6749 section 2.3.1).
        (http.post(in_query.clone()).form(&empty), 401),
    ] {
        let told = error(request.send().await.unwrap(), status).await;
        let expected = if status == 401 {
            "invalid_client"
        } else {
            "invalid_request"
        };
        assert_eq!(told, expected);
    }
    for name in [
        "grant_type",
        "code",
        "client_id",
        "code_verifier",
        "scope",
        "made_up",
    ] {
        let twice = [&form[..], &[(name, "x"), (name, "x")]].concat();
        let refused = client.token(&twice).await;
        assert_eq!(error(refused, 400).await, "invalid_request", "{name}");
    }
    let many: Vec<_> = (0..70).map(|n| (n.to_string(), "x")).collect();
    let many = http.post(&url).form(&many).send().await.unwrap();
    assert_eq!(error(many, 400).await, "invalid_request");
    let large = client
        .token(&[&form[..], &[("x", &"x".repeat(33 * 1024))]].concat())
        .await;
    assert_eq!(large.status(), 413);
    // Unknown parameters, and empty ones, are passed over, and the type may say its charset.
    let body = format!("{query}&made_up=1&scope=");
    let good = content("Application/x-www-form-urlencoded; charset=UTF-8").body(body);
    assert_eq!(good.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_client_gets_what_it_is_registered_for_and_nothing_else() {
    let gatehouse = Gatehouse::start().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "none",
    });
    let client = Client::register_as(&gatehouse, metadata).await;
    let tokens = client.sign_in(&Person::new()).await;
    assert!(tokens.answer.get("refresh_token").is_none());
    let refused = client.refresh("ghr_AAAA").await;
    assert_eq!(error(refused, 400).await, "unauthorized_client");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.id()),
    ];
    let refused = client.token(&form).await;
    assert_eq!(error(refused, 400).await, "unauthorized_client");
    let form = [("grant_type", "password"), ("client_id", client.id())];
    let refused = client.token(&form).await;
    assert_eq!(error(refused, 400).await, "unsupported_grant_type");
}

#[tokio::test]
async fn revoking_what_is_no_token_of_ours_tells_nothing() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let other = Client::register(&gatehouse).await;
    assert_eq!(client.revoke("nonsense").await.status(), 200);
    let tokens = client.sign_in(&Person::new()).await;
    other.revoke(&tokens.refresh).await;
    assert_eq!(
        client.refresh(&tokens.refresh).await.status(),
        200,
        "another client ends nothing"
    );
}

#[tokio::test]
async fn a_code_is_good_for_sixty_seconds() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let in_time = client.code(&Person::new()).await;
    gatehouse.pass(50);
    assert_eq!(client.redeem(&in_time).await.status(), 200);
    let late = client.code(&Person::new()).await;
    gatehouse.pass(61);
    let refused = client.redeem(&late).await;
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["error"], "invalid_grant");
}

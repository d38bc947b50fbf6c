//! The token endpoint and revocation (RFC 6749 sections 4.1.3 and 6, RFC 7009, RFC 7636).

use serde_json::{Value, json};
use tests::client::{REDIRECT_URI, Tokens, USED_REDIRECT_URI, VERIFIER};
use tests::{Client, Gatehouse, Mcp, Person};

#[tokio::test]
async fn a_code_is_refused_without_what_it_is_bound_to_and_survives_the_attempt() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let other = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    let good = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", USED_REDIRECT_URI),
        ("client_id", client.id()),
        ("code_verifier", VERIFIER),
    ];
    let wrong_verifier = "x".repeat(43);
    for (name, value) in [
        ("code_verifier", wrong_verifier.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", other.id()),
        ("code", "ghc_AAAA"),
    ] {
        let changed = good.map(|(known, kept)| (known, if known == name { value } else { kept }));
        let response = client.token(&changed).await;
        assert_eq!(response.status(), 400, "{name}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"], "invalid_grant", "{name}");
    }
    assert_eq!(client.token(&good).await.status(), 200);
}

#[tokio::test]
async fn a_code_that_comes_back_ends_everything_it_gave() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    let tokens = Tokens::read(client.redeem(&code).await).await;
    assert_eq!(client.redeem(&code).await.status(), 400);
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 400);
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
            .form(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", USED_REDIRECT_URI),
                ("client_id", client.id()),
                ("code_verifier", VERIFIER),
            ])
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
        .sign_in_for(&Person::new(), "tools profile made_up offline_access")
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
async fn a_request_that_is_no_form_or_repeats_itself_is_refused() {
    let gatehouse = Gatehouse::start().await;
    let http = reqwest::Client::new();
    let url = gatehouse.url("/token");
    let json = http
        .post(&url)
        .json(&json!({ "grant_type": "refresh_token" }));
    let repeated = http.post(&url).form(&[
        ("grant_type", "refresh_token"),
        ("grant_type", "authorization_code"),
    ]);
    let unknown = http.post(&url).form(&[("grant_type", "password")]);
    for request in [json, repeated, unknown] {
        let response = request.send().await.unwrap();
        assert!(matches!(response.status().as_u16(), 400 | 401 | 415));
        let error: Value = response.json().await.unwrap();
        assert!(error["error"].is_string());
    }
    let get = http.get(&url).send().await.unwrap();
    assert_eq!(get.status(), 405);
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

//! Token revocation (RFC 7009), which ends the whole grant.

use descope_emulator::{Endpoint, Fault};
use gatehouse_tests::client::{REDIRECT_URI, Tokens};
use gatehouse_tests::{Client, Gatehouse, Mcp, Person};
use serde_json::{Value, json};
use std::time::Duration;

async fn call(gatehouse: &Gatehouse, token: &str) -> u16 {
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(token));
    mcp.request("tools/list", json!({})).await.status().as_u16()
}

#[tokio::test]
async fn revoking_either_token_whatever_the_hint_ends_the_grant() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    for hint in [
        None,
        Some("access_token"),
        Some("refresh_token"),
        Some("made_up"),
    ] {
        for is_access in [true, false] {
            let tokens = client.sign_in(&Person::new()).await;
            let newer = Tokens::read(client.refresh(&tokens.refresh).await).await;
            let token = if is_access {
                &tokens.access
            } else {
                &tokens.refresh
            };
            let mut form = vec![("token", token.as_str()), ("client_id", client.id())];
            form.extend(hint.map(|hint| ("token_type_hint", hint)));
            let revoked = client.form("/revoke", &form).send().await.unwrap();
            assert_eq!(revoked.status(), 200);
            for access in [&tokens.access, &newer.access] {
                assert_eq!(call(&gatehouse, access).await, 401);
            }
            for refresh in [&tokens.refresh, &newer.refresh] {
                assert_eq!(client.refresh(refresh).await.status(), 400);
            }
        }
    }
}

/// Waits for what happens after an answer.
async fn revoked_at_the_provider(gatehouse: &Gatehouse, times: u64) {
    while gatehouse.descope.requests(Endpoint::Revoke) < times {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_end_of_a_grant_revokes_its_tokens_at_the_provider() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    assert_eq!(gatehouse.descope.requests(Endpoint::Revoke), 0);
    assert_eq!(client.revoke(&tokens.refresh).await.status(), 200);
    revoked_at_the_provider(&gatehouse, 1).await;
    // So does a code that comes back.
    let code = client.code(&Person::new()).await;
    Tokens::read(client.redeem(&code).await).await;
    let before = gatehouse.descope.requests(Endpoint::Revoke);
    gatehouse.pass(10);
    assert_eq!(client.redeem(&code).await.status(), 400);
    revoked_at_the_provider(&gatehouse, before + 1).await;
    // A provider that does not answer keeps no client waiting.
    let tokens = client.sign_in(&Person::new()).await;
    gatehouse.descope.fail(Endpoint::Revoke, Fault::Hang, 1);
    assert_eq!(client.revoke(&tokens.refresh).await.status(), 200);
    assert_eq!(call(&gatehouse, &tokens.access).await, 401);
}

#[tokio::test]
async fn an_expired_access_token_of_a_public_client_ends_nothing() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    gatehouse.pass(901);
    assert_eq!(client.revoke(&tokens.access).await.status(), 200);
    let newer = Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(call(&gatehouse, &newer.access).await, 200);
}

#[tokio::test]
async fn what_is_unknown_or_was_revoked_before_is_answered_200_and_nothing_else_is_told() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let elsewhere = Gatehouse::start().await;
    let theirs = Client::register(&elsewhere)
        .await
        .sign_in(&Person::new())
        .await;
    for token in [
        &tokens.access,
        &tokens.access,
        &tokens.refresh,
        &theirs.access,
        "nonsense",
    ] {
        let revoked = client.revoke(token).await;
        assert_eq!(revoked.status(), 200);
        assert_eq!(revoked.headers()["cache-control"], "no-store");
        assert!(revoked.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_its_own_client_alone() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let other = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    for token in [&tokens.access, &tokens.refresh] {
        let refused = other.revoke(token).await;
        assert_eq!(refused.status(), 400);
        let error: Value = refused.json().await.unwrap();
        assert_eq!(error["error"], "invalid_request");
    }
    assert_eq!(call(&gatehouse, &tokens.access).await, 200);
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 200);
}

#[tokio::test]
async fn a_confidential_client_revokes_with_its_secret_alone() {
    let gatehouse = Gatehouse::start().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let client = Client::register_as(&gatehouse, metadata).await;
    let secret = client.registration["client_secret"].as_str().unwrap();
    let code = client.code(&Person::new()).await;
    let mut form = client.redeeming(&code).to_vec();
    form.push(("client_secret", secret));
    let tokens = Tokens::read(client.token(&form).await).await;
    assert_eq!(client.revoke(&tokens.access).await.status(), 401);
    assert_eq!(call(&gatehouse, &tokens.access).await, 200);
    let form = [
        ("token", tokens.access.as_str()),
        ("client_id", client.id()),
        ("client_secret", secret),
    ];
    let revoked = client.form("/revoke", &form).send().await.unwrap();
    assert_eq!(revoked.status(), 200);
    assert_eq!(call(&gatehouse, &tokens.access).await, 401);
}

#[tokio::test]
async fn a_request_without_a_token_or_that_is_no_form_is_refused() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let missing = client.form("/revoke", &[("client_id", client.id())]);
    let twice = [("client_id", client.id()), ("token", "a"), ("token", "b")];
    let twice = client.form("/revoke", &twice);
    let no_form = reqwest::Client::new().post(gatehouse.url("/revoke"));
    let no_form = no_form.json(&json!({ "token": "a", "client_id": client.id() }));
    for request in [missing, twice, no_form] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 400);
        let error: Value = refused.json().await.unwrap();
        assert_eq!(error["error"], "invalid_request");
    }
    assert_eq!(client.revoke("x").await.status(), 200);
}

//! Revocation, by the client and by an administrator.

use reqwest::Response;
use serde_json::Value;

use crate::support::*;
use descope_emulator::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_MANAGEMENT_KEY, DEFAULT_PROJECT_ID, Running,
};

async fn revoke(descope: &Running, token: &Value, secret: &str) -> Response {
    let url = format!("{}/oauth2/v1/apps/revoke", descope.base_url());
    let form = [
        ("token", token.as_str().unwrap()),
        ("client_id", DEFAULT_CLIENT_ID),
        ("client_secret", secret),
    ];
    http().post(url).form(&form).send().await.unwrap()
}

async fn refresh(descope: &Running, tokens: &Value) -> Response {
    let form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    post_token(descope, &form).await
}

#[tokio::test]
async fn revoking_either_token_ends_the_grant() {
    for name in ["refresh_token", "access_token"] {
        let descope = start().await;
        let tokens = login(&descope).await;
        let response = revoke(&descope, &tokens[name], DEFAULT_CLIENT_SECRET).await;
        assert_eq!(response.status(), 200);
        let (code, message) = refusal(refresh(&descope, &tokens).await, 404).await;
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("E063302", "Cannot find consent by id")
        );
        let access = tokens["access_token"].as_str().unwrap();
        refusal(userinfo(&descope, access).await, 401).await;
        assert!(verify(&descope, access).await.is_some());
    }
}

#[tokio::test]
async fn revoking_an_unknown_token_succeeds() {
    let descope = start().await;
    let response = revoke(&descope, &"nothing".into(), DEFAULT_CLIENT_SECRET).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn revoking_takes_the_clients_own_credentials() {
    let descope = start().await;
    let tokens = login(&descope).await;
    refusal(
        revoke(&descope, &tokens["refresh_token"], "wrong").await,
        401,
    )
    .await;

    let url = format!("{}/oauth2/v1/apps/revoke", descope.base_url());
    let bearer = format!("{DEFAULT_PROJECT_ID}:{DEFAULT_MANAGEMENT_KEY}");
    let body = serde_json::json!({ "token": tokens["refresh_token"] });
    let foreign = http().post(url).bearer_auth(bearer).json(&body);
    assert_eq!(foreign.send().await.unwrap().status(), 200);
    assert_eq!(refresh(&descope, &tokens).await.status(), 200);
}

#[tokio::test]
async fn one_login_of_a_person_survives_the_revocation_of_another() {
    let descope = start().await;
    let first = login(&descope).await;
    let second = login(&descope).await;
    revoke(&descope, &first["refresh_token"], DEFAULT_CLIENT_SECRET).await;
    assert_eq!(refresh(&descope, &second).await.status(), 200);
}

#[tokio::test]
async fn an_administrator_ends_all_grants_of_a_user_and_no_others() {
    let descope = start().await;
    let subject = descope.config().user.subject.clone();
    let first = login(&descope).await;
    let second = login(&descope).await;
    descope.sign_in_as(descope_emulator::User::new("Ada", "ada@example.com"));
    let other = login(&descope).await;
    assert_eq!(descope.revoke_user(&subject), 2);
    refusal(refresh(&descope, &first).await, 404).await;
    refusal(refresh(&descope, &second).await, 404).await;
    assert_eq!(refresh(&descope, &other).await.status(), 200);
}

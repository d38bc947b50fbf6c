//! The sign-in page.

use std::collections::HashMap;

use descope_emulator::{Config, Endpoint, Running, User};
use reqwest::Response;
use serde_json::Value;

use crate::support::*;

/// Returns the page for `request`, and what its hidden field says.
async fn page(descope: &Running, request: &HashMap<&'static str, String>) -> (String, String) {
    let response = authorize(descope, request).await;
    assert_eq!(response.status(), 200);
    let html = response.text().await.unwrap();
    let hidden = html
        .split_once(r#"name="request" value=""#)
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(value, _)| value.replace("&amp;", "&").replace("&#39;", "'"))
        .unwrap();
    (html, hidden)
}

async fn submit(descope: &Running, fields: &[(&str, &str)]) -> Response {
    let url = format!("{}/emulator/sign-in", descope.base_url());
    http().post(url).form(fields).send().await.unwrap()
}

#[tokio::test]
async fn the_page_leads_to_a_code_for_the_person_who_filled_it_in() {
    let descope = start_with(Config::default()).await;
    let (html, hidden) = page(&descope, &request()).await;
    assert!(html.contains("Local emulator."));
    assert!(html.contains("127.0.0.1:3000"));
    let fields = [
        ("request", hidden.as_str()),
        ("name", " Grace Hopper "),
        ("email", "grace@example.com"),
        ("decision", "allow"),
    ];
    let parameters = redirected(&submit(&descope, &fields).await);
    assert_eq!(parameters["state"], "the state");
    let response = post_token(&descope, &exchange_form(&parameters["code"])).await;
    let tokens: Value = response.json().await.unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    let claims: Value = userinfo(&descope, access).await.json().await.unwrap();
    assert_eq!(claims["name"], "Grace Hopper");
    assert_eq!(claims["email"], "grace@example.com");
    assert_eq!(descope.requests(Endpoint::SignIn), 1);
}

#[tokio::test]
async fn one_email_address_is_one_subject() {
    let subject = |email: &str| User::new("A", email).subject;
    assert_eq!(subject("ada@example.com"), subject("ADA@example.com"));
    assert_ne!(subject("ada@example.com"), subject("bob@example.com"));
}

#[tokio::test]
async fn denying_needs_no_name() {
    let descope = start_with(Config::default()).await;
    let (_, hidden) = page(&descope, &request()).await;
    let fields = [("request", hidden.as_str()), ("decision", "deny")];
    let parameters = redirected(&submit(&descope, &fields).await);
    assert_eq!(parameters["error"], "access_denied");
    assert_eq!(parameters["state"], "the state");
}

#[tokio::test]
async fn a_form_without_a_name_or_a_real_address_comes_back_with_the_reason() {
    let descope = start_with(Config::default()).await;
    let (_, hidden) = page(&descope, &request()).await;
    for (name, email, id) in [
        ("", "ada@example.com", "name-problem"),
        ("Ada", "", "email-problem"),
        ("Ada", "ada", "email-problem"),
        ("Ada", "ada@", "email-problem"),
        ("Ada", "a b@example.com", "email-problem"),
    ] {
        let fields = [
            ("request", hidden.as_str()),
            ("name", name),
            ("email", email),
        ];
        let response = submit(&descope, &fields).await;
        assert_eq!(response.status(), 422);
        let html = response.text().await.unwrap();
        assert!(
            html.contains(&format!(r#"aria-describedby="{id}""#)),
            "{name} {email}"
        );
    }
    assert!(descope.users().is_empty());
}

#[tokio::test]
async fn the_form_cannot_smuggle_in_another_redirect_or_scope() {
    let descope = start_with(Config::default()).await;
    let (_, hidden) = page(&descope, &request()).await;
    let person = [("name", "Ada"), ("email", "ada@example.com")];
    let elsewhere = hidden.replace("127.0.0.1", "attacker.example");
    let mut fields = vec![("request", elsewhere.as_str())];
    fields.extend(person);
    refusal(submit(&descope, &fields).await, 400).await;
    let more = hidden.replace("openid", "admin");
    let mut fields = vec![("request", more.as_str())];
    fields.extend(person);
    let parameters = redirected(&submit(&descope, &fields).await);
    assert_eq!(parameters["error"], "invalid_scope");
}

#[tokio::test]
async fn what_the_request_brings_is_text_on_the_page_and_never_markup() {
    let descope = start_with(Config::default()).await;
    let evil = r#""><script>alert('1')</script>"#;
    let request = request_with(&[("state", evil), ("login_hint", evil), ("nonce", evil)]);
    let (html, _) = page(&descope, &request).await;
    assert!(!html.contains("<script"));
    assert!(html.contains("&quot;&gt;&lt;script&gt;"));
    let fields = [
        ("request", "client_id=local-client"),
        ("name", evil),
        ("email", evil),
    ];
    let html = submit(&descope, &fields).await.text().await.unwrap();
    assert!(!html.contains("<script"));
}

#[tokio::test]
async fn a_login_hint_fills_in_the_address_and_the_named_user_is_suggested() {
    let descope = start_with(Config::default()).await;
    descope.sign_in_as(User::new("Ada", "ada@example.com"));
    let (html, _) = page(&descope, &request()).await;
    assert!(html.contains(r#"value="Ada""#) && html.contains(r#"value="ada@example.com""#));
    let hinted = request_with(&[("login_hint", "bob@example.com")]);
    let (html, _) = page(&descope, &hinted).await;
    assert!(html.contains(r#"value="bob@example.com""#));
}

#[tokio::test]
async fn pages_run_no_script_load_nothing_foreign_and_cannot_be_framed() {
    let descope = start_with(Config::default()).await;
    let response = authorize(&descope, &request()).await;
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"));
    assert!(policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["cache-control"], "no-store");
    let html = response.text().await.unwrap();
    assert!(!html.contains("src=") && !html.contains("style=") && !html.contains("://fonts"));
    let style = http().get(format!("{}/emulator/style.css", descope.base_url()));
    let style = style.send().await.unwrap();
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn a_browser_gets_a_refusal_as_a_page() {
    let descope = start().await;
    let url = format!("{}/oauth2/v1/apps/authorize", descope.base_url());
    let response = http()
        .get(url)
        .query(&request_with(&[("client_id", "<b>")]))
        .header("accept", "text/html,application/xhtml+xml")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    let html = response.text().await.unwrap();
    assert!(html.contains("Unknown client id"));
    assert!(!html.contains("<b>"));
}

#[tokio::test]
async fn the_home_page_says_what_answers_here() {
    let descope = start().await;
    let response = http()
        .get(format!("{}/", descope.base_url()))
        .send()
        .await
        .unwrap();
    let html = response.text().await.unwrap();
    assert!(html.contains("Descope emulator"));
    assert!(!html.contains("local-secret") && !html.contains("local-management"));
}

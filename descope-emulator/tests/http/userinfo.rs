//! Userinfo.

use descope_emulator::{Config, Mint, Signature, User};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn the_scopes_decide_which_claims_there_are() {
    let descope = start().await;
    let ada = User::new("Ada Lovelace", "ada@example.com")
        .with_picture("https://pictures.example.com/ada.png")
        .with_phone("+15551234567");
    descope.sign_in_as(ada.clone());
    let everything = json!({
        "sub": ada.subject,
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "picture": "https://pictures.example.com/ada.png",
        "email": "ada@example.com",
        "email_verified": true,
        "phone_number": "+15551234567",
        "phone_number_verified": true,
    });
    for (scopes, names) in [
        ("openid", ["sub"].as_slice()),
        ("openid email", &["sub", "email", "email_verified"]),
        (
            "openid profile",
            &["sub", "name", "given_name", "family_name", "picture"],
        ),
        (
            "openid phone",
            &["sub", "phone_number", "phone_number_verified"],
        ),
    ] {
        let token = descope.mint(Mint::new().scopes(scopes)).unwrap();
        let response = userinfo(&descope, &token).await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        let claims: Value = response.json().await.unwrap();
        let expected: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), everything[name].clone()))
            .collect();
        assert_eq!(claims, Value::Object(expected), "{scopes}");
    }
}

#[tokio::test]
async fn a_login_leads_to_the_persons_claims_by_get_and_by_post() {
    let descope = start().await;
    let tokens = login(&descope).await;
    let access = tokens["access_token"].as_str().unwrap();
    let claims: Value = userinfo(&descope, access).await.json().await.unwrap();
    assert_eq!(claims["email"], "developer@example.com");
    let url = format!("{}/oauth2/v1/apps/userinfo", descope.base_url());
    let posted = http().post(url).bearer_auth(access).send().await.unwrap();
    assert_eq!(posted.json::<Value>().await.unwrap(), claims);
}

#[tokio::test]
async fn a_missing_foreign_expired_or_wrong_token_is_refused() {
    let descope = start().await;
    let url = format!("{}/oauth2/v1/apps/userinfo", descope.base_url());
    refusal(http().get(url).send().await.unwrap(), 401).await;
    let mint = |mint: Mint| descope.mint(mint).unwrap();
    let id_token = login(&descope).await["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    for token in [
        "garbage".to_owned(),
        mint(Mint::new().signature(Signature::ForeignKey)),
        mint(Mint::new().signature(Signature::UnknownKey)),
        mint(Mint::new().lifetime(-1)),
        mint(Mint::new().issuer("https://elsewhere.example.com")),
        id_token,
    ] {
        let response = userinfo(&descope, &token).await;
        let challenge = response.headers()["www-authenticate"].clone();
        assert_eq!(challenge, r#"Bearer error="invalid_token""#);
        assert_eq!(refusal(response, 401).await.0, "E061005");
    }
}

#[tokio::test]
async fn a_token_without_openid_is_not_enough() {
    let descope = start().await;
    let token = descope.mint(Mint::new().scopes("profile email")).unwrap();
    let response = userinfo(&descope, &token).await;
    assert!(
        response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("insufficient_scope")
    );
    refusal(response, 403).await;
}

#[tokio::test]
async fn an_unknown_subject_is_not_found() {
    let descope = start().await;
    let token = descope.mint(Mint::new().subject("U_UNKNOWN")).unwrap();
    assert_eq!(
        refusal(userinfo(&descope, &token).await, 400).await.0,
        "E062108"
    );
}

#[tokio::test]
async fn tokens_of_the_agentic_issuer_are_answered_only_on_request() {
    let descope = start().await;
    let token = descope.mint(Mint::new().agentic()).unwrap();
    refusal(userinfo(&descope, &token).await, 401).await;

    let config = Config {
        userinfo_for_agentic_tokens: true,
        ..Config::for_tests()
    };
    let descope = start_with(config).await;
    let token = descope.mint(Mint::new().agentic()).unwrap();
    assert_eq!(userinfo(&descope, &token).await.status(), 200);
}

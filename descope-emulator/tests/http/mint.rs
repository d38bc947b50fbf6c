//! Tokens made without a login, and the rotation of keys.

use descope_emulator::{DEFAULT_PROJECT_ID, Mint, Signature, TokenIssuer};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_minted_token_is_like_an_issued_one() {
    let descope = start().await;
    let minted = descope.mint(Mint::new()).unwrap();
    let issued = login(&descope).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let minted = verify(&descope, &minted).await.unwrap();
    let issued = verify(&descope, &issued).await.unwrap();
    for name in ["iss", "aud", "sub", "azp", "client_id", "scope"] {
        assert_eq!(minted[name], issued[name], "{name}");
    }
    let names = |claims: &serde_json::Value| -> Vec<String> {
        claims.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&minted), names(&issued));
}

#[tokio::test]
async fn every_part_of_a_minted_token_can_be_chosen() {
    let descope = start().await;
    let token = descope
        .mint(
            Mint::new()
                .subject("U1")
                .issuer("https://issuer.example.com")
                .audience(["a", "b"])
                .scopes("read")
                .lifetime(30)
                .claim("tenant", json!("t1"))
                .claim("azp", json!(null)),
        )
        .unwrap();
    let claims = verify(&descope, &token).await.unwrap();
    assert_eq!(claims["sub"], "U1");
    assert_eq!(claims["iss"], "https://issuer.example.com");
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(claims["scope"], "read");
    assert_eq!(claims["tenant"], "t1");
    assert!(claims.get("azp").is_none());
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(lifetime, 30);

    let agentic = descope.mint(Mint::new().agentic()).unwrap();
    let claims = verify(&descope, &agentic).await.unwrap();
    assert_eq!(claims["iss"], descope.issuer(TokenIssuer::Agentic));
    assert_eq!(claims["aud"], json!([DEFAULT_PROJECT_ID]));
}

#[tokio::test]
async fn expired_and_forged_tokens_do_not_verify() {
    let descope = start().await;
    let genuine = descope.mint(Mint::new()).unwrap();
    assert!(verify(&descope, &genuine).await.is_some());
    for mint in [
        Mint::new().lifetime(-5),
        Mint::new().signature(Signature::ForeignKey),
        Mint::new().signature(Signature::UnknownKey),
    ] {
        let token = descope.mint(mint).unwrap();
        assert!(verify(&descope, &token).await.is_none());
    }
}

#[tokio::test]
async fn after_a_rotation_old_tokens_verify_until_old_keys_are_withdrawn() {
    let descope = start().await;
    let old = descope.mint(Mint::new()).unwrap();
    let kid = descope.rotate_signing_key().unwrap();
    let new = descope.mint(Mint::new()).unwrap();
    let header = jwt::Unverified::parse(&new).unwrap().header().clone();
    assert_eq!(header.key_id, Some(kid));
    assert_eq!(jwks(&descope).await["keys"].as_array().unwrap().len(), 2);
    assert!(verify(&descope, &old).await.is_some());
    assert!(verify(&descope, &new).await.is_some());
    descope.withdraw_old_keys();
    assert!(verify(&descope, &old).await.is_none());
    assert!(verify(&descope, &new).await.is_some());
}

//! Metadata and keys.

use descope_emulator::{Config, DEFAULT_MCP_SERVER_ID, DEFAULT_PROJECT_ID, TokenIssuer};
use serde_json::Value;

use crate::support::*;

async fn get(url: &str) -> reqwest::Response {
    http().get(url).send().await.unwrap()
}

#[tokio::test]
async fn each_issuer_has_metadata_below_it_whose_endpoints_work() {
    let descope = start().await;
    for kind in [TokenIssuer::InboundApp, TokenIssuer::Agentic] {
        let issuer = descope.issuer(kind);
        let mut documents = Vec::new();
        for name in ["openid-configuration", "oauth-authorization-server"] {
            let response = get(&format!("{issuer}/.well-known/{name}")).await;
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            documents.push(response.json::<Value>().await.unwrap());
        }
        assert_eq!(documents[0], documents[1]);
        let document = &documents[0];
        assert_eq!(document["issuer"], issuer);
        let endpoint = |name: &str| document[name].as_str().unwrap().to_owned();

        assert_eq!(get(&endpoint("jwks_uri")).await.status(), 200);
        let login = http()
            .get(endpoint("authorization_endpoint"))
            .query(&request())
            .send()
            .await
            .unwrap();
        let code = redirected(&login)["code"].clone();
        let exchange = http()
            .post(endpoint("token_endpoint"))
            .form(&exchange_form(&code))
            .send()
            .await
            .unwrap();
        let tokens: Value = exchange.json().await.unwrap();
        let access = verify(&descope, tokens["access_token"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(access["iss"], issuer);
        refusal(get(&endpoint("userinfo_endpoint")).await, 401).await;
        let bare = http()
            .post(endpoint("revocation_endpoint"))
            .form(&[("token", "x")]);
        refusal(bare.send().await.unwrap(), 400).await;
    }
}

#[tokio::test]
async fn the_keys_are_rsa_for_rs256_at_both_addresses_and_public_alone() {
    let descope = start().await;
    let jwks = jwks(&descope).await;
    let key = &jwks["keys"][0];
    assert_eq!(key["kty"], "RSA");
    assert_eq!(key["alg"], "RS256");
    assert_eq!(key["use"], "sig");
    assert_eq!(key["e"], "AQAB");
    assert_eq!(key["n"].as_str().unwrap().len(), 342);
    assert_eq!(key.as_object().unwrap().len(), 6);
    let other = get(&format!(
        "{}/v2/keys/{DEFAULT_PROJECT_ID}",
        descope.base_url()
    ))
    .await;
    assert_eq!(other.json::<Value>().await.unwrap(), jwks);
}

#[tokio::test]
async fn another_project_or_mcp_server_has_nothing_here() {
    let descope = start().await;
    let base = descope.base_url();
    for path in [
        "P_OTHER/.well-known/jwks.json".to_owned(),
        "v2/keys/P_OTHER".to_owned(),
        "v1/apps/P_OTHER/.well-known/openid-configuration".to_owned(),
        format!("v1/apps/agentic/P_OTHER/{DEFAULT_MCP_SERVER_ID}/.well-known/openid-configuration"),
    ] {
        refusal(get(&format!("{base}/{path}")).await, 404).await;
    }
    let path =
        format!("v1/apps/agentic/{DEFAULT_PROJECT_ID}/MS_OTHER/.well-known/openid-configuration");
    refusal(get(&format!("{base}/{path}")).await, 400).await;
}

#[tokio::test]
async fn a_configured_base_url_is_the_one_in_issuers_and_metadata() {
    let config = Config {
        base_url: Some("https://descope.example.com/".to_owned()),
        ..Config::for_tests()
    };
    let descope = start_with(config).await;
    assert_eq!(descope.base_url(), "https://descope.example.com");
    let path = format!("v1/apps/{DEFAULT_PROJECT_ID}/.well-known/openid-configuration");
    let response = get(&format!("http://{}/{path}", descope.address())).await;
    let document: Value = response.json().await.unwrap();
    assert_eq!(
        document["token_endpoint"],
        "https://descope.example.com/oauth2/v1/apps/token"
    );
}

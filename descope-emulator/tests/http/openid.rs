//! `/openid`: a provider that is not Descope.

use descope_emulator::{Algorithm, Config, Mint, Running, TokenIssuer};
use jwt::{KeySet, Unverified};
use reqwest::Response;
use serde_json::{Map, Value, json};
use url::Url;

use crate::support::{CALLBACK, VERIFIER, http, request, start, start_with};

#[tokio::test]
async fn its_metadata_names_its_own_endpoints_and_the_iss_parameter() {
    let provider = start().await;
    let issuer = provider.issuer(TokenIssuer::OpenId);
    let metadata = metadata(&provider).await;
    assert_eq!(metadata["issuer"], issuer);
    for (name, path) in [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "token"),
        ("userinfo_endpoint", "userinfo"),
        ("jwks_uri", "keys"),
    ] {
        assert_eq!(metadata[name], format!("{issuer}/{path}"));
    }
    assert_eq!(
        metadata["authorization_response_iss_parameter_supported"],
        true
    );
}

#[tokio::test]
async fn a_login_leads_to_tokens_of_its_own_whatever_it_signs_with() {
    for algorithm in Algorithm::ALL {
        let provider = start_with(Config {
            openid_algorithm: algorithm,
            ..Config::for_tests()
        })
        .await;
        let issuer = provider.issuer(TokenIssuer::OpenId);
        let back = sign_in(&provider).await;
        assert_eq!(parameter(&back, "iss"), issuer);
        let answer = redeem(&provider, &parameter(&back, "code")).await;
        assert_eq!(answer.status(), 200);
        let tokens: Value = answer.json().await.unwrap();
        for (name, typ) in [("access_token", "at+jwt"), ("id_token", "JWT")] {
            let claims = verified(&provider, &tokens[name], typ, algorithm).await;
            assert_eq!(claims["iss"], issuer);
        }
        let info = http()
            .get(format!("{issuer}/userinfo"))
            .bearer_auth(tokens["access_token"].as_str().unwrap())
            .send()
            .await
            .unwrap();
        assert_eq!(info.status(), 200);
    }
}

#[tokio::test]
async fn a_secret_comes_by_basic_alone_and_errors_are_those_of_oauth() {
    let provider = start().await;
    let config = provider.config();
    let url = format!("{}/token", provider.issuer(TokenIssuer::OpenId));
    let in_form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "unknown"),
        ("client_id", config.client_id.as_str()),
        ("client_secret", config.client_secret.as_str()),
    ];
    let answer = http().post(&url).form(&in_form).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(
        answer.json::<Value>().await.unwrap()["error"],
        "invalid_client"
    );
    for (form, error) in [
        (&in_form[..2], "invalid_grant"),
        (&[("grant_type", "password")][..], "unsupported_grant_type"),
        (&[("grant_type", "refresh_token")][..], "invalid_request"),
    ] {
        let answer = http()
            .post(&url)
            .basic_auth(&config.client_id, Some(&config.client_secret))
            .form(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], error);
    }
}

#[tokio::test]
async fn the_next_callback_and_the_next_id_token_change_as_asked_and_no_other() {
    let provider = start().await;
    provider.change_next_callback(&[("iss", Some("https://other.example")), ("state", None)]);
    let back = sign_in(&provider).await;
    assert_eq!(parameter(&back, "iss"), "https://other.example");
    assert_eq!(parameter(&back, "state"), "");
    provider.change_next_id_token(json!({ "nonce": "other", "iat": null }));
    for expected in ["other", "the-nonce"] {
        let back = sign_in(&provider).await;
        assert_eq!(
            parameter(&back, "iss"),
            provider.issuer(TokenIssuer::OpenId)
        );
        let answer = redeem(&provider, &parameter(&back, "code")).await;
        let tokens: Value = answer.json().await.unwrap();
        let claims = verified(&provider, &tokens["id_token"], "JWT", Algorithm::Rs256).await;
        assert_eq!(claims["nonce"], expected);
        assert_eq!(claims.contains_key("iat"), expected == "the-nonce");
    }
}

#[tokio::test]
async fn descopes_tokens_are_nothing_here_and_the_other_way_round() {
    let provider = start().await;
    for (issuer, path) in [
        (TokenIssuer::InboundApp, "/openid/userinfo"),
        (TokenIssuer::OpenId, "/oauth2/v1/apps/userinfo"),
    ] {
        let token = provider.mint(Mint::new().of(issuer)).unwrap();
        let url = format!("{}{path}", provider.base_url());
        let answer = http().get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
}

async fn get(provider: &Running, path: &str) -> Response {
    let url = format!("{}{path}", provider.base_url());
    http().get(url).send().await.unwrap()
}

async fn metadata(provider: &Running) -> Value {
    let answer = get(provider, "/openid/.well-known/openid-configuration").await;
    answer.json().await.unwrap()
}

/// Returns where a login leads.
async fn sign_in(provider: &Running) -> Url {
    let url = format!("{}/authorize", provider.issuer(TokenIssuer::OpenId));
    let answer = http().get(url).query(&request()).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap();
    Url::parse(location).unwrap()
}

async fn redeem(provider: &Running, code: &str) -> Response {
    let config = provider.config();
    http()
        .post(format!("{}/token", provider.issuer(TokenIssuer::OpenId)))
        .basic_auth(&config.client_id, Some(&config.client_secret))
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .send()
        .await
        .unwrap()
}

/// Returns the claims of a token of this type, signed so by a published key.
async fn verified(
    provider: &Running,
    token: &Value,
    typ: &str,
    algorithm: Algorithm,
) -> Map<String, Value> {
    let keys: Value = get(provider, "/openid/keys").await.json().await.unwrap();
    let keys = KeySet::from_value(&keys).unwrap();
    let token = Unverified::parse(token.as_str().unwrap()).unwrap();
    assert!(token.header().is_type(typ));
    let key_id = token.header().key_id.clone();
    let key = keys.find(key_id.as_deref(), algorithm).unwrap();
    token.verify(key).unwrap()
}

/// Returns a parameter of a URL; empty if it has none.
fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

//! Responses of an identity provider, or of an attacker in its name; and its one line in the manifest.

use descope_emulator::{Algorithm, Config, Emulator, Endpoint, Fault, Mint};
use gatehouse_tests::client::parameter;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Provider, Settings};
use serde_json::{Value, json};
use url::Url;

gatehouse_tests::over_both_providers!(
    a_code_that_comes_with_another_issuer_is_refused,
    an_id_token_of_another_login_or_audience_signs_no_one_in,
    a_token_for_another_client_or_of_another_kind_is_nothing_at_the_mcp_endpoint,
);

/// Signs a person in, and gives where that leads.
async fn sign_in(gatehouse: &Gatehouse) -> Url {
    let client = Client::register(gatehouse).await;
    let url = client.authorization_url(&client.authorization_request());
    Person::new().allow(&url).await
}

fn error(back: &Url) -> Option<String> {
    assert_eq!(parameter(back, "state").as_deref(), Some("client-state"));
    assert_eq!(
        parameter(back, "code").is_none(),
        parameter(back, "error").is_some()
    );
    parameter(back, "error")
}

async fn a_code_that_comes_with_another_issuer_is_refused(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let emulator = &gatehouse.descope;
    let issuer = emulator.issuer(provider.issuer());
    let longer = format!("{issuer}/");
    let mut others = vec!["https://id.example.com", &longer];
    // An empty parameter is one that was left out (RFC 6749 section 3.1), and Descope may.
    if provider == Provider::OpenId {
        others.push("");
    }
    for other in others {
        let before = emulator.requests(Endpoint::Token);
        emulator.change_next_callback(&[("iss", Some(other))]);
        let back = sign_in(&gatehouse).await;
        assert_eq!(error(&back).as_deref(), Some("access_denied"), "{other}");
        assert_eq!(
            emulator.requests(Endpoint::Token),
            before,
            "the code goes nowhere"
        );
    }
    emulator.change_next_callback(&[("iss", Some(&issuer))]);
    assert_eq!(error(&sign_in(&gatehouse).await), None);
}

#[tokio::test]
async fn a_code_without_an_issuer_is_refused_where_the_provider_says_that_it_names_itself() {
    let gatehouse = Gatehouse::start_over(Provider::OpenId).await;
    gatehouse.descope.change_next_callback(&[("iss", None)]);
    let back = sign_in(&gatehouse).await;
    assert_eq!(error(&back).as_deref(), Some("access_denied"));

    let gatehouse = Gatehouse::start_over(Provider::OpenId).await;
    let mut metadata = metadata(&gatehouse).await;
    metadata["authorization_response_iss_parameter_supported"] = json!(false);
    let changed = Fault::Json(metadata);
    gatehouse
        .descope
        .fail(Endpoint::Discovery, changed, u32::MAX);
    gatehouse.descope.change_next_callback(&[("iss", None)]);
    assert_eq!(error(&sign_in(&gatehouse).await), None);
}

async fn an_id_token_of_another_login_or_audience_signs_no_one_in(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    for claims in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "iss": "https://id.example.com" }),
        json!({ "aud": ["another-client"] }),
        json!({ "azp": "another-client" }),
        json!({ "exp": 1 }),
        json!({ "sub": null }),
    ] {
        gatehouse.descope.change_next_id_token(claims.clone());
        let back = sign_in(&gatehouse).await;
        assert_eq!(error(&back).as_deref(), Some("access_denied"), "{claims}");
    }
    assert_eq!(error(&sign_in(&gatehouse).await), None);
}

async fn a_token_for_another_client_or_of_another_kind_is_nothing_at_the_mcp_endpoint(
    provider: Provider,
) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let token = || Mint::new().of(provider.issuer());
    let mint = |mint| gatehouse.descope.mint(mint).unwrap();
    let other_issuer = match provider {
        Provider::Descope => Provider::OpenId,
        Provider::OpenId => Provider::Descope,
    };
    let mut bad_tokens = vec![
        mint(token().audience(["another-client"])),
        mint(token().claim("aud", Value::Null)),
        mint(Mint::new().of(other_issuer.issuer())),
        "an-opaque-token".to_owned(),
    ];
    // Elsewhere it is the type that tells an ID token from an access token (RFC 9068 section 4).
    if provider == Provider::Descope {
        let as_id_token = token().claim("nonce", json!("n"));
        bad_tokens.push(mint(as_id_token.claim("scope", Value::Null)));
    }
    for bad in bad_tokens {
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&bad));
        let status = mcp.request("tools/list", json!({})).await.status();
        assert_eq!(status, 401, "{bad}");
    }
}

#[tokio::test]
async fn people_sign_in_whatever_algorithm_the_provider_signs_with() {
    for algorithm in Algorithm::ALL {
        let gatehouse = Gatehouse::start_with(Settings {
            descope: Config {
                openid_algorithm: algorithm,
                // RFC 6749 section 2.3.1: each half of HTTP Basic is form-encoded.
                client_secret: "s3cret+/:%&=~".to_owned(),
                ..Config::for_tests()
            },
            ..Settings::over(Provider::OpenId)
        })
        .await;
        let mcp = Mcp::signed_in(&gatehouse).await;
        let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
        assert_eq!(sum["content"][0]["text"], "5", "{algorithm:?}");
        let pasted = Mint::new().of(Provider::OpenId.issuer());
        let pasted = gatehouse.descope.mint(pasted).unwrap();
        let mcp = Mcp::initialized(&gatehouse, &pasted).await;
        let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
        assert_eq!(sum["content"][0]["text"], "5", "{algorithm:?}");
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_is_a_wrong_variable_and_no_login() {
    let gatehouse = Gatehouse::start_over(Provider::OpenId).await;
    let mut metadata = metadata(&gatehouse).await;
    metadata["issuer"] = json!("https://id.example.com");
    gatehouse
        .descope
        .fail(Endpoint::Discovery, Fault::Json(metadata), u32::MAX);
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let form = person.form(person.open(&url).await).await;
    let page = person.send(&form, ("decision", "allow")).await;
    assert_eq!(page.status(), 500);
    assert!(page.text().await.unwrap().contains("oidc_issuer"));
}

#[tokio::test]
async fn a_host_that_no_variable_names_is_not_called_whatever_the_metadata_says() {
    let elsewhere = Emulator::start(Config::for_tests()).await.unwrap();
    for (named, requests) in [("", 0), (elsewhere.base_url(), 1)] {
        let settings = Settings::over(Provider::OpenId).variable("oidc_other_host", named);
        let gatehouse = Gatehouse::start_with(settings).await;
        let mut metadata = metadata(&gatehouse).await;
        metadata["token_endpoint"] = json!(format!("{}/openid/token", elsewhere.base_url()));
        gatehouse
            .descope
            .fail(Endpoint::Discovery, Fault::Json(metadata), u32::MAX);
        // The code is unknown there, so no one signs in either way.
        assert!(error(&sign_in(&gatehouse).await).is_some());
        assert_eq!(elsewhere.requests(Endpoint::Token), requests);
        assert_eq!(gatehouse.descope.requests(Endpoint::Token), 0);
        let is_named = gatehouse.host.logs().join("\n").contains("oidc_other_host");
        assert_eq!(is_named, named.is_empty());
    }
}

#[tokio::test]
async fn a_provider_in_a_private_network_is_out_of_reach_where_those_are_blocked() {
    let gatehouse = Gatehouse::start_with(Settings::default().block_private_networks()).await;
    let back = sign_in(&gatehouse).await;
    assert_eq!(error(&back).as_deref(), Some("temporarily_unavailable"));
    assert_eq!(gatehouse.descope.requests(Endpoint::Token), 0);
}

#[test]
fn the_manifest_names_the_provider_in_one_line() {
    let manifest = include_str!("../../../spin.toml");
    let lines = |name: &str| {
        let named = manifest.lines().filter(|line| line.contains(name));
        named.filter(|line| !line.starts_with('#')).count()
    };
    assert_eq!(lines(Provider::Descope.component()), 1);
    assert_eq!(lines(Provider::OpenId.component()), 0);
}

async fn metadata(gatehouse: &Gatehouse) -> Value {
    let issuer = gatehouse.descope.issuer(Provider::OpenId.issuer());
    let url = format!("{issuer}/.well-known/openid-configuration");
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

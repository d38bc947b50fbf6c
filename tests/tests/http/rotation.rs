//! Rotation of the master secret: a new one before the old one, and a restart, which no client notices.

use gatehouse_tests::client::{REDIRECT_URI, Tokens, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::{Client, ENCRYPTION_KEY, Gatehouse, Mcp, Person};
use reqwest::Method;
use serde_json::{Value, json};

const NEW: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

/// The new secret writes, and both read.
async fn rotate(gatehouse: Gatehouse) -> Gatehouse {
    let both = format!("{NEW},{ENCRYPTION_KEY}");
    gatehouse.restart_with(&[("encryption_key", &both)]).await
}

/// The old secret is gone.
async fn drop_old(gatehouse: Gatehouse) -> Gatehouse {
    gatehouse.restart_with(&[("encryption_key", NEW)]).await
}

async fn call(gatehouse: &Gatehouse, token: &str) -> u16 {
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(token));
    mcp.request("tools/list", json!({})).await.status().as_u16()
}

async fn published(gatehouse: &Gatehouse) -> Vec<Value> {
    let keys = reqwest::get(gatehouse.url("/.well-known/jwks.json")).await;
    let keys: Value = keys.unwrap().json().await.unwrap();
    keys["keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn tokens_codes_and_what_the_identity_provider_gave_outlive_a_rotation() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let tokens = client.sign_in(&person).await;
    let before = Mcp::initialized(&gatehouse, &tokens.access).await;
    let upstream = before.call("getToken", json!({})).await;
    let refreshed = Tokens::read(client.refresh(&tokens.refresh).await).await;
    let code = client.code(&person).await;
    let gatehouse = rotate(gatehouse).await;

    for access in [&tokens.access, &refreshed.access] {
        assert_eq!(call(&gatehouse, access).await, 200);
    }
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    assert_eq!(mcp.call("getToken", json!({})).await, upstream);
    // The answer that was lost, and the next one.
    for token in [&tokens.refresh, &refreshed.refresh] {
        let newer = Tokens::read(client.refresh(token).await).await;
        assert_eq!(call(&gatehouse, &newer.access).await, 200);
    }
    Tokens::read(client.redeem(&code).await).await;
    // The code is used up under either secret.
    assert_eq!(client.redeem(&code).await.status(), 400);
    client.sign_in(&person).await;
}

#[tokio::test]
async fn an_mcp_session_outlives_a_rotation() {
    let gatehouse = Gatehouse::start().await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let _gatehouse = rotate(gatehouse).await;
    let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["content"][0]["text"], "5");
}

#[tokio::test]
async fn a_sign_in_or_consent_goes_on_through_a_rotation() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let url = client.authorization_url(&client.authorization_request());
    // One has the page before them, another is at Descope.
    let reading = Person::new();
    let form = reading.form(reading.open(&url).await).await;
    let signing_in = Person::new();
    let form_of_other = signing_in.form(signing_in.open(&url).await).await;
    let descope = location(&signing_in.send(&form_of_other, ("decision", "allow")).await);
    let callback = location(&signing_in.open(descope.as_str()).await);
    let _gatehouse = rotate(gatehouse).await;

    let descope = location(&reading.send(&form, ("decision", "allow")).await);
    let callback_of_reader = location(&reading.open(descope.as_str()).await);
    for (person, callback) in [(signing_in, callback), (reading, callback_of_reader)] {
        let back = location(&person.open(callback.as_str()).await);
        let code = parameter(&back, "code").unwrap();
        Tokens::read(client.redeem(&code).await).await;
    }
}

#[tokio::test]
async fn a_remembered_consent_outlives_a_rotation() {
    let gatehouse = Gatehouse::start().await;
    let uri = "https://client.example/callback";
    let metadata = json!({ "redirect_uris": [uri], "token_endpoint_auth_method": "none" });
    let client = Client::register_as(&gatehouse, metadata).await;
    let mut request = client.authorization_request();
    request.insert("redirect_uri", uri.to_owned());
    let url = client.authorization_url(&request);
    let person = Person::new();
    let mut form = person.form(person.open(&url).await).await;
    form.fields.push(("remember".into(), "yes".into()));
    let descope = location(&person.send(&form, ("decision", "allow")).await);
    let callback = location(&person.open(descope.as_str()).await);
    assert!(
        person
            .open(callback.as_str())
            .await
            .status()
            .is_redirection()
    );
    let gatehouse = rotate(gatehouse).await;
    let next = location(&person.open(&url).await);
    assert!(
        next.as_str().starts_with(gatehouse.descope.base_url()),
        "{next}"
    );
}

#[tokio::test]
async fn a_person_stays_signed_in_to_their_account_through_a_rotation() {
    let gatehouse = Gatehouse::start().await;
    let person = Person::new();
    let descope = location(&person.open(&gatehouse.url("/account/sign-in")).await);
    let callback = location(&person.open(descope.as_str()).await);
    let account = location(&person.open(callback.as_str()).await);
    let page = async || person.open(account.as_str()).await.text().await.unwrap();
    let before = page().await;
    assert!(before.contains("sign-out"), "{before}");
    let _gatehouse = rotate(gatehouse).await;
    let after = page().await;
    assert!(after.contains("sign-out"), "{after}");
}

#[tokio::test]
async fn a_registration_and_its_access_token_outlive_a_rotation() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let text = |name: &str| client.registration[name].as_str().unwrap().to_owned();
    let read = async |token: String| {
        let url = text("registration_client_uri");
        let request = reqwest::Client::new().request(Method::GET, url);
        request.bearer_auth(token).send().await.unwrap()
    };
    let old = text("registration_access_token");
    let gatehouse = rotate(gatehouse).await;
    let answer = read(old.clone()).await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    let new = answer["registration_access_token"].as_str().unwrap();
    assert_ne!(new, old);
    // Who has read the new one may go on when the old secret is gone.
    let _gatehouse = drop_old(gatehouse).await;
    assert_eq!(read(old).await.status(), 401);
    assert_eq!(read(new.to_owned()).await.status(), 200);
    client.sign_in(&Person::new()).await;
}

#[tokio::test]
async fn every_key_is_published_the_one_that_signs_first_until_it_is_dropped() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let key_id = async || {
        let tokens = client.sign_in(&Person::new()).await;
        let token = jwt::Unverified::parse(&tokens.access).unwrap();
        token.header().key_id.clone().unwrap()
    };
    let old = published(&gatehouse).await;
    assert_eq!(old.len(), 1);
    assert_eq!(old[0]["kid"], key_id().await);
    let gatehouse = rotate(gatehouse).await;
    let both = published(&gatehouse).await;
    assert_eq!(both.len(), 2);
    assert_eq!(both[0]["kid"], key_id().await);
    assert_eq!(both[1], old[0]);
    assert_ne!(both[0], both[1]);
    let gatehouse = drop_old(gatehouse).await;
    assert_eq!(published(&gatehouse).await, [both[0].clone()]);
}

#[tokio::test]
async fn what_was_begun_under_a_secret_ends_with_it_and_what_came_after_stays() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let before = client.sign_in(&Person::new()).await;
    let gatehouse = rotate(gatehouse).await;
    let after = client.sign_in(&Person::new()).await;
    let gatehouse = drop_old(gatehouse).await;
    assert_eq!(call(&gatehouse, &before.access).await, 401);
    let refused = client.refresh(&before.refresh).await;
    assert_eq!(refused.status(), 400);
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"], "invalid_grant");
    assert_eq!(call(&gatehouse, &after.access).await, 200);
    Tokens::read(client.refresh(&after.refresh).await).await;
}

#[tokio::test]
async fn a_clients_secret_has_nothing_to_do_with_the_master_secret() {
    let gatehouse = Gatehouse::start().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let client = Client::register_as(&gatehouse, metadata).await;
    let gatehouse = drop_old(rotate(gatehouse).await).await;
    let secret = client.registration["client_secret"].as_str().unwrap();
    let code = client.code(&Person::new()).await;
    let request = client
        .redemption(&code)
        .basic_auth(client.id(), Some(secret));
    let tokens = Tokens::read(request.send().await.unwrap()).await;
    assert_eq!(call(&gatehouse, &tokens.access).await, 200);
}

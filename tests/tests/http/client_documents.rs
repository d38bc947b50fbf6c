//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document),
//! and the authentication of such clients (RFC 7523).

use gatehouse_tests::client::{REDIRECT_URI, USED_REDIRECT_URI, VERIFIER};
use gatehouse_tests::published::Page;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Published, Settings, Tokens};
use jwt::SigningKey;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const PATH: &str = "/oauth/client.json";

async fn start(published: &Published) -> Gatehouse {
    let settings = Settings::default().variable("client_metadata_origin", published.origin());
    Gatehouse::start_with(settings).await
}

fn document(published: &Published, more: Value) -> Value {
    let mut document = json!({
        "client_id": published.url(PATH),
        "client_name": "A client with a document",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn key(seed: u8) -> SigningKey {
    SigningKey::ed25519(&[seed; 32])
}

fn assertion(gatehouse: &Gatehouse, key: &SigningKey, client_id: &str, id: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = json!({
        "iss": client_id, "sub": client_id, "aud": gatehouse.base(),
        "jti": id, "iat": now, "exp": now + 60,
    });
    key.sign("JWT", &claims).unwrap()
}

async fn redeem_with(client: &Client, code: &str, assertion: &str) -> reqwest::Response {
    client
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", USED_REDIRECT_URI),
            ("code_verifier", VERIFIER),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
        ])
        .await
}

/// The page that the browser ends at.
async fn page(client: &Client) -> (u16, String) {
    let url = client.authorization_url(&client.authorization_request());
    let response = Person::new().open(&url).await;
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_client_is_what_the_document_at_its_identifier_says() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let gatehouse = start(&published).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    let (status, text) = page(&client).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("A client with a document"), "{text}");
    let tokens = client.sign_in(&Person::new()).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    assert!(published.asked().iter().all(|path| path == PATH));
}

#[tokio::test]
async fn a_document_that_is_out_of_reach_signs_no_one_out_and_lets_no_one_new_in() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let gatehouse = start(&published).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    let tokens = client.sign_in(&Person::new()).await;
    published.clear();
    // Another instance, which remembers nothing.
    let gatehouse = gatehouse.restart().await;
    let refreshed = Tokens::read(client.refresh(&tokens.refresh).await).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&refreshed.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    let other = Client::known_as(&gatehouse, &published.url("/other.json"));
    let (status, text) = page(&other).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("404"), "{text}");
}

#[tokio::test]
async fn a_document_that_is_not_as_it_has_to_be_ends_at_a_page_that_says_why() {
    let published = Published::start().await;
    let gatehouse = start(&published).await;
    let good = || Page::from(document(&published, json!({})));
    let with = |change: &dyn Fn(&mut Page)| {
        let mut page = good();
        change(&mut page);
        page
    };
    let changed = |more: Value| Page::from(document(&published, more));
    let elsewhere = published.url("/elsewhere.json");
    published.put("/elsewhere.json", good());
    for (bad, words) in [
        (
            changed(json!({ "client_id": "https://client.example/c" })),
            "client_id",
        ),
        (changed(json!({ "client_name": null })), "client_name"),
        (changed(json!({ "redirect_uris": [] })), "redirect_uris"),
        (
            changed(json!({ "redirect_uris": ["http://client.example/"] })),
            "redirect_uris[0]",
        ),
        (
            changed(json!({ "token_endpoint_auth_method": "client_secret_post" })),
            "token_endpoint_auth_method",
        ),
        (changed(json!({ "client_secret": "x" })), "client_secret"),
        (
            changed(json!({ "x": "x".repeat(5 * 1024) })),
            "more than 5120 bytes",
        ),
        (with(&|page| page.body = "{".into()), "not a JSON object"),
        (with(&|page| page.status = 404), "404"),
        (
            with(&|page| page.headers = vec![("content-type", "text/html".into())]),
            "application/json",
        ),
        (
            with(&|page| {
                page.status = 302;
                page.headers.push(("location", elsewhere.clone()));
            }),
            "302",
        ),
    ] {
        published.put(PATH, bad);
        // A bad answer is remembered for ten seconds.
        gatehouse.pass(11);
        let client = Client::known_as(&gatehouse, &published.url(PATH));
        let (status, text) = page(&client).await;
        assert_eq!(status, 400, "{words}: {text}");
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!published.asked().contains(&"/elsewhere.json".to_owned()));
    // Nothing of that is remembered for longer than ten seconds.
    published.put(PATH, good());
    gatehouse.pass(11);
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    assert_eq!(page(&client).await.0, 200);
}

#[tokio::test]
async fn at_the_token_endpoint_nothing_is_fetched_for_a_client_without_a_grant() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let gatehouse = start(&published).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    for response in [
        client.redeem("ghc_AAAA").await,
        client.refresh("ghr_AAAA").await,
    ] {
        assert_eq!(response.status(), 401);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"], "invalid_client");
    }
    assert!(published.asked().is_empty(), "{:?}", published.asked());
    // Another instance answers the token request of a first sign-in.
    let code = client.code(&Person::new()).await;
    let gatehouse = gatehouse.restart().await;
    assert_eq!(client.redeem(&code).await.status(), 200);
    drop(gatehouse);
}

#[tokio::test]
async fn a_document_that_does_not_come_within_ten_seconds_is_given_up() {
    let published = Published::start().await;
    let gatehouse = start(&published).await;
    published.say_nothing("/silent.json");
    let mut halfway = Page::from(document(&published, json!({})));
    halfway.body.pop();
    halfway.endless = true;
    published.put("/halfway.json", halfway);
    let ask = async |path| page(&Client::known_as(&gatehouse, &published.url(path))).await;
    let (silent, halfway) = tokio::join!(ask("/silent.json"), ask("/halfway.json"));
    for (status, text) in [silent, halfway] {
        assert_eq!(status, 400, "{text}");
        assert!(text.contains("did not answer within 10 seconds"), "{text}");
    }
}

#[tokio::test]
async fn a_private_place_is_never_asked_for_a_document() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let gatehouse = Gatehouse::start().await;
    let https = published.url(PATH).replace("http://", "https://");
    for url in [
        published.url(PATH).as_str(),
        &https,
        "https://10.0.0.1/client.json",
        "https://localhost/client.json",
        "https://client-metadata.spin.internal/document",
        "https://client.example/a/../client.json",
        "https://me:secret@client.example/client.json",
    ] {
        let (status, text) = page(&Client::known_as(&gatehouse, url)).await;
        assert_eq!(status, 400, "{url}: {text}");
    }
    assert!(published.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_called_where_those_are_blocked() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let settings = Settings::default().variable("client_metadata_origin", published.origin());
    let gatehouse = Gatehouse::start_with(settings.block_private_networks()).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    let url = client.authorization_url(&client.authorization_request());
    let response = Person::new().open(&url).await;
    assert_eq!(response.status(), 400);
    let page = response.text().await.unwrap();
    assert!(page.contains("cannot be reached"), "{page}");
    assert!(published.asked().is_empty());
    // It was the component that fetches which was kept from it: components reach one another.
    let logs = gatehouse.host.logs().join("\n");
    assert!(
        logs.contains("[client-metadata]") && logs.contains("block_networks"),
        "{logs}"
    );
}

#[tokio::test]
async fn no_one_outside_reaches_what_fetches_documents() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let gatehouse = start(&published).await;
    let path = format!("/document?url={}", published.url(PATH));
    let http = reqwest::Client::new();
    // The second claims to come from within, which the host refuses for every path.
    for (host, status) in [(None, 404), (Some("client-metadata.spin.internal"), 400)] {
        let mut request = http.get(gatehouse.url(&path));
        if let Some(host) = host {
            request = request.header("host", host);
        }
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    assert!(published.asked().is_empty());
}

#[tokio::test]
async fn a_client_with_keys_authenticates_by_an_assertion_that_is_good_once() {
    let published = Published::start().await;
    let more = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": published.url("/keys.json"),
    });
    published.put(PATH, document(&published, more));
    published.put("/keys.json", json!({ "keys": [key(1).public().to_jwk()] }));
    let gatehouse = start(&published).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    let code = client.code(&Person::new()).await;
    let bare = client.redeem(&code).await;
    assert_eq!(bare.status(), 401);
    let forged = assertion(&gatehouse, &key(2), client.id(), "1");
    assert_eq!(redeem_with(&client, &code, &forged).await.status(), 401);
    let good = assertion(&gatehouse, &key(1), client.id(), "1");
    let tokens = Tokens::read(redeem_with(&client, &code, &good).await).await;
    assert!(!tokens.refresh.is_empty());
    let replayed = redeem_with(&client, &code, &good).await;
    assert_eq!(replayed.status(), 401);
    let error: Value = replayed.json().await.unwrap();
    assert_eq!(error["error"], "invalid_client");
}

#[tokio::test]
async fn a_document_that_prefers_private_key_jwt_but_allows_none_works_without_a_key() {
    let published = Published::start().await;
    let more = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": published.url("/keys.json"),
    });
    published.put(PATH, document(&published, more));
    let gatehouse = start(&published).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    client.sign_in(&Person::new()).await;
    assert!(!published.asked().contains(&"/keys.json".to_owned()));
}

#[tokio::test]
async fn the_metadata_says_that_documents_and_assertions_are_taken() {
    let gatehouse = Gatehouse::start().await;
    let url = gatehouse.url("/.well-known/oauth-authorization-server");
    let metadata: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    let methods = &metadata["token_endpoint_auth_methods_supported"];
    assert!(
        methods
            .as_array()
            .unwrap()
            .contains(&json!("private_key_jwt"))
    );
    assert_eq!(
        metadata["token_endpoint_auth_signing_alg_values_supported"],
        json!(["EdDSA", "ES256", "RS256"])
    );
}

#[tokio::test]
async fn a_document_is_not_fetched_again_while_it_is_good() {
    let published = Published::start().await;
    published.put(PATH, document(&published, json!({})));
    let gatehouse = start(&published).await;
    let client = Client::known_as(&gatehouse, &published.url(PATH));
    let tokens = client.sign_in(&Person::new()).await;
    let fetched = published.asked().len();
    // On another instance, too.
    let _gatehouse = gatehouse.restart().await;
    Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(page(&client).await.0, 200);
    assert_eq!(published.asked().len(), fetched);
}

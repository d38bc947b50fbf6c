//! Client registration management (RFC 7592), and initial access tokens (RFC 7591 section 3).

use gatehouse_tests::client::REDIRECT_URI;
use gatehouse_tests::{Client, Gatehouse, Person, Settings};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn manage(client: &Client, method: Method) -> RequestBuilder {
    let text = |name: &str| client.registration[name].as_str().unwrap().to_owned();
    reqwest::Client::new()
        .request(method, text("registration_client_uri"))
        .bearer_auth(text("registration_access_token"))
}

async fn register(gatehouse: &Gatehouse, token: Option<&str>) -> Response {
    let mut request = reqwest::Client::new()
        .post(gatehouse.url("/register"))
        .json(&json!({ "redirect_uris": [REDIRECT_URI] }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_client_reads_changes_and_removes_its_registration() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let read = manage(&client, Method::GET).send().await.unwrap();
    assert_eq!(read.status(), 200);
    let read: Value = read.json().await.unwrap();
    assert_eq!(read, client.registration);
    let changed = manage(&client, Method::PUT)
        .json(&json!({
            "client_id": client.id(),
            "client_name": "Another name",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }))
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), 200);
    let url = client.authorization_url(&client.authorization_request());
    let page = Person::new().open(&url).await.text().await.unwrap();
    assert!(page.contains("Another name"), "{page}");
    let removed = manage(&client, Method::DELETE).send().await.unwrap();
    assert_eq!(removed.status(), 204);
    let gone = manage(&client, Method::GET).send().await.unwrap();
    assert_eq!(gone.status(), 401);
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 401);
}

#[tokio::test]
async fn a_registration_is_opened_by_its_own_token_alone() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let other = Client::register(&gatehouse).await;
    let url = client.registration["registration_client_uri"]
        .as_str()
        .unwrap();
    let token = other.registration["registration_access_token"]
        .as_str()
        .unwrap();
    let http = reqwest::Client::new();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = http.request(method.clone(), url).bearer_auth(token);
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 401);
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("invalid_token"), "{challenge}");
        let bare = http.request(method, url).send().await.unwrap();
        assert_eq!(bare.status(), 401);
        let challenge = bare.headers()["www-authenticate"].to_str().unwrap();
        assert!(!challenge.contains("error"), "{challenge}");
    }
    let read = manage(&client, Method::GET).send().await.unwrap();
    assert_eq!(read.status(), 200);
}

#[tokio::test]
async fn a_guarded_registration_is_opened_by_its_token_alone() {
    let settings = Settings::default()
        .variable("registration", "token")
        .variable("registration_token", TOKEN);
    let gatehouse = Gatehouse::start_with(settings).await;
    assert_eq!(register(&gatehouse, None).await.status(), 401);
    assert_eq!(register(&gatehouse, Some("wrong")).await.status(), 401);
    assert_eq!(register(&gatehouse, Some(TOKEN)).await.status(), 201);
}

#[tokio::test]
async fn where_registration_is_off_no_client_registers_or_is_told_where() {
    let gatehouse =
        Gatehouse::start_with(Settings::default().variable("registration", "off")).await;
    assert_eq!(register(&gatehouse, None).await.status(), 403);
    let url = gatehouse.url("/.well-known/oauth-authorization-server");
    let metadata: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert!(
        metadata.get("registration_endpoint").is_none(),
        "{metadata}"
    );
}

#[tokio::test]
async fn a_removed_registration_stays_removed_whatever_is_in_flight() {
    let gatehouse = Gatehouse::start().await;
    for _ in 0..20 {
        let client = Client::register(&gatehouse).await;
        let person = Person::new();
        let code = client.code(&person).await;
        let changes = (0..4).map(|n| {
            manage(&client, Method::PUT)
                .json(&json!({
                    "client_id": client.id(),
                    "client_name": format!("Name {n}"),
                    "redirect_uris": [REDIRECT_URI],
                    "grant_types": ["authorization_code", "refresh_token"],
                    "token_endpoint_auth_method": "none",
                }))
                .send()
        });
        let changes = futures::future::join_all(changes);
        let removal = manage(&client, Method::DELETE).send();
        let (_, _, removed) = tokio::join!(changes, client.redeem(&code), removal);
        assert_eq!(removed.unwrap().status(), 204);
        let read = manage(&client, Method::GET).send().await.unwrap();
        assert_eq!(read.status(), 401);
    }
}

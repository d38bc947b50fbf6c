//! Registering a client (RFC 7591).

use serde_json::{Value, json};
use tests::Gatehouse;

async fn register(gatehouse: &Gatehouse, metadata: &Value) -> (u16, Value) {
    let response = reqwest::Client::new()
        .post(gatehouse.url("/register"))
        .json(metadata)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

#[tokio::test]
async fn a_public_client_gets_an_id_and_no_secret() {
    let gatehouse = Gatehouse::start().await;
    let (status, client) = register(
        &gatehouse,
        &json!({
            "redirect_uris": ["https://client.example/callback", "http://localhost/callback", "com.example.app:/callback"],
            "token_endpoint_auth_method": "none",
            "client_name": "A client",
            "some_field_of_tomorrow": { "is": "ignored" },
        }),
    )
    .await;
    assert_eq!(status, 201, "{client}");
    assert!(client["client_id"].is_string());
    assert!(client.get("client_secret").is_none());
    assert_eq!(client["client_name"], "A client");
    assert!(client.get("some_field_of_tomorrow").is_none());
}

#[tokio::test]
async fn a_confidential_client_gets_a_secret() {
    let gatehouse = Gatehouse::start().await;
    let (status, client) = register(
        &gatehouse,
        &json!({
            "redirect_uris": ["https://client.example/callback"],
            "token_endpoint_auth_method": "client_secret_basic",
        }),
    )
    .await;
    assert_eq!(status, 201, "{client}");
    assert!(client["client_secret"].as_str().unwrap().len() >= 32);
    assert_eq!(client["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn a_redirect_uri_that_could_carry_a_code_away_is_refused() {
    let gatehouse = Gatehouse::start().await;
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://client.example/callback",
        "https://client.example/callback#fragment",
        "https://user:password@client.example/callback",
        "https://*.example/callback",
        "/callback",
        "",
    ] {
        let (status, error) = register(&gatehouse, &json!({ "redirect_uris": [uri] })).await;
        assert_eq!(status, 400, "{uri}: {error}");
        assert_eq!(error["error"], "invalid_redirect_uri", "{uri}");
    }
}

#[tokio::test]
async fn bad_metadata_is_refused_with_the_name_of_the_field() {
    let gatehouse = Gatehouse::start().await;
    let good = "https://client.example/callback";
    for (metadata, field) in [
        (
            json!({ "redirect_uris": [good], "token_endpoint_auth_method": "magic" }),
            "token_endpoint_auth_method",
        ),
        (
            json!({ "redirect_uris": [good], "grant_types": ["password"] }),
            "grant_types",
        ),
        (
            json!({ "redirect_uris": [good], "response_types": ["token"] }),
            "response_types",
        ),
        (
            json!({ "redirect_uris": [good], "client_name": 7 }),
            "client_name",
        ),
    ] {
        let (status, error) = register(&gatehouse, &metadata).await;
        assert_eq!(status, 400, "{error}");
        assert_eq!(error["error"], "invalid_client_metadata");
        let description = error["error_description"].as_str().unwrap();
        assert!(description.contains(field), "{description}");
    }
}

#[tokio::test]
async fn what_is_no_registration_is_refused_with_words() {
    let gatehouse = Gatehouse::start().await;
    let http = reqwest::Client::new();
    let url = gatehouse.url("/register");
    let huge = json!({ "redirect_uris": ["https://client.example/"], "x": "x".repeat(200_000) });
    for (body, status) in [
        ("{".to_owned(), 400),
        ("[]".to_owned(), 400),
        (huge.to_string(), 413),
    ] {
        let response = http
            .post(&url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status);
    }
    assert_eq!(http.get(&url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_web_application_redirects_to_https_alone_and_a_native_one_to_its_own_machine_too() {
    let gatehouse = Gatehouse::start().await;
    for (kind, uri, good) in [
        ("web", "https://client.example/callback", true),
        ("web", "http://localhost:3000/callback", false),
        ("web", "com.example.app:/callback", false),
        ("native", "http://127.0.0.1/callback", true),
        ("native", "com.example.app:/callback", true),
        ("native", "https://client.example/callback", true),
        ("native", "http://client.example/callback", false),
    ] {
        let metadata = json!({ "application_type": kind, "redirect_uris": [uri] });
        let (status, answer) = register(&gatehouse, &metadata).await;
        assert_eq!(
            status,
            if good { 201 } else { 400 },
            "{kind} {uri}: {answer}"
        );
        if !good {
            assert_eq!(answer["error"], "invalid_redirect_uri");
        }
    }
}

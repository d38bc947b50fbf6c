//! Clients that the operator has configured.

use gatehouse_tests::client::{REDIRECT_URI, USED_REDIRECT_URI, VERIFIER};
use gatehouse_tests::{Client, Gatehouse, Person, Settings, Tokens};
use serde_json::{Value, json};

const SECRET: &str = "correct-horse-battery-staple-correct";

async fn metadata(settings: Settings) -> (u16, String) {
    let gatehouse = Gatehouse::start_with(settings).await;
    let url = gatehouse.url("/authorize?client_id=x");
    let response = reqwest::get(url).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_configured_client_signs_people_in_with_its_secret_alone() {
    let clients = json!([{
        "client_id": "configured",
        "client_name": "A configured client",
        "client_secret": SECRET,
        "token_endpoint_auth_method": "client_secret_post",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
    }]);
    let settings = Settings::default().variable("clients", clients.to_string());
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::known_as(&gatehouse, "configured");
    let code = client.code(&Person::new()).await;
    let redeem = |secret: &'static str| {
        let code = code.clone();
        let client = &client;
        async move {
            client
                .token(&[
                    ("grant_type", "authorization_code"),
                    ("client_id", "configured"),
                    ("client_secret", secret),
                    ("code", &code),
                    ("redirect_uri", USED_REDIRECT_URI),
                    ("code_verifier", VERIFIER),
                ])
                .await
        }
    };
    assert_eq!(client.redeem(&code).await.status(), 401);
    assert_eq!(
        redeem("correct-horse-battery-staple-Correct")
            .await
            .status(),
        401
    );
    Tokens::read(redeem(SECRET).await).await;
}

#[tokio::test]
async fn a_mistake_in_a_configured_client_is_named_by_entry_and_field_and_never_by_value() {
    let good = json!({ "client_id": "a", "redirect_uris": [REDIRECT_URI] });
    for (bad, named) in [
        (
            json!({ "client_id": "b", "redirect_uris": ["http://s3cret.example/"] }),
            "redirect_uris[0]",
        ),
        (
            json!({ "client_id": "b", "redirect_uris": [REDIRECT_URI], "client_secret": "s3cret" }),
            "client_secret",
        ),
        (
            json!({ "client_id": "s3cret s3cret", "redirect_uris": [REDIRECT_URI] }),
            "client_id",
        ),
        (
            json!({ "client_id": "b", "grant_types": ["client_credentials"] }),
            "grant_types",
        ),
    ] {
        let clients: Value = json!([good, bad]);
        let settings = Settings::default().variable("clients", clients.to_string());
        let (status, text) = metadata(settings).await;
        assert_eq!(status, 500);
        assert!(text.contains("entry 2") && text.contains(named), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

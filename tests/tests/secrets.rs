//! The search for secrets in logs finds what it looks for. On its own, because all Gatehouses of a
//! process share what it logs.

use gatehouse_tests::secrets::{find, keep};
use gatehouse_tests::{ENCRYPTION_KEY, Gatehouse, Settings};
use host::KeyValue;
use serde_json::json;

#[test]
fn what_is_random_is_found_wherever_it_stands() {
    for secret in [
        ENCRYPTION_KEY,
        "ghr_3q2-7wAAAAEbYy4ZpTnM1hKfXv0uQw9sLkJdRe8iCtOaPz5xUgVh",
        "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ",
    ] {
        let line = format!("[mcp] refused: token={secret}, so there");
        let found = find([line.as_str()]).expect("the secret is found");
        assert!(!found.contains(secret), "and not repeated");
    }
}

#[test]
fn words_numbers_and_addresses_are_no_secrets() {
    let line = "[authorize] 2026-11-25T09:30:08Z the identity-provider answered 502 at \
                http://127.0.0.1:34567/oauth2/v1/apps/token: the_longest_of_all_the_error_codes_there_are";
    assert_eq!(find([line]), None);
}

#[test]
fn a_secret_that_a_test_chose_is_found_when_it_is_kept() {
    let line = "[home] my word is open-sesame-open";
    assert_eq!(find([line]), None);
    keep("open-sesame-open");
    assert!(find([line]).is_some());
}

/// The store's error names its file, and a component logs the error.
#[tokio::test]
async fn a_gatehouse_that_logs_a_secret_fails_its_test() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(ENCRYPTION_KEY);
    std::fs::create_dir(&file).unwrap();
    let gatehouse = Gatehouse::start_with(Settings {
        key_value: KeyValue::sqlite(file),
        ..Settings::default()
    })
    .await;
    let response = reqwest::Client::new()
        .post(gatehouse.url("/register"))
        .json(&json!({ "redirect_uris": ["http://127.0.0.1/callback"] }))
        .send()
        .await
        .unwrap();
    assert!(response.status().is_server_error());
    let dropped = tokio::spawn(async move { drop(gatehouse) }).await;
    assert!(dropped.unwrap_err().is_panic());
}

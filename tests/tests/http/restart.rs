//! State that outlives a restart, and a store that fails.

use gatehouse_tests::client::Tokens;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Provider, Settings};
use host::KeyValue;
use serde_json::json;

gatehouse_tests::over_both_providers!(
    tokens_codes_and_registrations_issued_before_a_restart_work_after_it,
    no_secret_of_the_whole_way_is_in_any_log_line,
);

async fn tokens_codes_and_registrations_issued_before_a_restart_work_after_it(provider: Provider) {
    let folder = tempfile::tempdir().unwrap();
    let gatehouse = Gatehouse::start_with(Settings {
        key_value: KeyValue::sqlite(folder.path().join("gatehouse.db")),
        ..Settings::over(provider)
    })
    .await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let tokens = client.sign_in(&person).await;
    let code = client.code(&person).await;
    let gatehouse = gatehouse.restart().await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    Tokens::read(client.redeem(&code).await).await;
    let refreshed = Tokens::read(client.refresh(&tokens.refresh).await).await;
    let gatehouse = gatehouse.restart().await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&refreshed.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    client.sign_in(&person).await;
}

async fn no_secret_of_the_whole_way_is_in_any_log_line(provider: Provider) {
    let gatehouse = Gatehouse::start_over(provider).await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    let code = client.code(&person).await;
    let tokens = Tokens::read(client.redeem(&code).await).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    mcp.call("getToken", json!({})).await;
    client.redeem(&code).await;
    mcp.request("tools/list", json!({})).await;
    let logs = gatehouse.host.logs().join("\n");
    for secret in [
        tokens.access.as_str(),
        &tokens.refresh,
        &code,
        gatehouse_tests::ENCRYPTION_KEY,
        &gatehouse.descope.config().client_secret,
    ] {
        assert!(!logs.contains(secret), "a secret is in the logs");
    }
}

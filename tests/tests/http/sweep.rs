//! The sweep: expired keys go, the others stay, and no keys are listed.

use crate::admin::TOKEN;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, Tokens};
use host::{KeyValue, Operation};
use serde_json::{Value, json};

const DAY: u64 = 86_400;

/// Dead records of the larger test: enough for several steps of the sweep.
const DEAD: u64 = 600;

async fn start(key_value: KeyValue) -> Gatehouse {
    let settings = Settings {
        key_value,
        ..Settings::default()
    };
    Gatehouse::start_with(settings.variable("admin_token", TOKEN)).await
}

async fn sweep(gatehouse: &Gatehouse) -> Value {
    let request = reqwest::Client::new().post(gatehouse.url("/admin/sweep"));
    let response = request.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Registers so many clients that no person will ever sign in with.
async fn register_and_forget(gatehouse: &Gatehouse, count: u64) {
    let http = reqwest::Client::new();
    for _ in 0..count {
        let metadata = json!({ "redirect_uris": ["https://a.example/callback"] });
        let request = http.post(gatehouse.url("/register")).json(&metadata);
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
}

#[tokio::test]
async fn a_sweep_removes_what_is_dead_from_the_store_and_nothing_that_lives() {
    let folder = tempfile::tempdir().unwrap();
    let key_value = KeyValue::sqlite(folder.path().join("gatehouse.db"));
    let gatehouse = start(key_value.clone()).await;
    let person = Person::new();
    let kept = Client::register(&gatehouse).await;
    let tokens = kept.sign_in(&person).await;
    register_and_forget(&gatehouse, DEAD).await;
    assert_eq!(sweep(&gatehouse).await["removed"], 0, "nothing is dead yet");
    gatehouse.pass(DAY + 3600 + 301);
    let before = gatehouse.host.counters();
    let mut removed = 0;
    loop {
        let swept = sweep(&gatehouse).await;
        removed += swept["removed"].as_u64().unwrap();
        if swept["more"] == false {
            break;
        }
    }
    // The registrations, and what bounded them and completed the sign-in.
    assert!((DEAD..DEAD + 10).contains(&removed), "{removed}");
    let since = gatehouse.host.counters().since(&before);
    let listed = since.key_value.get(&Operation::Keys);
    assert_eq!(listed, None, "no keys are listed");
    assert!(since.reads() < 6 * DEAD, "{since:?}");
    assert!(since.writes() < DEAD / 6, "many keys at once: {since:?}");
    let store = key_value.open("default").await.unwrap();
    let left = store.keys().await.unwrap();
    assert!(left.len() < 40, "records and their lines: {left:?}");
    let again = sweep(&gatehouse).await;
    assert_eq!(
        (&again["removed"], &again["more"]),
        (&json!(0), &json!(false))
    );
    let tokens = Tokens::read(kept.refresh(&tokens.refresh).await).await;
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    kept.sign_in(&person).await;
}

#[tokio::test]
async fn what_is_dead_is_dead_to_readers_before_any_sweep() {
    let gatehouse = start(KeyValue::memory()).await;
    let client = Client::register(&gatehouse).await;
    let person = Person::new();
    gatehouse.pass(DAY);
    let url = client.authorization_url(&client.authorization_request());
    let page = person.page(&url).await;
    assert_eq!(page.heading(), "This app is not known here");
}

#[tokio::test]
async fn ordinary_traffic_sweeps_a_little() {
    let gatehouse = start(KeyValue::memory()).await;
    register_and_forget(&gatehouse, 40).await;
    // The first sweep of all goes far back.
    assert_eq!(sweep(&gatehouse).await["more"], false);
    gatehouse.pass(DAY + 3600 + 301);
    let deleted = || {
        let counters = gatehouse.host.counters();
        let deleted = counters.key_value.get(&Operation::DeleteMany);
        deleted.copied().unwrap_or_default()
    };
    // One request in sixteen sweeps: that none of so many does will not be seen.
    for _ in 0..400 {
        if deleted() > 0 {
            break;
        }
        register_and_forget(&gatehouse, 1).await;
    }
    assert!(deleted() > 0);
}

#[tokio::test]
async fn two_sweeps_at_once_do_each_other_no_harm() {
    let gatehouse = start(KeyValue::memory()).await;
    let machine = gatehouse.another().await;
    register_and_forget(&gatehouse, 100).await;
    let kept = Client::register(&gatehouse).await;
    let tokens = kept.sign_in(&Person::new()).await;
    gatehouse.pass(DAY + 3600 + 301);
    let there = reqwest::Client::new()
        .post(format!("{}/admin/sweep", machine.url()))
        .bearer_auth(TOKEN)
        .send();
    let (here, there) = tokio::join!(sweep(&gatehouse), there);
    assert_eq!(there.unwrap().status(), 200);
    assert_eq!(here["more"], false);
    assert_eq!(sweep(&gatehouse).await["removed"], 0);
    Tokens::read(kept.refresh(&tokens.refresh).await).await;
    machine.shutdown().await;
}

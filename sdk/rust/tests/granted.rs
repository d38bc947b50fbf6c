//! Variables and key-value stores, which the manifest grants and a test gives.
#![allow(missing_docs, reason = "the functions are the tests' own")]

use gatehouse_sdk::testing::{CallError, MemoryStore, Outcome, TestClient};
use gatehouse_sdk::{Caller, Error, KeyValue, Result, Value, data, json, resource, tool, variable};

#[tool]
async fn setting(name: String) -> Result<String> {
    Ok(variable(&name).await?)
}

#[data]
#[derive(Default)]
struct Visits {
    count: u32,
}

/// Counts the calls of each person.
#[tool]
async fn visit(caller: Caller) -> Result<Visits> {
    let store = KeyValue::open("visits").await?;
    let mut visits: Visits = store.get_json(&caller.subject).await?.unwrap_or_default();
    visits.count += 1;
    store.set_json(&caller.subject, &visits).await?;
    Ok(visits)
}

#[tool]
async fn write(key: String, text: Option<String>) -> Result<bool> {
    let store = KeyValue::open("visits").await?;
    let existed = store.exists(&key).await?;
    match text {
        Some(text) => store.set(&key, text).await?,
        None => store.delete(&key).await?,
    }
    Ok(existed)
}

#[resource(uri = "visits:{key}")]
async fn read(key: String) -> Result<Option<String>> {
    let store = KeyValue::open("visits").await.map_err(Error::internal)?;
    Ok(store.get_text(&key).await?)
}

gatehouse_sdk::server!(tools: [setting, visit, write], resources: [read]);

fn client() -> TestClient {
    TestClient::new(&SERVER)
}

fn call(client: &TestClient, tool: &str, arguments: Value) -> Outcome {
    client.call(tool, arguments).unwrap()
}

#[test]
fn a_variable_is_what_the_test_gives_and_there_are_no_others() {
    let client = client().variable("api_key", "secret");
    let read = |name: &str| call(&client, "setting", json!({ "name": name }));
    assert_eq!(read("api_key").text(), "secret");
    let other = read("other");
    assert!(other.is_error);
    let expected = "a unit test has no variables: TestClient::variable gives it \"other\"";
    assert_eq!(other.text(), expected);
}

#[test]
fn a_store_keeps_its_values_from_call_to_call() {
    let store = MemoryStore::default();
    let ada = client().store("visits", &store);
    let grace = ada.clone().caller(|caller| caller.subject = "grace".into());
    for (client, count) in [(&ada, 1), (&ada, 2), (&grace, 1)] {
        let outcome = call(client, "visit", json!({}));
        assert_eq!(outcome.structured, Some(json!({ "count": count })));
    }
    assert_eq!(store.get("grace").unwrap(), br#"{"count":1}"#);
}

#[test]
fn a_key_is_written_read_and_deleted() {
    let store = MemoryStore::default();
    let client = client().store("visits", &store);
    let write = |arguments| call(&client, "write", arguments).text();
    assert_eq!(write(json!({ "key": "a", "text": "1" })), "false");
    assert_eq!(write(json!({ "key": "a", "text": "2" })), "true");
    assert_eq!(store.get("a").unwrap(), b"2");
    assert!(client.read("visits:a").is_ok());
    assert_eq!(write(json!({ "key": "a" })), "true");
    assert_eq!(write(json!({ "key": "a" })), "false");
    let missing = client.read("visits:a").unwrap_err();
    assert_eq!(missing, CallError::NotFound("visits:a".to_owned()));
}

#[test]
fn a_store_that_the_test_does_not_give_is_not_there() {
    let client = client().store("other", &MemoryStore::default());
    let outcome = call(&client, "visit", json!({}));
    assert!(outcome.is_error);
    let expected = "a unit test has no stores: TestClient::store gives it \"visits\"";
    assert_eq!(outcome.text(), expected);
    let internal = CallError::Internal(expected.to_owned());
    assert_eq!(client.read("visits:a").unwrap_err(), internal);
}

#[test]
fn a_value_that_is_something_else_is_an_error_without_the_value() {
    let store = MemoryStore::default();
    store.set("test-person", r#"{"count":"secret"}"#);
    store.set("blob", [0xff]);
    let client = client().store("visits", &store);
    let text = call(&client, "visit", json!({})).text();
    let what = "is not the JSON that is wanted (line 1, column 17)";
    let expected = format!("the value of \"test-person\" in the store \"visits\" {what}");
    assert_eq!(text, expected);
    let blob = client.read("visits:blob").unwrap_err().to_string();
    assert!(blob.ends_with("is not UTF-8"), "{blob}");
}

//! The store in a Redis that the application speaks to by itself (`redis_url`).

use crate::redis::Redis;
use gatehouse_tests::client::Tokens;
use gatehouse_tests::sse::initialize;
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Person, Settings, SseStream};
use host::KeyValue;
use reqwest::StatusCode;
use serde_json::json;

fn settings(redis: &Redis, flavour: Option<Flavour>) -> Settings {
    let settings = Settings {
        flavour,
        ..Settings::default()
    };
    settings
        .variable("redis_url", redis.tcp_url())
        .variable("redis_host", redis.tcp_url())
}

#[tokio::test]
async fn what_redis_url_keeps_is_seen_by_every_machine_and_has_no_ledger() {
    for flavour in [None, Some(Flavour::Portable), Some(Flavour::Akamai)] {
        let redis = Redis::start_listening().await;
        let gatehouse = Gatehouse::start_with(settings(&redis, flavour)).await;
        let client = Client::register(&gatehouse).await;
        let code = client.code(&Person::new()).await;
        let tokens = Tokens::read(client.redeem(&code).await).await;
        assert_eq!(client.redeem(&code).await.status(), 400);
        // A machine with a key-value store of its own finds them.
        let other = gatehouse.another_with(KeyValue::memory()).await;
        let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
        let mcp = mcp.at(format!("{}/mcp", other.url().trim_end_matches('/')));
        let sum = mcp.call("add", json!({"a": 2, "b": 3})).await;
        assert_eq!(sum["structuredContent"]["sum"], 5);
        let refreshed = Tokens::read(client.refresh(&tokens.refresh).await).await;
        client.revoke(&refreshed.refresh).await;
        let answer = mcp.with_token(&refreshed.access);
        let answer = answer.try_call("add", json!({"a": 2, "b": 3})).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

        let store = redis.store().open("default").await.expect("Redis");
        let keys = store.keys().await.expect("keys");
        assert!(!keys.is_empty());
        assert!(!keys.iter().any(|key| key.contains("ledger")), "{keys:?}");
    }
}

#[tokio::test]
async fn with_redis_url_http_sse_is_offered_where_the_hosts_store_has_no_atomics() {
    let redis = Redis::start_listening().await;
    let settings = settings(&redis, Some(Flavour::Akamai)).variable("http_sse", "true");
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    let token = client.sign_in(&Person::new()).await.access;
    let mut stream = SseStream::open(&gatehouse.base(), &token).await;
    let (event, endpoint) = stream.next().await;
    assert_eq!(event, "endpoint");
    let request = reqwest::Client::new().post(gatehouse.url(&endpoint));
    let posted = request.bearer_auth(&token).json(&initialize()).send().await;
    assert_eq!(posted.unwrap().status(), StatusCode::ACCEPTED);
    let answer = stream.message().await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
}

#[tokio::test]
async fn a_redis_of_redis_url_that_restarted_is_used_again_at_the_next_request() {
    let redis = Redis::start_listening().await;
    let gatehouse = Gatehouse::start_with(settings(&redis, None)).await;
    Client::register(&gatehouse).await;
    let port = redis.stop();
    let registration = || {
        let body = json!({"redirect_uris": ["http://127.0.0.1:9/callback"]});
        let request = reqwest::Client::new().post(gatehouse.url("/register"));
        request.json(&body).send()
    };
    let down = registration().await.unwrap();
    assert_eq!(down.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.headers().contains_key("retry-after"));
    let _redis = Redis::start_at(port).await;
    assert_eq!(registration().await.unwrap().status(), StatusCode::CREATED);
}

//! The HTTP+SSE transport of 2024-11-05.

use gatehouse_tests::sse::initialize;
use gatehouse_tests::{Client, Gatehouse, Person, Settings, SseStream};
use serde_json::{Value, json};

async fn post(gatehouse: &Gatehouse, path: &str, token: &str, message: &Value) -> u16 {
    reqwest::Client::new()
        .post(gatehouse.url(path))
        .bearer_auth(token)
        .json(message)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn answers_to_posted_messages_come_through_the_stream() {
    let gatehouse = Gatehouse::start().await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let mut stream = SseStream::open(&gatehouse.base(), &tokens.access).await;
    let (event, endpoint) = stream.next().await;
    assert_eq!(event, "endpoint");
    assert!(endpoint.starts_with("/messages?"), "{endpoint}");
    assert_eq!(
        post(&gatehouse, &endpoint, &tokens.access, &initialize()).await,
        202
    );
    let (event, data) = stream.next().await;
    assert_eq!(event, "message");
    let answer: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    for n in 1..=5 {
        let call = json!({ "jsonrpc": "2.0", "id": n, "method": "tools/call", "params": { "name": "add", "arguments": { "a": n, "b": n } } });
        assert_eq!(
            post(&gatehouse, &endpoint, &tokens.access, &call).await,
            202
        );
    }
    for n in 1..=5 {
        let answer = stream.message().await;
        assert_eq!(answer["id"], n);
        assert_eq!(answer["result"]["content"][0]["text"], (2 * n).to_string());
    }
}

#[tokio::test]
async fn a_stream_and_its_messages_may_meet_two_machines() {
    let gatehouse = Gatehouse::start().await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let other = gatehouse.another().await;
    let mut stream = SseStream::open(other.url().trim_end_matches('/'), &tokens.access).await;
    let (_, endpoint) = stream.next().await;
    let status = post(&gatehouse, &endpoint, &tokens.access, &initialize()).await;
    assert_eq!(status, 202);
    let answer = stream.message().await;
    assert_eq!(answer["id"], 0);
    drop(stream);
    other.shutdown().await;
}

#[tokio::test]
async fn a_session_belongs_to_who_opened_it() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let mine = client.sign_in(&Person::new()).await;
    gatehouse
        .descope
        .sign_in_as(descope_emulator::User::new("Eve", "eve@example.com"));
    let theirs = client.sign_in(&Person::new()).await;
    let mut stream = SseStream::open(&gatehouse.base(), &mine.access).await;
    let (_, endpoint) = stream.next().await;
    let status = post(&gatehouse, &endpoint, &theirs.access, &initialize()).await;
    assert!(matches!(status, 403 | 404), "{status}");
    let made_up = "/messages?sessionId=made-up";
    let status = post(&gatehouse, made_up, &mine.access, &initialize()).await;
    assert!(matches!(status, 400 | 404), "{status}");
}

#[tokio::test]
async fn the_stream_and_its_messages_need_a_token() {
    let gatehouse = Gatehouse::start().await;
    let response = reqwest::get(gatehouse.url("/sse")).await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("/.well-known/oauth-protected-resource/sse"),
        "{challenge}"
    );
}

#[tokio::test]
async fn where_it_is_not_offered_nothing_names_it_and_its_paths_are_404_in_words() {
    let gatehouse = Gatehouse::start_with(Settings::default().variable("http_sse", "false")).await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let http = reqwest::Client::new();
    for path in ["/sse", "/messages"] {
        let request = http.get(gatehouse.url(path)).bearer_auth(&tokens.access);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.text().await.unwrap().contains("endpoint is /mcp"));
    }
    let metadata = gatehouse.url("/.well-known/oauth-protected-resource/sse");
    assert_eq!(http.get(metadata).send().await.unwrap().status(), 404);
    for path in ["/", "/.well-known/oauth-authorization-server"] {
        let page = http.get(gatehouse.url(path)).send().await.unwrap();
        assert!(!page.text().await.unwrap().contains("/sse"), "{path}");
    }
}

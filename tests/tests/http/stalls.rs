//! A store that stalls, and clients whose requests do not end.

use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, Stalls};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_stalled_store_is_answered_503_by_every_endpoint_until_it_is_back() {
    let stalls = Stalls::default();
    let settings = Settings {
        stalls: Some(stalls.clone()),
        ..Settings::default().variable("admin_token", "operator-operator-operator-operator")
    };
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let http = reqwest::Client::new();
    let client_id = client.id();
    let authorize = format!("/authorize?client_id={client_id}&redirect_uri=x&response_type=code");
    let form = |path: &str| {
        let form = [("client_id", client_id), ("token", "x"), ("code", "x")];
        http.post(gatehouse.url(path))
            .form(&[&form[..], &[("grant_type", "authorization_code")]].concat())
    };
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let requests = || {
        [
            form("/token"),
            form("/revoke"),
            http.post(gatehouse.url("/register"))
                .json(&json!({ "redirect_uris": ["http://127.0.0.1/cb"] })),
            http.get(gatehouse.url(&authorize)),
            http.get(gatehouse.url("/admin/grants?subject=x"))
                .bearer_auth("operator-operator-operator-operator"),
            http.post(gatehouse.url("/mcp"))
                .bearer_auth(&tokens.access)
                .header("accept", "application/json, text/event-stream")
                .json(&ping),
            http.get(gatehouse.url("/sse")).bearer_auth(&tokens.access),
        ]
    };
    // What an instance has found out a second ago is not asked of the store again.
    gatehouse.pass(2);
    stalls.set(true);
    let answers = requests().map(|request| request.send());
    for answer in futures::future::join_all(answers).await {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 503, "{}", answer.url());
        assert!(answer.headers().contains_key("retry-after"));
    }
    stalls.set(false);
    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 200);
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 200);
    for request in requests() {
        assert_ne!(request.send().await.unwrap().status(), 503);
    }
}

/// Sends the beginning of a request and nothing more; the head of what is answered, and whether the
/// connection was closed after it.
async fn unfinished(gatehouse: &Gatehouse, head: &str, beginning: &[u8]) -> (String, bool) {
    let address = gatehouse.host.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}\r\nhost: {address}\r\ncontent-length: 20000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(beginning).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let is_closed = tokio::time::timeout(Duration::from_secs(60), read).await;
    (String::from_utf8(answer).unwrap(), is_closed.is_ok())
}

#[tokio::test]
async fn a_body_that_does_not_end_is_answered_408_and_its_connection_closed() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let bearer = format!(
        "authorization: Bearer {}\r\naccept: application/json, text/event-stream",
        tokens.access
    );
    let json = "content-type: application/json";
    let form = "content-type: application/x-www-form-urlencoded";
    let token = format!("POST /token HTTP/1.1\r\n{form}");
    let register = format!("POST /register HTTP/1.1\r\n{json}");
    let account = format!("POST /account/end HTTP/1.1\r\n{form}");
    let mcp = format!("POST /mcp HTTP/1.1\r\n{json}\r\n{bearer}");
    let answers = [
        (&token, "\"invalid_request\""),
        (&register, "\"invalid_request\""),
        (&account, "<h1>"),
        (&mcp, "\"jsonrpc\""),
    ]
    .map(async |(head, body)| {
        let (answer, is_closed) = unfinished(&gatehouse, head, b"{").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{head}: {answer}");
        assert!(answer.contains(body), "{answer}");
        assert!(is_closed, "{head}");
    });
    futures::future::join_all(answers).await;
}

#[tokio::test]
async fn a_refused_request_is_answered_though_its_body_does_not_end() {
    let gatehouse = Gatehouse::start().await;
    let answers = [
        ("POST /mcp HTTP/1.1", "401"),
        ("POST / HTTP/1.1", "405"),
        (
            "POST /.well-known/oauth-authorization-server HTTP/1.1",
            "405",
        ),
    ]
    .map(async |(head, status)| {
        let (answer, is_closed) = unfinished(&gatehouse, head, &[b'x'; 10_000]).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{head}: {answer}");
        assert!(is_closed, "{head}");
    });
    futures::future::join_all(answers).await;
    let alive = reqwest::get(gatehouse.url("/")).await.unwrap();
    assert_eq!(alive.status(), 200);
}

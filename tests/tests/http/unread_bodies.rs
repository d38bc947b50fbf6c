//! Responses that are sent before the body is read. A proxy such as nginx sends all of the body
//! before it reads the answer, and makes a 502 of a connection that breaks in the meantime.

use gatehouse_tests::{Client, Flavour, Gatehouse, Person, Settings};
use serde_json::json;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than lies between two sockets: a server that does not read it keeps its sender from ending.
const LARGE_BODY_BYTES: usize = 7 << 20;

/// Sends a request with a body of so many bytes as nginx does: all of it, and then the answer is read.
///
/// # Errors
///
/// If the connection breaks, which nginx answers with 502.
async fn through_a_proxy(address: SocketAddr, head: &str, size: usize) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head =
        format!("{head}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let part = vec![b'x'; 16 << 10];
    let mut left = size;
    while left > 0 {
        let now = left.min(part.len());
        stream.write_all(&part[..now]).await?;
        left -= now;
        // The sender is not alone in the world: what comes of the connection meanwhile is seen.
        tokio::task::yield_now().await;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_comes_through_a_proxy() {
    let settings = Settings::default()
        .variable("admin_token", "operator-operator-operator-operator")
        .variable("registration", "token")
        .variable(
            "registration_token",
            "registrar-registrar-registrar-registrar",
        );
    let gatehouse = Gatehouse::start_with(settings).await;
    let address = gatehouse.host.address();
    let json = "content-type: application/json";
    let accept = "accept: application/json, text/event-stream";
    let http_sse = if Flavour::offers_http_sse() { 401 } else { 404 };
    for (head, status) in [
        (format!("POST /mcp HTTP/1.1\r\n{json}\r\n{accept}"), 401),
        (
            format!("POST /mcp HTTP/1.1\r\n{json}\r\n{accept}\r\norigin: https://evil.example"),
            403,
        ),
        (format!("GET /mcp HTTP/1.1\r\n{json}\r\n{accept}"), 401),
        (format!("DELETE /mcp HTTP/1.1\r\n{json}"), 401),
        (format!("POST /sse HTTP/1.1\r\n{json}"), http_sse),
        (
            format!("POST /messages?sessionId=x HTTP/1.1\r\n{json}"),
            http_sse,
        ),
        (format!("POST / HTTP/1.1\r\n{json}"), 405),
        ("PUT / HTTP/1.1".to_owned(), 405),
        (format!("POST /mcp/x HTTP/1.1\r\n{json}"), 404),
        (format!("POST /no/such/path HTTP/1.1\r\n{json}"), 404),
        (
            "POST /.well-known/oauth-authorization-server HTTP/1.1".to_owned(),
            405,
        ),
        ("POST /.well-known/none HTTP/1.1".to_owned(), 405),
        ("PUT /register HTTP/1.1".to_owned(), 413),
        ("POST /token HTTP/1.1".to_owned(), 413),
        ("POST /authorize HTTP/1.1".to_owned(), 413),
        ("POST /account/end HTTP/1.1".to_owned(), 413),
        ("POST /admin/sweep HTTP/1.1".to_owned(), 413),
        (
            "POST /token HTTP/1.1\r\ncontent-encoding: gzip".to_owned(),
            415,
        ),
    ] {
        for size in [300_000, LARGE_BODY_BYTES] {
            let answer = through_a_proxy(address, &head, size).await;
            let answer = answer.unwrap_or_else(|error| panic!("502 for {head}: {error}"));
            let expected = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&expected), "{head}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_a_client_that_is_signed_in_sends_wrong_comes_through_a_proxy() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let address = gatehouse.host.address();
    let bearer = format!("authorization: Bearer {}", tokens.access);
    let both = "accept: application/json, text/event-stream";
    let json = "content-type: application/json";
    for (head, size, status) in [
        (
            format!("POST /mcp HTTP/1.1\r\n{both}\r\n{json}"),
            LARGE_BODY_BYTES,
            413,
        ),
        (
            format!("PATCH /mcp HTTP/1.1\r\n{both}\r\n{json}"),
            LARGE_BODY_BYTES,
            405,
        ),
        (
            format!("POST /mcp HTTP/1.1\r\n{both}"),
            LARGE_BODY_BYTES,
            415,
        ),
        (
            format!("POST /mcp HTTP/1.1\r\n{both}\r\n{json}\r\ncontent-encoding: br"),
            LARGE_BODY_BYTES,
            415,
        ),
        (
            format!("POST /mcp HTTP/1.1\r\naccept: text/html\r\n{json}"),
            LARGE_BODY_BYTES,
            406,
        ),
        (
            format!("POST /mcp HTTP/1.1\r\n{both}\r\n{json}"),
            300_000,
            400,
        ),
    ] {
        let head = format!("{head}\r\n{bearer}");
        let answer = through_a_proxy(address, &head, size).await;
        let answer = answer.unwrap_or_else(|error| panic!("502 for {status}: {error}"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_body_with_a_content_coding_is_415_wherever_there_are_bodies() {
    let settings =
        Settings::default().variable("admin_token", "operator-operator-operator-operator");
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let http = reqwest::Client::new();
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    for (path, is_page) in [
        ("/mcp", false),
        ("/token", false),
        ("/revoke", false),
        ("/introspect", false),
        ("/register", false),
        ("/admin/sweep", false),
        ("/authorize", true),
        ("/account/end", true),
    ] {
        for coding in ["gzip", "br", "deflate, identity"] {
            let request = http.post(gatehouse.url(path)).json(&ping);
            let request = request
                .header("accept", "application/json, text/event-stream")
                .header("content-encoding", coding)
                .bearer_auth(&tokens.access);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 415, "{path} {coding}");
            assert_eq!(response.headers()["accept-encoding"], "identity", "{path}");
            let text = response.text().await.unwrap();
            assert!(text.contains("Content-Encoding"), "{path}: {text}");
            assert_eq!(text.contains("<h1>"), is_page, "{path}: {text}");
        }
    }
    let plain = http.post(gatehouse.url("/mcp")).json(&ping);
    let plain = plain
        .header("content-encoding", "identity")
        .header("accept", "application/json, text/event-stream")
        .bearer_auth(&tokens.access);
    assert_eq!(plain.send().await.unwrap().status(), 200);
}

//! Clients that were given a URL where no MCP endpoint is.

use gatehouse_tests::Gatehouse;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_message_to_another_url_is_told_where_the_mcp_endpoint_is() {
    let gatehouse = Gatehouse::start().await;
    let endpoint = gatehouse.url("/mcp");
    let http = reqwest::Client::new();
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} });
    for (path, status) in [
        ("/", 405),
        ("/mcp/x", 404),
        ("/v1/mcp", 404),
        ("/token/x", 404),
    ] {
        let request = http.post(gatehouse.url(path)).json(&initialize);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let error: Value = response.json().await.unwrap();
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(&endpoint), "{path}: {message}");
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            let request = http.request(method.clone(), gatehouse.url(path));
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), status, "{method} {path}");
            let text = response.text().await.unwrap();
            assert!(text.contains(&endpoint), "{method} {path}: {text}");
        }
    }
    let page = http.get(gatehouse.url("/")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let nothing = http.get(gatehouse.url("/v1/mcp")).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
    assert!(nothing.text().await.unwrap().contains(&endpoint));
}

//! rmcp, the official Rust SDK, with its own sign-in, in the newest revision that it speaks.
//!
//! It prints where to send the person, reads where they came back to, and prints what it saw as one
//! line of JSON.

use anyhow::{Context, Result, ensure};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::{Value, json};

/// Nothing listens there: the code that plays the person says what arrived.
const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";

type Client = RunningService<RoleClient, ()>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).context("usage: rmcp-client URL")?;
    let client = connect(&url).await?;
    let server = client.peer_info().context("the server said nothing")?;
    let protocol = server.protocol_version.clone();
    let tools = client.list_all_tools().await?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    let add = call(&client, "add", json!({ "a": 2, "b": 3 })).await?;
    let user = call(&client, "getUserInfo", json!({})).await?;
    let token = call(&client, "getToken", json!({})).await?;
    ensure!(token.contains("eyJ"), "getToken gave no token");
    let saw = json!({
        "protocol": protocol,
        "tools": names,
        "add": add,
        "getUserInfo": user,
        "getToken": "(not shown)",
    });
    client.cancel().await?;
    println!("{saw}");
    Ok(())
}

/// Signs in and connects.
async fn connect(url: &str) -> Result<Client> {
    let mut login = OAuthState::new(url, None).await?;
    let request = AuthorizationRequest::new(REDIRECT_URI).with_client_name("rmcp");
    login.start_authorization(request).await?;
    println!("{}", login.get_authorization_url().await?);
    let mut back = String::new();
    std::io::stdin().read_line(&mut back)?;
    login.handle_callback_url(back.trim()).await?;
    let manager = login.into_authorization_manager().context("no sign-in")?;

    let http = AuthClient::new(reqwest::Client::new(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(http, config);
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: None,
    };
    Ok(().serve_with_lifecycle(transport, lifecycle).await?)
}

/// Calls a tool; the text that it answers.
async fn call(client: &Client, name: &'static str, arguments: Value) -> Result<String> {
    let mut call = CallToolRequestParams::new(name);
    call.arguments = arguments.as_object().cloned();
    let result = client.call_tool(call).await?;
    ensure!(result.is_error != Some(true), "{name} failed: {result:?}");
    let text = result.content.first().and_then(|content| content.as_text());
    Ok(text
        .with_context(|| format!("{name} said nothing"))?
        .text
        .clone())
}

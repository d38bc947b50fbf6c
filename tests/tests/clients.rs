//! Clients that others wrote, from the first request to a tool's answer. `cargo xtask test`
//! installs them; each script of `tests/clients/` prints what it saw as one line of JSON.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tests::{Gatehouse, Settings};
use tokio::process::Command;

/// How long a client may take; it is here to end a test that hangs.
const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("typescript-sdk.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
}

/// The client registers with Descope, and its token is Descope's.
#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_signs_in_at_descope_itself_and_calls_every_tool() {
    let scopes = "openid profile email tools upstream_token";
    let descope = descope_emulator::Config {
        scopes: scopes.split(' ').map(ToOwned::to_owned).collect(),
        ..descope_emulator::Config::for_tests()
    };
    let settings = Settings {
        descope,
        ..Settings::default()
    };
    let gatehouse = Gatehouse::start_with(
        settings
            .variable("authorization_server", "descope")
            .variable(
                "descope_mcp_server_id",
                descope_emulator::DEFAULT_MCP_SERVER_ID,
            ),
    )
    .await;
    let saw = node("typescript-sdk.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
    let issuer = gatehouse
        .descope
        .issuer(descope_emulator::TokenIssuer::Agentic);
    assert_eq!(saw["token"]["claims"]["iss"], issuer, "{saw}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdks_sse_client_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("typescript-sdk-sse.mjs", &[&gatehouse.url("/sse")]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = python(&["python_sdk.py", &gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdks_sse_client_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = python(&["python_sdk.py", &gatehouse.url("/sse"), "--sse"]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_remote_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("mcp-remote.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspectors_cli_lists_and_calls_the_tools() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("inspector-cli.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_of_tomorrow_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("typescript-sdk-v2.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspectors_web_application_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let screenshots = folder().join("screenshots");
    let saw = node(
        "inspector-web.mjs",
        &[&gatehouse.url("/mcp"), &screenshots.to_string_lossy()],
    )
    .await;
    for tool in ["add", "getUserInfo", "getToken"] {
        assert!(saw["results"][tool].is_string(), "{saw}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("browser-sdk.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_goes_through_the_pages_in_a_real_browser() {
    let gatehouse = Gatehouse::start().await;
    gatehouse.descope.set_auto_login(false);
    let screenshots = folder().join("screenshots");
    let saw = node(
        "pages.mjs",
        &[&gatehouse.base(), &screenshots.to_string_lossy()],
    )
    .await;
    assert_eq!(saw["ok"], true, "{saw}");
}

/// No check may fail, be skipped, or warn.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_conformance_runner_finds_nothing_wrong_with_the_authorization_server() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("conformance-authorization-server.mjs", &[&gatehouse.base()]).await;
    let revisions = saw["checks"].as_object().expect("revisions");
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] {
        assert!(revisions.contains_key(revision), "{saw}");
    }
    for check in revisions
        .values()
        .flat_map(|checks| checks.as_array().expect("checks"))
    {
        assert_eq!(check["status"], "SUCCESS", "{check}");
    }
}

/// Every script says what `add`, `getUserInfo` and `getToken` answered.
fn assert_tools_worked(saw: &Value) {
    assert_eq!(
        saw["tools"],
        serde_json::json!(["add", "getUserInfo", "getToken"]),
        "{saw}"
    );
    assert_eq!(saw["add"], "5", "{saw}");
    for tool in ["getUserInfo", "getToken"] {
        assert!(
            saw[tool].as_str().is_some_and(|text| !text.is_empty()),
            "{saw}"
        );
    }
}

async fn node(script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new("node");
    command.arg(script).args(arguments);
    run(command).await
}

async fn python(arguments: &[&str]) -> Value {
    let python = std::env::var_os("GATEHOUSE_TEST_PYTHON")
        .map_or_else(|| folder().join(".venv/bin/python"), PathBuf::from);
    let mut command = Command::new(python);
    command.args(arguments);
    run(command).await
}

/// Runs a client and gives the last line of what it prints.
async fn run(mut command: Command) -> Value {
    let command = command
        .current_dir(folder())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output())
        .await
        .expect("the client ends")
        .expect("the client starts; `cargo xtask test` installs it");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}\n{printed}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let last = printed.lines().next_back().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no JSON in the last line of: {printed}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

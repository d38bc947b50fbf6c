//! Clients that others wrote: each script of `tests/clients/`, and the program in `tests/rmcp/`, drives
//! one, and prints what it saw as one line of JSON.

use crate::Person;
use crate::workspace::root;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// How long a client may take; it is here to end a test that hangs.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(240);

/// Runs a script of Node.js, and gives what it saw.
///
/// # Panics
///
/// If it fails.
pub async fn node(script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new("node");
    command.arg(script).args(arguments);
    run(command).await
}

/// Runs a script of Python, and gives what it saw.
///
/// # Panics
///
/// If it fails.
pub async fn python(arguments: &[&str]) -> Value {
    let python = std::env::var_os("GATEHOUSE_TEST_PYTHON")
        .map_or_else(|| folder().join(".venv/bin/python"), PathBuf::from);
    let mut command = Command::new(python);
    command.args(arguments);
    run(command).await
}

/// Runs the client of Rust at the Gatehouse with this MCP endpoint, and gives what it saw. It prints
/// where it would send its browser, and reads where `person` came back to.
///
/// # Panics
///
/// If it fails.
pub async fn rmcp(url: &str, person: &Person) -> Value {
    let mut client = Command::new(root().join("target/debug/rmcp-client"))
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the client starts; `cargo xtask test` builds it");
    let mut input = client.stdin.take().expect("an input");
    let mut lines = BufReader::new(client.stdout.take().expect("an output")).lines();
    let talk = async {
        let address = lines.next_line().await.expect("text").expect("an address");
        let back = format!("{}\n", person.allow(&address).await);
        input.write_all(back.as_bytes()).await.expect("it reads");
        let saw = lines.next_line().await.expect("text").expect("what it saw");
        assert!(client.wait().await.expect("an end").success(), "{saw}");
        serde_json::from_str(&saw).expect("JSON")
    };
    tokio::time::timeout(SCRIPT_TIMEOUT, talk)
        .await
        .expect("the client ends")
}

/// Returns the folder of the scripts.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Runs a client and gives the last line of what it prints.
async fn run(mut command: Command) -> Value {
    let command = command
        .current_dir(folder())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(SCRIPT_TIMEOUT, command.output())
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

//! MCP servers that others wrote: programs of `tests/clients/` and `tests/rmcp/`, each on a port of loopback.

use crate::ports;
use crate::scripts::folder;
use crate::workspace::root;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// A server. It ends with this value.
pub struct RemoteServer {
    /// Its MCP endpoint.
    pub url: String,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// How long a server may take to start, and to say what a test waits for.
const TIMEOUT: Duration = Duration::from_secs(60);

impl RemoteServer {
    /// Starts the server that exercises all features of the protocol, up to 2025-11-25.
    pub async fn everything() -> Self {
        let program = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        Self::start("node", &[program, "streamableHttp"], "/mcp").await
    }

    /// Starts a server of the TypeScript SDK, version 2.
    pub async fn typescript() -> Self {
        Self::start("node", &["typescript-sdk-v2-server.mjs", PORT], "/mcp").await
    }

    /// Starts a server of the newest Python SDK.
    pub async fn python() -> Self {
        Self::of_python(".venv", "mcp", "/mcp").await
    }

    /// Starts a server of the Python SDK in its version 1.9.
    pub async fn python_1_9() -> Self {
        Self::of_python(".venv-mcp-1.9", "mcp", "/mcp/").await
    }

    /// Starts a server of FastMCP in its version 2.12.
    pub async fn fastmcp_2_12() -> Self {
        Self::of_python(".venv-fastmcp-2.12", "fastmcp", "/mcp").await
    }

    /// Starts a server of the newest FastMCP.
    pub async fn fastmcp() -> Self {
        Self::of_python(".venv", "fastmcp", "/mcp").await
    }

    /// Starts a server of the Rust SDK.
    pub async fn rust() -> Self {
        let program = root().join("target/debug/rmcp-server");
        Self::start(&program.to_string_lossy(), &[PORT], "/mcp").await
    }

    async fn of_python(environment: &str, package: &str, path: &str) -> Self {
        let python = folder().join(environment).join("bin/python");
        let arguments = ["python_sdk_server.py", PORT, package];
        Self::start(&python.to_string_lossy(), &arguments, path).await
    }

    /// Starts a program of `tests/clients/`, and waits until it takes connections.
    ///
    /// # Panics
    ///
    /// If it does not start.
    async fn start(program: &str, arguments: &[&str], path: &str) -> Self {
        let port = ports::listener().local_addr().expect("an address").port();
        let number = port.to_string();
        let arguments = arguments.iter().map(|argument| match *argument {
            PORT => &*number,
            argument => argument,
        });
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(folder())
            .env("PORT", &number)
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts; `cargo xtask test` installs it");
        let output = process.stdout.take().expect("an output");
        let started = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                let ended = process.try_wait().expect("a process");
                assert!(ended.is_none(), "the server ended: {ended:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, started)
            .await
            .expect("the server listens");
        Self {
            url: format!("http://127.0.0.1:{port}{path}"),
            lines: BufReader::new(output).lines(),
            _process: process,
        }
    }

    /// Waits until the server prints a line that holds `text`, and returns what follows it there.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn says(&mut self, text: &str) -> String {
        let said = async {
            while let Some(line) = self.lines.next_line().await.expect("text") {
                if let Some((_, rest)) = line.split_once(text) {
                    return rest.to_owned();
                }
            }
            panic!("the server ended and did not say “{text}”");
        };
        tokio::time::timeout(TIMEOUT, said)
            .await
            .expect("the server says it")
    }
}

/// Stands for the port in the arguments of a program.
const PORT: &str = "{port}";

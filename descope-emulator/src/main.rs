//! `descope-emulator`: the emulator as a program.

#![allow(clippy::print_stderr, reason = "a program for a terminal")]

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use descope_emulator::{
    Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_MANAGEMENT_KEY,
    DEFAULT_MCP_SERVER_ID, DEFAULT_PROJECT_ID, DEFAULT_SCOPES, Emulator, Running, TokenIssuer,
};

/// A stand-in for Descope's OAuth endpoints on this machine. It signs anyone in.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:3001")]
    listen: SocketAddr,
    /// Listen on an address that other machines reach, although anyone can sign in as anyone
    #[arg(long)]
    allow_remote: bool,
    /// The base URL that browsers and the application use, if it is not the listening address
    #[arg(long)]
    base_url: Option<String>,
    /// The Descope project id
    #[arg(long, default_value = DEFAULT_PROJECT_ID)]
    project_id: String,
    /// The client id of the inbound app
    #[arg(long, default_value = DEFAULT_CLIENT_ID)]
    client_id: String,
    /// The client secret of the inbound app
    #[arg(long, default_value = DEFAULT_CLIENT_SECRET)]
    client_secret: String,
    /// The management key of the project
    #[arg(long, default_value = DEFAULT_MANAGEMENT_KEY)]
    management_key: String,
    /// The id of the MCP server in the agentic issuer
    #[arg(long, default_value = DEFAULT_MCP_SERVER_ID)]
    mcp_server_id: String,
    /// The URL of the MCP server, the audience of agentic tokens
    #[arg(long)]
    mcp_server_url: Option<String>,
    /// Issue tokens of the agentic issuer at every endpoint
    #[arg(long)]
    agentic: bool,
    /// The scopes defined on the app, separated by spaces
    #[arg(long, default_value = DEFAULT_SCOPES)]
    scopes: String,
    /// A redirect URI to approve besides http on loopback hosts; may be given several times
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// Sign in without the page
    #[arg(long)]
    auto_login: bool,
    /// The seconds an access token is good for
    #[arg(long, default_value_t = 600)]
    access_token_lifetime: u64,
    /// A file that keeps keys and grants across restarts; it holds private keys
    #[arg(long)]
    state: Option<PathBuf>,
}

impl Arguments {
    fn into_config(self) -> Config {
        Config {
            listen: self.listen,
            allow_remote: self.allow_remote,
            base_url: self.base_url,
            project_id: self.project_id,
            client_id: self.client_id,
            client_secret: self.client_secret,
            management_key: self.management_key,
            mcp_server_id: self.mcp_server_id,
            mcp_server_url: self.mcp_server_url,
            token_issuer: if self.agentic {
                TokenIssuer::Agentic
            } else {
                TokenIssuer::InboundApp
            },
            scopes: self
                .scopes
                .split_whitespace()
                .map(ToOwned::to_owned)
                .collect(),
            redirect_uris: self.redirect_uris,
            auto_login: self.auto_login,
            access_token_lifetime: self.access_token_lifetime,
            state_file: self.state,
            ..Config::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let config = Arguments::parse().into_config();
    let emulator = match Emulator::start(config).await {
        Ok(emulator) => emulator,
        Err(error) => {
            eprintln!("descope-emulator: {error}");
            return ExitCode::FAILURE;
        }
    };
    // A program that reads no further than it needs closes the pipe; the emulator serves on.
    let _ = std::io::stdout().write_all(announcement(&emulator).as_bytes());
    asked_to_stop().await;
    emulator.stop().await;
    ExitCode::SUCCESS
}

/// Describes where the emulator listens and what a client needs.
fn announcement(emulator: &Running) -> String {
    let config = emulator.config();
    let sign_in = match config.auto_login {
        true => "at once, without a page",
        false => "on a page, as anyone",
    };
    let state = match &config.state_file {
        Some(file) => file.display().to_string(),
        None => "in memory".to_owned(),
    };
    format!(
        "Descope emulator at {}\n  project id   {}\n  client id    {}\n  sign-in      {sign_in}\n  state        {state}\n",
        emulator.base_url(),
        config.project_id,
        config.client_id,
    )
}

/// Resolves on Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

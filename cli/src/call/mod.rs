//! `gatehouse call`: calls a tool of a server on this machine, as an MCP client does.

mod arguments;
mod endpoint;
mod form;
mod outcome;
mod questions;
mod sign_in;

use crate::release_files::build_all;
use crate::serving::{Serving, local_client, runtime};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use endpoint::Endpoint;
use project::Project;
use project::launch::{self, HEALTH, Launch};
use project::shell::step;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// What `gatehouse call` takes.
#[derive(Args)]
pub struct Options {
    /// The address of the server; where none answers, one is started there for this call
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// An access token, in place of signing in at the emulator (better as GATEHOUSE_TOKEN, which others cannot see)
    #[arg(long)]
    token: Option<String>,
    /// Serve what was built before, if a server is started
    #[arg(long)]
    skip_build: bool,
    /// All arguments, as a JSON object
    #[arg(long, value_name = "OBJECT")]
    json: Option<String>,
    /// The name of the tool, and then its arguments, such as `--city Oslo`: what is no text is written as in JSON. Options of
    /// this command stand before the name
    #[arg(
        value_name = "TOOL [ARGUMENTS]",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    tool: Vec<String>,
}

/// How long a server that runs may take to answer whether it does.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls a tool, and prints what it gave.
///
/// # Errors
///
/// If it cannot be called, or gave an error.
pub fn call(project: &Project, options: &Options) -> Result<()> {
    let tool = options.tool();
    ensure!(
        !tool.starts_with('-'),
        "There is no option {tool} of `gatehouse call`. Options of the tool stand after its name"
    );
    let runtime = runtime()?;
    if runtime.block_on(is_served(options.listen))? {
        return runtime.block_on(call_at(&format!("http://{}", options.listen), options));
    }
    let launch = launch::Options {
        listen: options.listen,
        auto_login: false,
    };
    let launch = Launch::plan(project, &launch)?;
    launch.check_addresses()?;
    if !options.skip_build {
        build_all(project, None)?;
    }
    runtime.block_on(async {
        step("Starting a server for this call (`gatehouse up` leaves one running)");
        let serving = Serving::start(project, &launch).await?;
        let called = call_at(&format!("http://{}", launch.reached_at()), options).await;
        serving.stop().await;
        called
    })
}

impl Options {
    fn tool(&self) -> &str {
        self.tool.first().map_or("", String::as_str)
    }
}

/// Whether Gatehouse answers at this address.
///
/// # Errors
///
/// If something else listens there.
async fn is_served(address: SocketAddr) -> Result<bool> {
    let client = local_client().timeout(PROBE_TIMEOUT).build()?;
    let answer = client.get(format!("http://{address}{HEALTH}")).send().await;
    // The protected resource metadata (RFC 9728).
    let metadata: Value = match answer {
        Err(error) if error.is_connect() => return Ok(false),
        Ok(answer) if answer.status().is_success() => answer.json().await.unwrap_or_default(),
        Ok(_) | Err(_) => Value::Null,
    };
    ensure!(
        metadata["resource"].is_string(),
        "Something else than Gatehouse listens at {address}. Choose another address with --listen, before the tool's name"
    );
    Ok(true)
}

async fn call_at(base: &str, options: &Options) -> Result<()> {
    let token = options.token.clone();
    let token = match token.or_else(|| std::env::var("GATEHOUSE_TOKEN").ok()) {
        Some(token) => token,
        None => sign_in::token(base).await?,
    };
    let endpoint = Endpoint::new(base, &token)?;
    let tools = endpoint.tools().await?;
    let name = options.tool();
    let Some(tool) = tools.iter().find(|tool| tool["name"] == name) else {
        let names: Vec<&str> = tools
            .iter()
            .filter_map(|tool| tool["name"].as_str())
            .collect();
        bail!(
            "There is no tool {name:?} here, or none that may be called: there is {}",
            names.join(", ")
        );
    };
    let arguments = arguments::read(
        options.json.as_deref(),
        options.tool.get(1..).unwrap_or_default(),
        &tool["inputSchema"],
    )
    .with_context(|| format!("The arguments of {name}"))?;
    let result = endpoint.call(name, arguments).await?;
    outcome::print(&result)
}

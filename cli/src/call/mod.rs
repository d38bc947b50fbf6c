//! `gatehouse call`: calls a tool of a server on this machine, as an MCP client does.

mod arguments;
mod endpoint;
mod form;
mod outcome;
mod sign_in;

use crate::release_files::build_all;
use crate::serving::{Serving, runtime};
use anyhow::{Context, Result, bail};
use clap::Args;
use endpoint::Endpoint;
use project::Project;
use project::launch::{self, HEALTH, Launch};
use project::shell::step;
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
    /// The name of the tool
    tool: String,
    /// Its arguments, such as `--city Oslo`; what is no text is written as in JSON
    #[arg(
        value_name = "ARGUMENTS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<String>,
}

/// How long a server that runs may take to answer whether it does.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls a tool, and prints what it gave.
///
/// # Errors
///
/// If it cannot be called, or gave an error.
pub fn call(project: &Project, options: &Options) -> Result<()> {
    let runtime = runtime()?;
    if runtime.block_on(is_served(options.listen)) {
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

/// Whether a server answers at this address.
async fn is_served(address: SocketAddr) -> bool {
    let client = reqwest::Client::builder().timeout(PROBE_TIMEOUT).build();
    let Ok(client) = client else {
        return false;
    };
    let answer = client.get(format!("http://{address}{HEALTH}")).send().await;
    // A refused connection is no answer; any other error is one of a server.
    answer.map_or_else(|error| !error.is_connect(), |_| true)
}

async fn call_at(base: &str, options: &Options) -> Result<()> {
    let token = options.token.clone();
    let token = match token.or_else(|| std::env::var("GATEHOUSE_TOKEN").ok()) {
        Some(token) => token,
        None => sign_in::token(base).await?,
    };
    let endpoint = Endpoint::new(base, &token)?;
    let tools = endpoint.tools().await?;
    let Some(tool) = tools.iter().find(|tool| tool["name"] == *options.tool) else {
        let names: Vec<&str> = tools
            .iter()
            .filter_map(|tool| tool["name"].as_str())
            .collect();
        bail!(
            "There is no tool {:?} here, or none that may be called: there is {}",
            options.tool,
            names.join(", ")
        );
    };
    let arguments = arguments::read(
        options.json.as_deref(),
        &options.arguments,
        &tool["inputSchema"],
    )
    .with_context(|| format!("The arguments of {}", options.tool))?;
    let result = endpoint.call(&options.tool, arguments).await?;
    outcome::print(&result)
}

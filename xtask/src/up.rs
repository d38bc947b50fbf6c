//! `cargo xtask up`: from a fresh clone to a served application.

use crate::build::{self, Profile};
use crate::flavours;
use crate::shell::{binary, exists, program, repository, root, step};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use project::identity::{EMULATOR_CLIENT, EMULATOR_PROJECT, EMULATOR_SECRET};
use project::launch::{self, Emulator, HEALTH, Launch};
use project::servers::{Servers, stop_signal};
use std::process::Command;

/// What `cargo xtask up` takes.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    launch: launch::Options,
    /// What runs the application
    #[arg(long, value_enum, default_value = "embedded")]
    runtime: Runtime,
    /// Serve the components as they are deployed, which takes longer to build; Spin always does
    #[arg(long)]
    shipped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Runtime {
    /// The host in this repository
    Embedded,
    /// An installed spin, 4.1 or later
    Spin,
}

/// Builds everything, serves it, and says how to use it. Ends with Ctrl-C.
///
/// # Errors
///
/// If the configuration is wrong, something does not build, or a server ends by itself.
pub fn up(options: &Options) -> Result<()> {
    if options.runtime == Runtime::Spin && !exists("spin") {
        bail!(
            "There is no `spin` to run. Install Spin 4.1 or later, or leave out `--runtime spin`"
        );
    }
    let launch = Launch::plan(&repository(), &options.launch)?;
    launch.check_addresses()?;
    let manifest = if options.shipped || options.runtime == Runtime::Spin {
        build::named_components(Profile::Shipped)?;
        root().join("spin.toml")
    } else {
        flavours::build_for_development()?
    };
    build::servers()?;

    let stop = stop_signal()?;
    let mut servers = Servers::default();
    step("Starting");
    if let Some(emulator) = launch.emulator() {
        servers.start("the emulator", &mut emulator_command(emulator))?;
        servers.wait_until_healthy(emulator.listen, &emulator.health(), &stop)?;
    }
    let mut application = match options.runtime {
        Runtime::Embedded => program(binary("gatehouse-host")),
        Runtime::Spin => {
            let mut spin = program("spin");
            spin.arg("up");
            spin
        }
    };
    application.arg("--from").arg(manifest);
    application.arg("--state-dir").arg(root().join(".spin"));
    if let Some(file) = launch.runtime_config() {
        application.arg("--runtime-config-file").arg(file);
    }
    application
        .arg("--listen")
        .arg(launch.listen().to_string())
        .envs(launch.variables().environment());
    servers.start("the application", &mut application)?;
    servers.wait_until_healthy(launch.reached_at(), HEALTH, &stop)?;

    launch.announce();
    servers.watch(&stop)
}

fn emulator_command(emulator: &Emulator) -> Command {
    let mut command = program(binary("descope-emulator"));
    command
        .arg("--listen")
        .arg(emulator.listen.to_string())
        .args(["--project-id", EMULATOR_PROJECT])
        .args(["--client-id", EMULATOR_CLIENT])
        .args(["--client-secret", EMULATOR_SECRET])
        .arg("--state")
        .arg(&emulator.state)
        .stdout(std::process::Stdio::null());
    if let Some(server) = &emulator.mcp_server {
        command
            .args(["--mcp-server-id", server.id])
            .args(["--mcp-server-url", &server.url])
            .args(["--scopes", &server.scopes]);
    }
    if let Some(uri) = &emulator.redirect_uri {
        command.args(["--redirect-uri", uri]);
    }
    if emulator.auto_login {
        command.arg("--auto-login");
    }
    command
}

//! `cargo xtask up`: from a fresh clone to a served application.

use crate::doctor::problems;
use crate::environment::Variables;
use crate::identity::{
    EMULATOR_CLIENT, EMULATOR_MCP_SERVER, EMULATOR_PROJECT, EMULATOR_SECRET, configure_emulator,
    emulator_address, is_descope_mode, wants_emulator,
};
use crate::servers::{Servers, binary, stop_signal};
use crate::shell::{exists, program, root, step};
use crate::{build, connect, runtime_config};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::process::Command;

/// What `cargo xtask up` takes.
#[derive(Args)]
pub struct Options {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// What runs the application
    #[arg(long, value_enum, default_value = "embedded")]
    runtime: Runtime,
    /// Let the emulator sign people in without its page
    #[arg(long)]
    auto_login: bool,
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
    crate::manifest::check()?;
    let mut variables = Variables::read()?;
    let emulator = wants_emulator(&variables).then(|| emulator_address(options.listen));
    if options.auto_login && emulator.is_none() {
        bail!("--auto-login is the emulator's, but an identity provider is configured");
    }
    for address in [Some(options.listen), emulator].into_iter().flatten() {
        TcpListener::bind(address).with_context(|| {
            format!("{address} cannot be used. Stop what listens there, or choose another address with --listen")
        })?;
    }
    let made_key = variables.ensure_encryption_key()?;
    if let Some(address) = emulator {
        configure_emulator(&mut variables, address);
    }
    let problems = problems(&variables, options.listen);
    if !problems.is_empty() {
        bail!(
            "The configuration has to be mended first:\n  {}",
            problems.join("\n  ")
        );
    }
    build::components()?;
    build::servers()?;

    let stop = stop_signal()?;
    let mut servers = Servers::default();
    step("Starting");
    if let Some(address) = emulator {
        servers.start(
            "the emulator",
            &mut emulator_command(address, &variables, options)?,
        )?;
        servers.wait_until_healthy(
            address,
            &format!("/{EMULATOR_PROJECT}/.well-known/jwks.json"),
            &stop,
        )?;
    }
    let mut application = match options.runtime {
        Runtime::Embedded => program(binary("gatehouse-host")),
        Runtime::Spin => {
            let mut spin = program("spin");
            spin.arg("up");
            spin
        }
    };
    application
        .args(["--from", "spin.toml"])
        .arg("--runtime-config-file")
        .arg(runtime_config::file(&variables)?)
        .arg("--listen")
        .arg(options.listen.to_string())
        .envs(variables.environment());
    servers.start("the application", &mut application)?;
    let reached_at = reachable(options.listen);
    servers.wait_until_healthy(
        reached_at,
        "/.well-known/oauth-protected-resource/mcp",
        &stop,
    )?;

    let base = base(&variables, reached_at);
    connect::print(&connect::Served {
        base: &base,
        identity: variables.identity(),
        emulator,
        is_descope_mode: is_descope_mode(&variables),
        auto_login: options.auto_login,
        made_key,
    });
    servers.watch(&stop)
}

/// Returns the public base URL of a server that is reached at this address.
fn base(variables: &Variables, reached_at: SocketAddr) -> String {
    variables
        .get("public_url")
        .filter(|url| !url.trim().is_empty())
        .map_or_else(
            || format!("http://{reached_at}"),
            |url| url.trim_end_matches('/').to_owned(),
        )
}

fn emulator_command(
    address: SocketAddr,
    variables: &Variables,
    options: &Options,
) -> Result<Command> {
    let folder = root().join(".gatehouse");
    std::fs::create_dir_all(&folder).context(".gatehouse/ cannot be made")?;
    let mut command = program(binary("descope-emulator"));
    command
        .arg("--listen")
        .arg(address.to_string())
        .args(["--project-id", EMULATOR_PROJECT])
        .args(["--client-id", EMULATOR_CLIENT])
        .args(["--client-secret", EMULATOR_SECRET])
        .arg("--state")
        .arg(folder.join("descope-emulator.json"))
        .stdout(std::process::Stdio::null());
    if is_descope_mode(variables) {
        let scopes = variables.get("scopes").unwrap_or_default();
        command
            .args(["--mcp-server-id", EMULATOR_MCP_SERVER])
            // The audience for clients that name no resource: no other token is taken.
            .arg("--mcp-server-url")
            .arg(format!(
                "{}/mcp",
                base(variables, reachable(options.listen))
            ))
            .args(["--scopes", &format!("openid profile email phone {scopes}")]);
    }
    if let Some(url) = variables.get("public_url").filter(|url| !url.is_empty()) {
        command
            .arg("--redirect-uri")
            .arg(format!("{}/callback", url.trim_end_matches('/')));
    }
    if options.auto_login {
        command.arg("--auto-login");
    }
    Ok(command)
}

/// Returns where a server that listens on `listen` can be reached from here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

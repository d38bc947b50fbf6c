//! `cargo xtask up`: from a fresh clone to a served application.

use crate::doctor::problems;
use crate::environment::Variables;
use crate::identity::{
    EMULATOR_CLIENT, EMULATOR_MCP_SERVER, EMULATOR_PROJECT, EMULATOR_SECRET, configure_emulator,
    emulator_address, is_descope_mode, wants_emulator,
};
use crate::shell::{exists, program, root, step, target};
use crate::{build, connect, runtime_config};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

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

/// The public base URL of a server that is reached at this address.
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

fn binary(name: &str) -> std::path::PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Where a server that listens on `listen` can be reached from here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn stop_signal() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C finds the first one under way.
        sender.send(()).ok();
    })
    .context("Ctrl-C cannot be handled")?;
    Ok(receiver)
}

/// What was started here. Whatever happens, it ends with this value.
#[derive(Default)]
struct Servers(Vec<(&'static str, Child)>);

impl Servers {
    fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let child = command
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        self.0.push((name, child));
        Ok(())
    }

    /// Waits until `path` at `address` answers 200, a server ends, or it takes too long.
    fn wait_until_healthy(
        &mut self,
        address: SocketAddr,
        path: &str,
        stop: &Receiver<()>,
    ) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut last = "no answer".to_owned();
        while Instant::now() < deadline {
            self.check()?;
            match get(address, path) {
                Ok(answer) if answer.contains(" 200 ") => return Ok(()),
                Ok(answer) => last = answer,
                Err(_) => {}
            }
            if stop.recv_timeout(Duration::from_millis(100)).is_ok() {
                bail!("Stopped.");
            }
        }
        bail!("http://{address}{path} does not answer as it should: {last}")
    }

    /// Waits for Ctrl-C, or for a server to end.
    fn watch(&mut self, stop: &Receiver<()>) -> Result<()> {
        loop {
            match stop.recv_timeout(Duration::from_millis(300)) {
                Err(RecvTimeoutError::Timeout) => self.check()?,
                _ => {
                    eprintln!("\nStopping.");
                    return Ok(());
                }
            }
        }
    }

    fn check(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended ({status}); what it said is above");
            }
        }
        Ok(())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for (_, child) in self.0.iter_mut().rev() {
            terminate(child);
        }
    }
}

/// Asks first: spin has to end a child of its own.
fn terminate(child: &mut Child) {
    if cfg!(unix) {
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .ok();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    child.kill().ok();
    child.wait().ok();
}

/// The status line that answers a GET of `path`, and the start of the body if it is not a 200.
fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    Ok(format!("{status}  {}", body.trim()))
}

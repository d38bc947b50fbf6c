//! `cargo xtask clients`: the matrix of clients that others wrote (tests/clients/matrix.json).

use crate::shell::{binary, program, repository, root, run, step, target};
use crate::{build, flavours, install};
use anyhow::{Context, Result, bail};
use clap::Args;
use project::environment::{PREFIX, Variables, new_encryption_key};
use project::identity::{EMULATOR_CLIENT, EMULATOR_PROJECT, EMULATOR_SECRET, configure_emulator};
use project::identity_component::Identity;
use project::servers::{Servers, stop_signal};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::ScopedJoinHandle;

/// What `cargo xtask clients` takes.
#[derive(Args)]
pub struct Options {
    /// The base URL of a Gatehouse on loopback that signs people in without a page of its provider. Without it, one is
    /// built and started
    #[arg(long, value_name = "BASE")]
    url: Option<String>,
    /// The clients, by their ids in tests/clients/matrix.json; all of them without any
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

/// Installs the clients, and lets each sign in and call every tool.
///
/// # Errors
///
/// If something cannot be installed, built or started, or a client fails.
pub fn clients(options: &Options) -> Result<()> {
    if let Some(url) = &options.url {
        let clients = install()?;
        return run_matrix(&clients, url.trim_end_matches('/'), &options.ids);
    }
    let (clients, manifest) = std::thread::scope(|scope| {
        let installing = scope.spawn(install);
        let manifest = flavours::build_for_development()?;
        build::servers()?;
        anyhow::Ok((join(installing)?, manifest))
    })?;
    let mut servers = Servers::default();
    let base = start(&mut servers, &manifest)?;
    run_matrix(&clients, &base, &options.ids)
}

/// Clients that are installed.
pub struct Clients {
    /// Where the scripts are.
    pub folder: PathBuf,
    /// The Python with the newest packages.
    pub python: PathBuf,
}

/// Installs the clients of `tests/clients` into that folder.
///
/// # Errors
///
/// If Node.js or Python is missing or something cannot be installed.
pub fn install() -> Result<Clients> {
    let folder = root().join("tests/clients");
    step("Installing the clients");
    let python = std::thread::scope(|scope| {
        let newest = scope.spawn(|| install::python_packages(&folder));
        let older = OLDER.map(|name| {
            let folder = &folder;
            scope.spawn(move || {
                let environment = format!(".venv-{name}");
                install::python_environment(
                    folder,
                    &environment,
                    &format!("requirements-{name}.txt"),
                )
            })
        });
        install::node_packages(&folder)?;
        for environment in older {
            join(environment)?;
        }
        join(newest)
    })?;
    Ok(Clients {
        python: python.join(install::executable("python")),
        folder,
    })
}

/// The virtual environments of older Python packages, which do not go together with the newest.
const OLDER: [&str; 2] = ["mcp-1.9", "fastmcp-2.12"];

/// Returns what a thread came to.
///
/// # Errors
///
/// If the thread failed.
pub fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Starts the emulator and the application of this manifest, with records in memory, on free ports and whatever is
/// configured here. Returns the base URL.
fn start(servers: &mut Servers, manifest: &Path) -> Result<String> {
    let mut variables = Variables::defaults(&repository())?;
    if variables.identity() == Identity::Own {
        bail!(
            "The emulator cannot stand in for an identity component of your own. Start the application, and give its address with --url"
        );
    }
    let stop = stop_signal()?;
    step("Starting");
    let emulator = free_address()?;
    servers.start(
        "the emulator",
        program(binary("descope-emulator"))
            .args(["--listen", &emulator.to_string()])
            .args(["--project-id", EMULATOR_PROJECT])
            .args(["--client-id", EMULATOR_CLIENT])
            .args(["--client-secret", EMULATOR_SECRET])
            .arg("--auto-login")
            .stdout(Stdio::null()),
    )?;
    let keys = format!("/{EMULATOR_PROJECT}/.well-known/jwks.json");
    servers.wait_until_healthy(emulator, &keys, &stop)?;
    configure_emulator(&mut variables, emulator);
    variables.set("encryption_key", new_encryption_key()?);
    let application = free_address()?;
    servers.start(
        "the application",
        without_configuration(&mut program(binary("gatehouse-host")))
            .arg("--from")
            .arg(manifest)
            .args(["--listen", &application.to_string()])
            .args(["--state-dir", ""])
            .envs(variables.environment())
            // Where no .env lies.
            .current_dir(target())
            .stdout(Stdio::null()),
    )?;
    let metadata = "/.well-known/oauth-protected-resource/mcp";
    servers.wait_until_healthy(application, metadata, &stop)?;
    Ok(format!("http://{application}"))
}

/// `command` without the variables that the environment sets.
fn without_configuration(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(PREFIX) {
            command.env_remove(name);
        }
    }
    command
}

/// Returns an address on loopback where nothing listens.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .context("There is no free port on 127.0.0.1")
}

/// Runs the matrix, which shows a table.
fn run_matrix(clients: &Clients, base: &str, ids: &[String]) -> Result<()> {
    step("Running the clients");
    let python: &Path = &clients.python;
    run(program("node")
        .current_dir(&clients.folder)
        .args(["matrix.mjs", base])
        .args(ids)
        .env("GATEHOUSE_TEST_PYTHON", python)
        // What each of them saw, for tests.
        .stdout(Stdio::null()))
    .context("Not every client did what it should; see above")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_environment_of_the_matrix_is_installed() {
        let matrix = include_str!("../../tests/clients/matrix.json");
        let named: BTreeSet<&str> = matrix
            .split("\"environment\": \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(named, BTreeSet::from(OLDER));
        for name in OLDER {
            let file = root().join(format!("tests/clients/requirements-{name}.txt"));
            assert!(file.is_file(), "{}", file.display());
        }
    }
}

//! `gatehouse`: a project with tools of one's own, from an empty folder to a deployment. It works on the folder that it is
//! called in, or the one that `--project` names.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for a terminal"
)]

mod call;
mod merge;
mod new;
mod release_files;
mod serving;
mod toolchain;
mod up;
mod upgrade;
mod watch;
mod watched_files;

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};
use project::flavours::{self, Flavour};
use project::{MANIFEST, Project, deploy, doctor};
use release_files::{Releases, build_all};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Tools of one's own behind an OAuth 2.1 login
#[derive(Parser)]
#[command(name = "gatehouse", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    folder: Folder,
}

#[derive(Args)]
struct Folder {
    /// The project's folder
    #[arg(
        long = "project",
        value_name = "FOLDER",
        default_value = ".",
        global = true
    )]
    folder: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Write a new project into a folder of its own
    New(new::Options),
    /// Build the tools and serve them, with an emulator unless an identity provider is configured
    Up(up::Options),
    /// Serve as `up` does, and build and serve again what changes
    Watch(watch::Options),
    /// Call a tool of the server that runs, or of one for this call
    Call(call::Options),
    /// Check programs, ports and configuration, and say what to do
    Doctor(doctor::Options),
    /// Build the tools
    Build(BuildOptions),
    /// Check, build and deploy to a host
    Deploy(deploy::Options),
    /// Take everything from another release of Gatehouse
    Upgrade(upgrade::Options),
}

#[derive(Args)]
struct BuildOptions {
    /// The host to build for: writes target/<host>/spin.toml and its Wasm
    #[arg(long = "for", value_name = "HOST")]
    flavour: Option<Flavour>,
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let project = || arguments.folder.project();
    match arguments.command {
        Command::New(options) => new::new(&options),
        Command::Up(options) => up::up(&project()?, &options),
        Command::Watch(options) => watch::watch(&project()?, &options),
        Command::Call(options) => call::call(&project()?, &options),
        Command::Doctor(options) => {
            let project = project()?;
            let manifest = project.manifest()?;
            doctor::doctor(&project, &options, |report| {
                toolchain::describe(report, &project, &manifest);
            })
        }
        Command::Build(options) => {
            let project = project()?;
            match options.flavour {
                None => build_all(&project, None),
                Some(flavour) => flavours::build(&project, flavour, &Releases::default()).map(drop),
            }
        }
        Command::Deploy(options) => deploy::deploy(&project()?, &options, &Releases::default()),
        Command::Upgrade(options) => upgrade::upgrade(&project()?, &options),
    }
}

impl Folder {
    fn project(&self) -> Result<Project> {
        let folder = std::path::absolute(&self.folder)?;
        ensure!(
            folder.join(MANIFEST).is_file(),
            "There is no {MANIFEST} in {}. Go to a project's folder, or make one with `gatehouse new NAME --lang rust|python|js`",
            folder.display()
        );
        Ok(Project::new(folder))
    }
}

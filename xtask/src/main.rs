//! `cargo xtask`: everything a developer of Gatehouse types.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for a terminal"
)]

mod bench;
mod build;
mod check_layers;
mod check_licenses;
mod clients;
mod contracts;
mod differences;
mod dist;
mod examples;
mod flavours;
#[cfg(test)]
mod house_style;
mod install;
mod shell;
mod test;
mod toolchain;
mod up;

use build::WasmBuild;
use clap::{Parser, Subcommand};
use project::flavours::{Flavour, Wasi};
use project::{deploy, doctor};
use shell::repository;
use std::process::ExitCode;

/// Build, run and test Gatehouse
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and serve it, with a stand-in unless an identity provider is configured
    Up(up::Options),
    /// Install what the tests need and run every test
    Test(test::Options),
    /// Let old and new clients that others wrote sign in and call every tool, and show what they did
    Clients(clients::Options),
    /// Build the components
    Build(BuildOptions),
    /// Check, build and deploy to a host
    Deploy(deploy::Options),
    /// Write a release into target/dist: components, SDKs, templates, and the command gatehouse for this machine
    Dist(dist::Options),
    /// Measure, side by side with an empty component
    Bench(bench::Options),
    /// Derive the contracts for WASI 0.2 (wit/portable) from those of the main build
    Contracts,
    /// Check that dependencies lead down the layers, and that no files of a crate use each other in a circle
    CheckLayers,
    /// Check the licences of all dependencies against deny.toml
    CheckLicenses,
    /// Check the toolchain, the ports and the configuration
    Doctor(doctor::Options),
}

#[derive(clap::Args)]
struct BuildOptions {
    /// The host to build for: writes target/<host>/spin.toml and its Wasm
    #[arg(long = "for", value_name = "HOST")]
    flavour: Option<Flavour>,
    /// Build what the black-box tests of spin.toml take, in less time
    #[arg(long, conflicts_with = "flavour")]
    for_tests: bool,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Up(options) => up::up(&options),
        Command::Test(options) => test::test(&options),
        Command::Clients(options) => clients::clients(&options),
        Command::Build(options) => match options.flavour {
            None if options.for_tests => build::to_test(WasmBuild::development(Wasi::Main)),
            None => build::components(),
            Some(flavour) => flavours::build(flavour).map(drop),
        },
        Command::Deploy(options) => deploy::deploy(&repository(), &options, &flavours::Built),
        Command::Dist(options) => dist::dist(&options),
        Command::Bench(options) => bench::bench(&options),
        Command::Contracts => contracts::contracts(),
        Command::CheckLayers => check_layers::check_layers(),
        Command::CheckLicenses => check_licenses::check_licenses(),
        Command::Doctor(options) => doctor::doctor(&repository(), &options, toolchain::describe),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

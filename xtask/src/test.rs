//! `cargo xtask test`: installs what the tests need, and runs every test.

use crate::build::{Profile, WasmBuild};
use crate::differences::not_tested;
use crate::flavours;
use crate::shell::{cargo, program, root, run, step, target};
use crate::{build, clients, examples, install, toolchain};
use anyhow::{Context, Result, bail};
use clap::Args;
use project::flavours::{Flavour, Wasi};
use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What `cargo xtask test` takes.
#[derive(Args)]
pub struct Options {
    /// Run only the tests that need neither Node.js, Python, a browser nor Redis, and take no minutes
    #[arg(long)]
    quick: bool,
    /// Kill the host so many times, at random points, to see that nothing it answered is lost
    #[arg(long, value_name = "TIMES", default_value_t = 10)]
    kills: u32,
    /// Let the clients of each race between machines meet so many times
    #[arg(long, value_name = "TIMES", default_value_t = 100)]
    rounds: u32,
    /// Test the components as they are deployed, which take minutes more to build
    #[arg(long)]
    shipped: bool,
    /// Run the black-box tests over the build for this host and with its limits, except tests of features that it lacks
    #[arg(long = "for", value_name = "HOST", conflicts_with = "quick")]
    flavour: Option<Flavour>,
}

/// Runs every test.
///
/// # Errors
///
/// If something cannot be installed or built, or any test fails.
pub fn test(options: &Options) -> Result<()> {
    let components = build::packages()?;
    let profile = match options.shipped {
        true => Profile::Shipped,
        false => Profile::Development,
    };
    // The example in Rust needs it too.
    toolchain::ensure_wasm()?;
    let flavour = options.flavour.filter(|flavour| *flavour != Flavour::Spin);
    let main = WasmBuild {
        wasi: Wasi::Main,
        profile,
    };
    let portable = |tools: &[&str]| {
        flavours::build_for_tests(Flavour::Portable, profile, &IDENTITIES[..1], tools)
    };
    // Installing waits for the network, and what becomes Wasm for its last and largest crate, while the others use the
    // processor.
    let installed = std::thread::scope(|scope| {
        let installing = scope.spawn(|| {
            if options.quick {
                return Ok(None);
            }
            let clients = clients::install()?;
            install::node_packages(&root().join("tests/openapi"))?;
            let chromium = install::chromium()?;
            install::redis()?;
            anyhow::Ok(Some((clients, chromium)))
        });
        let building = scope.spawn(|| {
            build::to_test(main)?;
            if options.quick {
                return Ok(());
            }
            if let Some(flavour) = flavour {
                // Some black-box tests run over the main build and the portable one, whatever is tested. What hosts without
                // atomics take is built last: tool servers are taken from what was.
                if flavour != Flavour::Portable {
                    portable(&TOOLS[..1])?;
                }
                return flavours::build_for_tests(flavour, profile, &IDENTITIES, &TOOLS);
            }
            examples::build()?;
            // What they need of a host is checked as they are composed.
            let tools = [&TOOLS[..1], &examples::EXAMPLES].concat();
            portable(&tools)?;
            flavours::build_for_tests(Flavour::Akamai, profile, &IDENTITIES[..1], &TOOLS[..1])
        });
        if !options.quick {
            build_rust_client()?;
        }
        run(cargo_test(&components, options.quick, flavour).arg("--no-run"))?;
        clients::join(building)?;
        clients::join(installing)
    })?;
    let mut tests = cargo_test(&components, options.quick, flavour);
    tests.env("GATEHOUSE_TEST_WASM", main.folder());
    if let Some((clients, chromium)) = installed {
        tests
            .env("GATEHOUSE_TEST_KILLS", options.kills.to_string())
            .env("GATEHOUSE_TEST_ROUNDS", options.rounds.to_string())
            .env("GATEHOUSE_TEST_PYTHON", clients.python)
            .env("GATEHOUSE_TEST_CHROMIUM", chromium)
            .env("GATEHOUSE_TEST_SCHEMAS", schemas(&clients.folder)?);
    }
    if let Some(flavour) = flavour {
        tests.env("GATEHOUSE_TEST_FLAVOUR", flavour.name());
        tests.arg("--");
        for (name, _reason) in not_tested(flavour) {
            tests.args(["--skip", name]);
        }
    }
    // Many black-box tests wait, for a stream or for time to pass: this many keep the processors busy.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        tests.env("RUST_TEST_THREADS", (2 * processors + 1).to_string());
    }
    step("Testing");
    let total = counted(&mut tests)?;

    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 || !total.finished {
        bail!("Some tests failed; see above");
    }
    Ok(())
}

/// The identity components and the tools that the black-box tests put in the places of those of `spin.toml`, its own first,
/// as it would name their Wasm.
const IDENTITIES: [&str; 2] = [
    "target/wasm32-wasip2/wasm/gatehouse_identity_descope.wasm",
    "target/wasm32-wasip2/wasm/gatehouse_identity_oidc.wasm",
];
const TOOLS: [&str; 2] = [
    "target/wasm32-wasip2/wasm/gatehouse_tools.wasm",
    "target/wasm32-wasip2/wasm/conformance_tools.wasm",
];

/// The targets with the tests that run over a flavour.
const BLACK_BOX: [&str; 3] = ["http", "conformance", "clients"];

/// Returns the one run of cargo for everything native: another selection of packages would build the host's dependencies
/// with other features, and so a second time. Over a flavour it has the black-box tests alone.
fn cargo_test(components: &[String], quick: bool, flavour: Option<Flavour>) -> Command {
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    for package in components.iter().map(String::as_str).chain(build::GUESTS) {
        if !build::NATIVELY_TESTED.contains(&package) {
            tests.args(["--exclude", package]);
        }
    }
    if quick {
        tests.arg("--no-default-features");
    }
    if flavour.is_some() {
        tests.args(BLACK_BOX.iter().flat_map(|target| ["--test", target]));
    }
    tests
}

/// Builds the Rust SDK's client, among the native builds: procedural macros are the same ones.
fn build_rust_client() -> Result<()> {
    step("Building the Rust client");
    run(cargo()
        .args([
            "build",
            "--locked",
            "--manifest-path",
            "tests/rmcp/Cargo.toml",
        ])
        .arg("--target-dir")
        .arg(target()))
}

/// Takes the official schemas of MCP out of a package of the clients; the folder where they are.
fn schemas(clients: &Path) -> Result<PathBuf> {
    let schemas = root().join("target/mcp-schemas");
    run(program("node")
        .current_dir(clients)
        .arg("schemas.mjs")
        .arg(&schemas))?;
    Ok(schemas)
}

/// What test runners reported.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    finished: bool,
}

/// Runs `cargo test`, shows what it prints, and adds up its result lines.
fn counted(command: &mut Command) -> Result<Count> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test cannot be started")?;
    let mut count = Count::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            if let Some(result) = line.strip_prefix("test result: ") {
                count.passed += number_before(result, " passed");
                count.failed += number_before(result, " failed");
            }
        }
    }
    count.finished = child.wait()?.success();
    if !count.finished && count.failed == 0 {
        // It did not build, or a test took its runner down with it.
        count.failed = 1;
    }
    Ok(count)
}

fn number_before(text: &str, word: &str) -> u64 {
    text.split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_added_up() {
        let line = "FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(line, " passed"), 12);
        assert_eq!(number_before(line, " failed"), 3);
    }
}

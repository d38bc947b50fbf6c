//! `cargo xtask test`: installs what the tests need, and runs every test.

use crate::build;
use crate::shell::{cargo, exists, program, root, run, step};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What `cargo xtask test` takes.
#[derive(Args)]
pub struct Options {
    /// Run only the tests that need neither Node.js, Python, a browser nor Redis, and take no minutes
    #[arg(long)]
    quick: bool,
    /// Kill the host so many times, at random points, to see that nothing it answered is lost
    #[arg(long, value_name = "TIMES", default_value_t = 25)]
    kills: u32,
}

/// Runs every test.
///
/// # Errors
///
/// If something cannot be installed or built, or any test fails.
pub fn test(options: &Options) -> Result<()> {
    let components = build::packages()?;
    let mut wasm = components.clone();
    wasm.extend(build::FOR_TESTS.map(str::to_owned));
    build::wasm(&wasm)?;
    // One run of cargo for everything native: another selection of packages would build the host's
    // dependencies with other features, and so a second time.
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    for package in components.iter().map(String::as_str).chain(build::GUESTS) {
        if !build::NATIVELY_TESTED.contains(&package) {
            tests.args(["--exclude", package]);
        }
    }
    if options.quick {
        tests.arg("--no-default-features");
    } else {
        let tools = install_clients()?;
        install_redis()?;
        tests
            .env("GATEHOUSE_TEST_KILLS", options.kills.to_string())
            .env("GATEHOUSE_TEST_PYTHON", tools.python)
            .env("GATEHOUSE_TEST_CHROMIUM", tools.chromium)
            .env("GATEHOUSE_TEST_SCHEMAS", tools.schemas);
    }
    step("Testing");
    let total = counted(&mut tests)?;

    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 || !total.finished {
        bail!("Some tests failed; see above");
    }
    Ok(())
}

struct Clients {
    python: PathBuf,
    chromium: PathBuf,
    /// The folder of the official schemas of MCP.
    schemas: PathBuf,
}

/// Installs the clients of `tests/clients` into that folder, and finds a browser.
fn install_clients() -> Result<Clients> {
    let folder = root().join("tests/clients");
    if !exists("node") || !exists("npm") {
        bail!(
            "The tests with real clients need Node.js 20 or later with npm. Install them, or run `cargo xtask test --quick`"
        );
    }
    step("Installing the JavaScript clients");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(program(npm).current_dir(&folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    let schemas = root().join("target/mcp-schemas");
    run(program("node")
        .current_dir(&folder)
        .arg("schemas.mjs")
        .arg(&schemas))?;
    step("Installing the Python clients");
    let python = install_python_clients(&folder)?;
    let chromium = match find_chromium() {
        Some(chromium) => chromium,
        None => {
            step("Installing Chromium");
            install("chromium").context(
                "The page tests need Chromium. Install it, or name it in the variable CHROMIUM, or run `cargo xtask test --quick`",
            )?;
            find_chromium().context("Chromium was installed but is not on the PATH")?
        }
    };
    Ok(Clients {
        python,
        chromium,
        schemas,
    })
}

fn install_python_clients(folder: &Path) -> Result<PathBuf> {
    let Some(system) = ["python3", "python"].into_iter().find(|name| exists(name)) else {
        bail!(
            "The tests with real clients need Python 3.10 or later. Install it, or run `cargo xtask test --quick`"
        );
    };
    let environment = folder.join(".venv");
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if !python.is_file() {
        run(program(system).args(["-m", "venv"]).arg(&environment))
            .context("Python needs its venv module (Debian: apt-get install python3-venv)")?;
    }
    run(program(&python).current_dir(folder).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        "requirements.txt",
    ]))?;
    Ok(python)
}

fn find_chromium() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("CHROMIUM") {
        return Some(given.into());
    }
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| exists(name))
        .map(PathBuf::from)
}

fn install_redis() -> Result<()> {
    if exists("redis-server") {
        return Ok(());
    }
    step("Installing Redis");
    install("redis-server").context(
        "The races on Redis need a redis-server. Install it, or run `cargo xtask test --quick`",
    )
}

/// Installs a package on Debian, and starts none of its services.
fn install(package: &str) -> Result<()> {
    run(program("apt-get").args(["update", "--quiet=2"]))?;
    run(program("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .arg(package)
        // invoke-rc.d(8): at the level of a single user nothing is started.
        .env("RUNLEVEL", "1"))
}

/// What test runners reported.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    finished: bool,
}

/// Runs `cargo test`, shows what it prints, and adds up its result lines.
fn counted(command: &mut std::process::Command) -> Result<Count> {
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

//! Installing what only the tests need.

use crate::shell::{exists, program, run, step};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Runs npm or one of its companions (`npx`) in `folder`.
pub fn npm(name: &str, folder: &Path) -> std::process::Command {
    let mut command = program(if cfg!(windows) {
        format!("{name}.cmd")
    } else {
        name.to_owned()
    });
    command.current_dir(folder);
    command
}

/// Installs the packages that `folder` locks into its `node_modules`.
///
/// # Errors
///
/// If Node.js is missing or the packages cannot be installed.
pub fn node_packages(folder: &Path) -> Result<()> {
    if !exists("node") || !exists("npm") {
        bail!(
            "The clients and examples need Node.js 20 or later with npm. Install them, or run `cargo xtask test --quick`"
        );
    }
    run(npm("npm", folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))
}

/// Installs the `requirements.txt` of `folder` into its `.venv`, and gives the folder of the programs there.
///
/// # Errors
///
/// If Python is missing or the packages cannot be installed.
pub fn python_packages(folder: &Path) -> Result<PathBuf> {
    python_environment(folder, ".venv", "requirements.txt")
}

/// Installs these requirements of `folder` into a virtual environment there, and gives the folder of
/// the programs in that.
///
/// # Errors
///
/// If Python is missing or the packages cannot be installed.
pub fn python_environment(folder: &Path, environment: &str, requirements: &str) -> Result<PathBuf> {
    let programs = python_venv(&folder.join(environment))?;
    run(program(programs.join(executable("python")))
        .current_dir(folder)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            requirements,
        ]))?;
    Ok(programs)
}

/// Makes a virtual environment in this folder if there is none, and gives the folder of the programs in it.
///
/// # Errors
///
/// If Python is missing or has no `venv`.
pub fn python_venv(environment: &Path) -> Result<PathBuf> {
    let Some(system) = ["python3", "python"].into_iter().find(|name| exists(name)) else {
        bail!(
            "The clients, the examples and the SDK for Python need Python 3.10 or later. Install it, or run `cargo xtask test --quick`"
        );
    };
    let programs = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
    if !programs.join(executable("python")).is_file() {
        run(program(system).args(["-m", "venv"]).arg(environment))
            .context("Python needs its venv module (Debian: apt-get install python3-venv)")?;
    }
    Ok(programs)
}

/// Returns the file name of a program.
pub fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Finds a Chromium, or installs it.
///
/// # Errors
///
/// If there is none and it cannot be installed.
pub fn chromium() -> Result<PathBuf> {
    if let Some(chromium) = find_chromium() {
        return Ok(chromium);
    }
    step("Installing Chromium");
    debian("chromium").context(
        "The page tests need Chromium. Install it, or name it in the variable CHROMIUM, or run `cargo xtask test --quick`",
    )?;
    find_chromium().context("Chromium was installed but is not on the PATH")
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

/// Installs a Redis server if there is none.
///
/// # Errors
///
/// If it cannot be installed.
pub fn redis() -> Result<()> {
    if exists("redis-server") {
        return Ok(());
    }
    step("Installing Redis");
    debian("redis-server").context(
        "The races on Redis need a redis-server. Install it, or run `cargo xtask test --quick`",
    )
}

/// Installs a package on Debian, and starts none of its services.
fn debian(package: &str) -> Result<()> {
    run(program("apt-get").args(["update", "--quiet=2"]))?;
    run(program("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .arg(package)
        // invoke-rc.d(8): at the level of a single user nothing is started.
        .env("RUNLEVEL", "1"))
}

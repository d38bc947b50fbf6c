//! Building the components.

use crate::shell::{cargo, root, run, step};
use crate::toolchain::{WASM, ensure_wasm};
use anyhow::{Context, Result};

/// Builds every component as `spin.toml` wants it.
///
/// # Errors
///
/// If the manifest grants what it may not, the target cannot be installed or a component does not build.
pub fn components() -> Result<()> {
    crate::manifest::check()?;
    wasm(&packages()?)
}

/// Builds packages to Wasm.
///
/// # Errors
///
/// If the target cannot be installed or a package does not build.
pub fn wasm(packages: &[String]) -> Result<()> {
    ensure_wasm()?;
    step("Building the components (the first time takes some minutes)");
    let mut build = cargo();
    build.args(["build", "--profile", "wasm", "--target", WASM]);
    for package in packages {
        build.args(["--package", package]);
    }
    run(&mut build)
}

/// Builds the embedded host and the Descope emulator.
///
/// # Errors
///
/// If one does not build.
pub fn servers() -> Result<()> {
    step("Building the host and the Descope emulator (the first time takes some minutes)");
    run(cargo().args([
        "build",
        "--package",
        "gatehouse-host",
        "--package",
        "descope-emulator",
    ]))
}

/// Returns the packages of the components: one for each folder in `components/`.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn packages() -> Result<Vec<String>> {
    let folder = root().join("components");
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(&folder).context("components/ cannot be read")? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            packages.push(format!("gatehouse-{}", entry.file_name().to_string_lossy()));
        }
    }
    packages.sort();
    Ok(packages)
}

/// The components with logic of their own that is tested natively; the others only join crates to
/// the platform.
pub const NATIVELY_TESTED: [&str; 2] = ["gatehouse-home", "gatehouse-tools"];

/// What else becomes Wasm: for the bench, for the tests of the host, and [`FOR_TESTS`].
pub const GUESTS: [&str; 6] = [
    "bench-bare",
    "bench-empty",
    "conformance-tools",
    "host-test-dependency",
    "host-test-guest",
    "host-test-guest-wasip2",
];

/// The components that the black-box tests put in the place of others.
pub const FOR_TESTS: [&str; 1] = ["conformance-tools"];

//! Building the components.

use crate::shell::{cargo, repository, root, run, step, target};
use crate::toolchain::{WASM, ensure_wasm};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// What components are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasmBuild {
    /// WASI 0.3.
    Main,
    /// WASI 0.2.
    Portable {
        /// Whether the host's key-value store has an atomic increment.
        atomics: bool,
        /// Whether it is small and fast. What is not takes a third of the time: for tests.
        optimized: bool,
    },
}

impl WasmBuild {
    /// Returns the folder that has the Wasm.
    pub fn folder(self) -> PathBuf {
        self.target().join(WASM).join("wasm")
    }

    /// The portable builds have folders of their own: with other flags everything is built again.
    fn target(self) -> PathBuf {
        match self {
            Self::Main => target(),
            Self::Portable {
                optimized: true, ..
            } => target().join("wasi2"),
            Self::Portable {
                optimized: false, ..
            } => target().join("wasi2-for-tests"),
        }
    }
}

/// Builds every component as `spin.toml` wants it.
///
/// # Errors
///
/// If the manifest grants what it may not, the target cannot be installed or a component does not build.
pub fn components() -> Result<()> {
    project::manifest::check(&repository())?;
    wasm(&packages()?, WasmBuild::Main)
}

/// Builds packages to Wasm.
///
/// # Errors
///
/// If the target cannot be installed or a package does not build.
pub fn wasm(packages: &[String], kind: WasmBuild) -> Result<()> {
    ensure_wasm()?;
    step("Building the components (the first time takes some minutes)");
    let mut build = cargo();
    build.args(["build", "--profile", "wasm", "--target", WASM]);
    if let WasmBuild::Portable { atomics, optimized } = kind {
        // Cargo joins the flags to those of .cargo/config.toml.
        let flags = format!(r#"target.{WASM}.rustflags=["--cfg", "portable"]"#);
        build.arg("--target-dir").arg(kind.target());
        build.args(["--config", &flags]);
        if !optimized {
            for setting in ["lto=\"off\"", "opt-level=1", "codegen-units=16"] {
                build.args(["--config", &format!("profile.wasm.{setting}")]);
            }
        }
        if !atomics {
            build.args(["--package", PLATFORM]);
            build.args(["--features", &format!("{PLATFORM}/without-atomics")]);
        }
    }
    for package in packages {
        build.args(["--package", package]);
    }
    run(&mut build)
}

/// The crate that has the platform's store.
const PLATFORM: &str = "gatehouse-platform";

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

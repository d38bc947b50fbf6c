//! The one thing that Wasm needs besides cargo.

use crate::shell::{self, exists, output, program, run};
use anyhow::{Context, Result};
use project::report::Report;
use std::path::Path;

/// The target that components are built for.
pub const WASM: &str = "wasm32-wasip2";

/// Whether the toolchain in use can build for [`WASM`].
pub fn has_wasm() -> bool {
    output(program("rustc").args(["--print", "target-libdir", "--target", WASM]))
        .is_some_and(|folder| Path::new(&folder).is_dir())
}

/// Installs [`WASM`] if it is missing.
///
/// # Errors
///
/// If rustup is not there or cannot install it.
pub fn ensure_wasm() -> Result<()> {
    if has_wasm() {
        return Ok(());
    }
    shell::step(&format!("Installing the target {WASM}"));
    run(program("rustup").args(["target", "add", WASM])).with_context(|| {
        format!(
            "The target {WASM} is missing. Install it with `rustup target add {WASM}`, or with the package manager your Rust came from"
        )
    })
}

/// Adds what there is of the toolchain, and of the hosts.
pub fn describe(report: &mut Report) {
    match output(program("rustc").arg("--version")) {
        Some(version) => report.good(&version),
        None => report.bad("rustc is missing. Install Rust with rustup"),
    }
    if has_wasm() {
        report.good(&format!("the target {WASM} is installed"));
    } else if exists("rustup") {
        report.good(&format!(
            "the target {WASM} is missing; `cargo xtask up` will install it"
        ));
    } else {
        report.bad(&format!("the target {WASM} and rustup are missing. Install rustup, or the target with the package manager your Rust came from"));
    }
    match output(program("spin").arg("--version")) {
        Some(version) => report.good(&format!(
            "{version} (for `up --runtime spin`; it has to be 4.1 or later)"
        )),
        None => report.good("spin is not installed; the embedded host serves instead"),
    }
}

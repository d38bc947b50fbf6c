//! The files of a release, and what they are made of.

use crate::shell::{cargo, output, root};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// The version of the release: that of every crate of the workspace.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A program of a release.
#[derive(Clone, Copy)]
pub(super) struct Program {
    /// The package of the workspace.
    pub(super) package: &'static str,
    /// What it is called.
    pub(super) name: &'static str,
}

/// The programs of a release, the command of projects first.
pub(super) const PROGRAMS: [Program; 2] = [
    Program {
        package: "gatehouse-cli",
        name: "gatehouse",
    },
    Program {
        package: "gatehouse-host",
        name: "gatehouse-host",
    },
];

/// Copies a file.
///
/// # Errors
///
/// If it cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

/// Writes a file, and the folder that it is in.
///
/// # Errors
///
/// If it cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}

/// Checks that a package was built whose name has this beginning and end, with the version between them.
///
/// # Errors
///
/// Names the file that is not there.
pub(super) fn check_built(folder: &Path, start: &str, end: &str) -> Result<()> {
    let path = folder.join(format!("{start}{VERSION}{end}"));
    ensure!(path.is_file(), "{} was not built", path.display());
    Ok(())
}

/// Returns what `cargo metadata` says of the workspace.
///
/// # Errors
///
/// If Cargo cannot read it.
pub(super) fn metadata(more: &[&str]) -> Result<String> {
    let mut command = cargo();
    command
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(more);
    output(&mut command).context("cargo cannot read the workspace")
}

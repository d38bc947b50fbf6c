//! The workspace, and running programs in its folder.

pub use project::shell::{exists, output, run, step};

use project::Project;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the project that the workspace is.
pub fn repository() -> Project {
    Project::repository(root(), target())
}

/// Returns the folder of the workspace.
pub fn root() -> &'static Path {
    // The manifest folder is <root>/xtask.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// Returns where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Returns the cargo that runs this.
pub fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    program(cargo)
}

/// Returns a program that starts in the workspace's folder.
pub fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// Returns the path of a program of this workspace.
pub fn binary(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

//! The folder of an application.

use crate::release;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A folder with a `spin.toml`, and what is called to work on it.
#[derive(Clone, Debug)]
pub struct Project {
    folder: PathBuf,
    output: PathBuf,
    program: &'static str,
}

impl Project {
    /// Returns the project in this folder, on which the command `gatehouse` works.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            output: folder.join("target"),
            folder,
            program: "gatehouse",
        }
    }

    /// Returns the repository of Gatehouse in this folder, on which `cargo xtask` works and where Cargo builds into
    /// `output`.
    pub fn repository(folder: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            output: output.into(),
            program: "cargo xtask",
        }
    }

    /// Returns a path in the folder.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.join(relative)
    }

    /// Returns an absolute path for one of `spin.toml`. What is in `target/` there is where Cargo builds.
    pub fn absolute(&self, path: &str) -> String {
        let path = match path.strip_prefix("target/") {
            Some(built) => self.output.join(built),
            None => self.folder.join(path),
        };
        path.to_string_lossy().into_owned()
    }

    /// Returns the folder that has the manifest and the Wasm of the flavour with this name.
    pub fn flavour_folder(&self, name: &str) -> PathBuf {
        self.output.join(name)
    }

    /// Returns what a person types for the command of this name.
    pub fn command(&self, name: &str) -> String {
        format!("{} {name}", self.program)
    }

    /// Returns where a document of the repository is, such as `docs/deploy.md`: in the release that `spin.toml` names, if it
    /// names one.
    pub fn document(&self, path: &str) -> String {
        let release = self.manifest().and_then(|read| release::of_manifest(&read));
        release.map_or_else(|_| path.to_owned(), |(address, _)| address.file(path))
    }

    /// Returns what `spin.toml` says.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn manifest(&self) -> Result<toml::Table> {
        let text = std::fs::read_to_string(self.path(MANIFEST))
            .with_context(|| format!("{MANIFEST} cannot be read"))?;
        text.parse()
            .with_context(|| format!("{MANIFEST} is not valid TOML"))
    }
}

/// The name of the manifest.
pub const MANIFEST: &str = "spin.toml";

//! The crates of the workspace and their layers.

use crate::shell::{cargo, output};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `cargo metadata` says of a workspace.
#[derive(Deserialize)]
pub struct Workspace {
    packages: Vec<Package>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    /// From the top down.
    layers: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Absent for an ordinary dependency.
    kind: Option<String>,
    /// Present for a crate of this workspace.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Workspace {
    /// Reads the workspace in this folder.
    ///
    /// # Errors
    ///
    /// If cargo cannot read it, or it lists no layers.
    pub fn read(root: &Path) -> Result<Self> {
        let mut command = cargo();
        command
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"]);
        let read = output(&mut command).context("cargo cannot read the workspace")?;
        serde_json::from_str(&read)
            .context("Cargo.toml has no list of layers: workspace.metadata.layers")
    }

    /// Returns what is wrong with the layers.
    pub fn faults(&self) -> Vec<String> {
        let layers = self.metadata.iter().flat_map(|metadata| &metadata.layers);
        let layer_of: BTreeMap<&str, usize> = layers
            .enumerate()
            .flat_map(|(layer, names)| names.iter().map(move |name| (name.as_str(), layer)))
            .collect();
        let mut faults = Vec::new();
        for package in &self.packages {
            let Some(own) = layer_of.get(package.name.as_str()) else {
                faults.push(format!(
                    "{} is in no layer: put it into workspace.metadata.layers of Cargo.toml.",
                    package.name
                ));
                continue;
            };
            let used = package.dependencies.iter();
            let used =
                used.filter(|used| used.path.is_some() && used.kind.as_deref() != Some("dev"));
            let upward = used.filter(|used| {
                layer_of
                    .get(used.name.as_str())
                    .is_some_and(|layer| layer <= own)
            });
            faults.extend(upward.map(|used| {
                format!(
                    "{} depends on {}, which is not in a lower layer.",
                    package.name, used.name
                )
            }));
        }
        let is_here = |name: &str| self.packages.iter().any(|package| package.name == name);
        let gone = layer_of.keys().filter(|name| !is_here(name));
        faults.extend(
            gone.map(|name| {
                format!("The layers of Cargo.toml name {name}, which is no crate here.")
            }),
        );
        faults
    }

    /// Returns the crates' names with the files that they begin with.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.packages.iter().flat_map(|package| {
            let targets = package.targets.iter();
            let code = targets.filter(|target| {
                target
                    .kind
                    .iter()
                    .any(|kind| matches!(kind.as_str(), "lib" | "cdylib" | "bin"))
            });
            code.map(|target| (package.name.as_str(), target.src_path.as_path()))
        })
    }
}

//! The flavours of Gatehouse itself: what `cargo xtask build --for`, `deploy` and the tests make of its packages.

use crate::build::{self, Profile, WasmBuild};
use crate::shell::{repository, target};
use anyhow::{Context, Result};
use project::Project;
use project::flavours::{
    self, Flavour, Wasi, Wasm, WasmFiles, portable_beside, with_absolute_paths, with_components,
    with_tool_server, write_portable,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Table;

/// Wasm that is built as it will be deployed.
pub struct Built;

/// Wasm that was built once for all manifests of a test.
struct BuiltForTests(Profile);

impl WasmFiles for Built {
    fn prepare(&self, _: &Project, wasm: &BTreeSet<Wasm>, wasi: Wasi) -> Result<()> {
        match wasi {
            Wasi::Main => build::named_components(Profile::Shipped),
            Wasi::Portable { .. } => build::wasm(&packages(wasm), WasmBuild::shipped(wasi)),
        }
    }

    fn portable_file(&self, project: &Project, wasm: &Wasm, atomics: bool) -> Result<PathBuf> {
        let wasi = Wasi::Portable { atomics };
        file(project, wasm, WasmBuild::shipped(wasi))
    }
}

impl WasmFiles for BuiltForTests {
    fn prepare(&self, _: &Project, _: &BTreeSet<Wasm>, _: Wasi) -> Result<()> {
        Ok(())
    }

    fn portable_file(&self, project: &Project, wasm: &Wasm, atomics: bool) -> Result<PathBuf> {
        let wasi = Wasi::Portable { atomics };
        let profile = self.0;
        file(project, wasm, WasmBuild { wasi, profile })
    }
}

/// Builds the components that `spin.toml` names and writes the flavour's manifest and Wasm. Returns the manifest's
/// path.
///
/// # Errors
///
/// If something does not build or does not fit together, or a component needs more than the host has.
pub fn build(flavour: Flavour) -> Result<PathBuf> {
    flavours::build(&repository(), flavour, &Built)
}

/// Builds the components that `spin.toml` names with the profile of development, and writes a manifest with these for the
/// embedded host. Returns the manifest's path.
///
/// # Errors
///
/// As [`build()`].
pub fn build_for_development() -> Result<PathBuf> {
    build::named_components(Profile::Development)?;
    let build = WasmBuild::development(Wasi::Main);
    let manifest = with_wasm_of(build, &repository())?;
    let path = build.folder().join("spin.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// Returns the project's manifest with our own components as this build made them.
fn with_wasm_of(build: WasmBuild, project: &Project) -> Result<Table> {
    let absolute = |path: &str| match build.file(path) {
        Some(file) => file.to_string_lossy().into_owned(),
        None => project.absolute(path),
    };
    with_absolute_paths(project.manifest()?, absolute)
}

/// A tools component of its own, in the flavours for tests.
const TOOL_SERVER: &str = "fixtures";
const FIXTURES: &str = "target/wasm32-wasip2/wasm/conformance_tools.wasm";

/// Builds a portable flavour for the black-box tests, once with each of `identities` and
/// each of `tools`: components by the paths that `spin.toml` would have, and the fixtures behind a tool server where the host
/// has service chaining. Each lies in a folder of its own,
/// `<flavour>-for-tests/<identity>+<tools>`, because `target/<flavour>` is for deployments.
///
/// # Errors
///
/// As [`build()`].
pub fn build_for_tests(
    flavour: Flavour,
    profile: Profile,
    identities: &[&str],
    tools: &[&str],
) -> Result<()> {
    let wasi = Wasi::Portable {
        atomics: flavour.has_atomics(),
    };
    build::to_test(WasmBuild { wasi, profile })?;
    let project = repository();
    for identity in identities {
        for tools in tools {
            let folder = target()
                .join(format!("{}-for-tests", flavour.name()))
                .join(format!("{}+{}", stem(identity)?, stem(tools)?));
            let mut swapped = with_components(project.manifest()?, identity, tools)?;
            if flavour.has_service_chaining() {
                swapped = with_tool_server(swapped, TOOL_SERVER, FIXTURES)?;
            }
            write_portable(&project, swapped, &folder, flavour, &BuiltForTests(profile))?;
        }
    }
    Ok(())
}

/// Returns the name of a file without its extension.
fn stem(path: &str) -> Result<&str> {
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
    stem.with_context(|| format!("{path} is no file"))
}

/// Returns the file of this build that stands for what `spin.toml` names: one of our own lies in the build's folder; the
/// portable form of any other beside it.
fn file(project: &Project, wasm: &Wasm, build: WasmBuild) -> Result<PathBuf> {
    match wasm {
        Wasm::File(path) => match build.file(path) {
            Some(file) => Ok(file),
            None => portable_beside(project, path),
        },
        Wasm::Remote { url, .. } => {
            anyhow::bail!("{url}: what is built here has its Wasm in files")
        }
    }
}

/// The packages of our own components among what a manifest names.
fn packages(wasm: &BTreeSet<Wasm>) -> Vec<String> {
    let names = wasm.iter().filter_map(|wasm| match wasm {
        Wasm::File(path) => build::package_of(path),
        Wasm::Remote { .. } => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_development_has_all_wasm_from_the_folder_that_it_is_built_in() {
        let build = WasmBuild::development(Wasi::Main);
        let manifest = with_wasm_of(build, &repository()).unwrap();
        let text = toml::to_string(&manifest).unwrap();
        let built = format!("\"{}/", build.folder().display());
        assert_eq!(text.matches(&built).count(), text.matches(".wasm").count());
        for name in ["gatehouse_mcp.wasm", "gatehouse_tools.wasm"] {
            assert!(text.contains(&format!("{built}{name}\"")), "{text}");
        }
    }
}

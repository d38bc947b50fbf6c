//! Flavours of an application: `target/<flavour>/spin.toml` and its Wasm, for hosts that differ from the one of
//! `spin.toml`. The one `spin.toml` stays what is edited.
//!
//! | flavour | Wasm | dependencies | key-value store | service chaining |
//! | --- | --- | --- | --- | --- |
//! | `spin` | WASI 0.3 | as in `spin.toml` | with atomics | yes |
//! | `portable` | WASI 0.2 | composed in | with atomics | yes |
//! | `akamai` | WASI 0.2 | composed in | without | yes |
//! | `fermyon-cloud` | WASI 0.2 | composed in | without | no |
//!
//! A component of denials stands in front of each dependency that is composed in, and answers what it does not
//! inherit; the manifest then has no field that Spin 3.3 does not know.

mod flavour;
mod manifest;
mod portable_interface;
mod wasm;

pub use flavour::{Flavour, Wasi};
pub use manifest::{portable_package, with_absolute_paths, with_components, with_tool_server};
pub use wasm::Wasm;

use crate::project::Project;
use crate::shell::step;
use anyhow::{Context, Result};
use composition::{Denials, Dependency, compose, read};
use manifest::{Flavoured, Part};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::Table;

/// Where the Wasm of a flavour comes from: it is built, or a release has it.
pub trait WasmFiles {
    /// Makes sure that every one of these is there.
    ///
    /// # Errors
    ///
    /// If one cannot be built or fetched.
    fn prepare(&self, project: &Project, wasm: &BTreeSet<Wasm>, wasi: Wasi) -> Result<()>;

    /// Returns the file for WASI 0.2 that stands for what `spin.toml` names.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn portable_file(&self, project: &Project, wasm: &Wasm, atomics: bool) -> Result<PathBuf>;
}

/// Builds the components that `spin.toml` names and writes the flavour's manifest and Wasm. Returns the manifest's
/// path.
///
/// # Errors
///
/// If something does not build or does not fit together, or a component needs more than the host has.
pub fn build(project: &Project, flavour: Flavour, files: &dyn WasmFiles) -> Result<PathBuf> {
    crate::manifest::check(project)?;
    let folder = project.flavour_folder(flavour.name());
    match flavour.wasi() {
        wasi @ Wasi::Main => {
            files.prepare(project, &BTreeSet::new(), wasi)?;
            let manifest = manifest_of(project, project.manifest()?, flavour)?;
            write_manifest(project, &folder, &manifest, flavour)
        }
        Wasi::Portable { .. } => {
            write_portable(project, project.manifest()?, &folder, flavour, files)
        }
    }
}

/// Writes the manifest and the Wasm of a flavour for WASI 0.2 into a folder, from this manifest.
///
/// # Errors
///
/// As [`build()`].
pub fn write_portable(
    project: &Project,
    manifest: Table,
    folder: &Path,
    flavour: Flavour,
    files: &dyn WasmFiles,
) -> Result<PathBuf> {
    let Flavoured { manifest, parts } = manifest::flavoured(manifest, flavour)?;
    let dependencies = parts.iter().flat_map(|part| &part.dependencies);
    let wasm = dependencies.map(|dependency| &dependency.wasm);
    let wasm = wasm.chain(parts.iter().map(|part| &part.source));
    files.prepare(project, &wasm.cloned().collect(), flavour.wasi())?;
    compose_into(project, folder, &parts, flavour, files)?;
    write_manifest(project, folder, &manifest, flavour)
}

/// Returns the manifest that [`build()`] makes of this one.
///
/// # Errors
///
/// If the manifest is not as `spin.toml` is, or has what cannot be composed.
pub fn manifest_of(project: &Project, manifest: Table, flavour: Flavour) -> Result<Table> {
    match flavour.wasi() {
        Wasi::Main => with_absolute_paths(manifest, |path| project.absolute(path)),
        Wasi::Portable { .. } => Ok(manifest::flavoured(manifest, flavour)?.manifest),
    }
}

/// Composes each part into one Wasm in the folder.
fn compose_into(
    project: &Project,
    folder: &Path,
    parts: &[Part],
    flavour: Flavour,
    files: &dyn WasmFiles,
) -> Result<()> {
    step(&format!("Composing into {}", folder.display()));
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for part in parts {
        let file = |wasm: &Wasm| {
            let path = files.portable_file(project, wasm, flavour.has_atomics())?;
            read(&path).map_err(anyhow::Error::from)
        };
        let wasm = composed(part, file)?;
        portable_interface::check(&wasm, flavour.has_atomics())
            .with_context(|| format!("component {}", part.id))?;
        eprintln!("{:>16}  {:>5} KiB", part.id, wasm.len() / 1024);
        write(&folder.join(format!("{}.wasm", part.id)), &wasm)?;
    }
    Ok(())
}

fn write_manifest(
    project: &Project,
    folder: &Path,
    manifest: &Table,
    flavour: Flavour,
) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join("spin.toml");
    let notice = format!(
        "# Written by `{} --for {}`: edit the spin.toml that it was made of.\n\n",
        project.command("build"),
        flavour.name()
    );
    write(&path, (notice + &toml::to_string(manifest)?).as_bytes())?;
    eprintln!("\n{}", path.display());
    Ok(path)
}

/// Returns the component with its dependencies inside.
fn composed(part: &Part, file: impl Fn(&Wasm) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let dependencies = part.dependencies.iter().map(|dependency| {
        anyhow::Ok(Dependency {
            name: &dependency.name,
            wasm: file(&dependency.wasm)?,
            export: dependency.export.as_deref(),
            inherit: &dependency.inherit,
        })
    });
    let dependencies = dependencies.collect::<Result<_>>()?;
    compose(
        &part.id,
        file(&part.source)?,
        dependencies,
        Denials::Composed,
    )
    .with_context(|| format!("component {} cannot be composed", part.id))
}

/// Returns the portable form of an author's component: `tools.wasm` is `tools.portable.wasm` beside it.
///
/// # Errors
///
/// If it is not there.
pub fn portable_beside(project: &Project, path: &str) -> Result<PathBuf> {
    let portable = PathBuf::from(project.absolute(path)).with_extension("portable.wasm");
    anyhow::ensure!(
        portable.is_file(),
        "{} is not there: hosts of WASI 0.2 need the component built for wit/portable",
        portable.display()
    );
    Ok(portable)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::shipped_with_tools;

    struct NoFiles;

    impl WasmFiles for NoFiles {
        fn prepare(&self, _: &Project, _: &BTreeSet<Wasm>, _: Wasi) -> Result<()> {
            anyhow::bail!("nothing is built of such a manifest")
        }

        fn portable_file(&self, _: &Project, _: &Wasm, _: bool) -> Result<PathBuf> {
            anyhow::bail!("nothing is composed of such a manifest")
        }
    }

    #[test]
    fn nothing_is_built_where_tools_inherit_everything() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::new(folder.path());
        let manifest = shipped_with_tools(", inherit_configuration = true");
        fs::write(project.path(crate::MANIFEST), manifest).unwrap();
        for flavour in [Flavour::Spin, Flavour::Portable, Flavour::Akamai] {
            let refusal = build(&project, flavour, &NoFiles).unwrap_err().to_string();
            assert!(refusal.contains("inherit_configuration"), "{refusal}");
        }
    }
}

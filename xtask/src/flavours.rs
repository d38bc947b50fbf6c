//! Flavours of the application: `target/<flavour>/spin.toml` and its Wasm, for hosts that differ from the one of
//! `spin.toml`. The one `spin.toml` stays what is edited.
//!
//! | flavour | Wasm | dependencies | key-value store | service chaining |
//! | --- | --- | --- | --- | --- |
//! | `spin` | WASI 0.3 | as in `spin.toml` | with atomics | yes |
//! | `portable` | WASI 0.2 | composed in | with atomics | yes |
//! | `akamai` | WASI 0.2 | composed in | without | yes |
//! | `fermyon-cloud` | WASI 0.2 | composed in | without | no |
//!
//! Where dependencies are composed in, a component of denials stands in front of each and answers what it does
//! not inherit; the manifest then has no field that Spin 3.3 does not know.

mod differences;
mod flavour;
mod manifest;
mod portable_interface;

pub use differences::not_tested;
pub use flavour::Flavour;

use crate::build::{self, WasmBuild};
use crate::shell::{root, step, target};
use anyhow::{Context, Result, ensure};
use composition::{Denials, Dependency, compose, read};
use manifest::{Flavoured, Part};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::Table;

/// Builds the components that `spin.toml` names and writes the flavour's manifest and Wasm. Returns the manifest's
/// path.
///
/// # Errors
///
/// If something does not build or does not fit together, or a component needs more than the host has.
pub fn build(flavour: Flavour) -> Result<PathBuf> {
    crate::manifest::check()?;
    let folder = flavour.folder();
    let build = flavour.wasm_build(true);
    let manifest = match build {
        WasmBuild::Main => {
            build::components()?;
            manifest::with_absolute_paths(crate::manifest::read()?, absolute)?
        }
        WasmBuild::Portable { .. } => {
            let Flavoured { manifest, parts } =
                manifest::flavoured(crate::manifest::read()?, flavour)?;
            build::wasm(&packages(&parts), build)?;
            compose_into(&folder, &parts, build, flavour)?;
            manifest
        }
    };
    write_manifest(&folder, &manifest, flavour)
}

/// A tools component of its own, in the flavours for tests.
const TOOL_SERVER: &str = "fixtures";
const FIXTURES: &str = "target/wasm32-wasip2/wasm/conformance_tools.wasm";

/// Builds a portable flavour for the black-box tests, in less time and with larger Wasm, once with each of `identities` and
/// each of `tools`: components by the paths that `spin.toml` would have, and the fixtures behind a tool server where the host
/// has service chaining. Each lies in a folder of its own,
/// `<flavour>-for-tests/<identity>+<tools>`, because `target/<flavour>` is for deployments.
///
/// # Errors
///
/// As [`build()`].
pub fn build_for_tests(flavour: Flavour, identities: &[&str], tools: &[&str]) -> Result<()> {
    let mut packages = build::packages()?;
    packages.extend(build::FOR_TESTS.map(str::to_owned));
    let build = flavour.wasm_build(false);
    build::wasm(&packages, build)?;
    for identity in identities {
        for tools in tools {
            let folder = target()
                .join(format!("{}-for-tests", flavour.name()))
                .join(format!("{}+{}", stem(identity)?, stem(tools)?));
            let mut swapped = manifest::with_components(crate::manifest::read()?, identity, tools)?;
            if flavour.has_service_chaining() {
                swapped = manifest::with_tool_server(swapped, TOOL_SERVER, FIXTURES)?;
            }
            let Flavoured { manifest, parts } = manifest::flavoured(swapped, flavour)?;
            compose_into(&folder, &parts, build, flavour)?;
            write_manifest(&folder, &manifest, flavour)?;
        }
    }
    Ok(())
}

/// Returns the manifest that [`build()`] makes of that of the repository.
///
/// # Errors
///
/// If the manifest is not as `spin.toml` is, or has what cannot be composed.
pub fn manifest_of(manifest: Table, flavour: Flavour) -> Result<Table> {
    match flavour.wasm_build(true) {
        WasmBuild::Main => manifest::with_absolute_paths(manifest, absolute),
        WasmBuild::Portable { .. } => Ok(manifest::flavoured(manifest, flavour)?.manifest),
    }
}

/// Returns the name of a file without its extension.
fn stem(path: &str) -> Result<&str> {
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
    stem.with_context(|| format!("{path} is no file"))
}

/// Composes each part into one Wasm in the folder.
fn compose_into(folder: &Path, parts: &[Part], build: WasmBuild, flavour: Flavour) -> Result<()> {
    step(&format!("Composing into {}", folder.display()));
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for part in parts {
        let wasm = composed(part, build)?;
        portable_interface::check(&wasm, flavour.has_atomics())
            .with_context(|| format!("component {}", part.id))?;
        eprintln!("{:>16}  {:>5} KiB", part.id, wasm.len() / 1024);
        write(&folder.join(format!("{}.wasm", part.id)), &wasm)?;
    }
    Ok(())
}

fn write_manifest(folder: &Path, manifest: &Table, flavour: Flavour) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join("spin.toml");
    let notice = format!(
        "# Written for {} by `cargo xtask`: edit the spin.toml of the repository.\n\n",
        flavour.name()
    );
    write(&path, (notice + &toml::to_string(manifest)?).as_bytes())?;
    eprintln!("\n{}", path.display());
    Ok(path)
}

/// Returns the component with its dependencies inside.
fn composed(part: &Part, build: WasmBuild) -> Result<Vec<u8>> {
    let file = |path: &str| read(&wasm_file(path, build)?).map_err(anyhow::Error::from);
    let dependencies = part.dependencies.iter().map(|dependency| {
        anyhow::Ok(Dependency {
            name: &dependency.name,
            wasm: file(&dependency.path)?,
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

/// Where the main build has its Wasm, as `spin.toml` names it.
const MAIN: &str = "target/wasm32-wasip2/wasm/";

/// Returns the file of this build that stands for a file of `spin.toml`: one of our own lies in the build's folder;
/// the portable form of any other, `tools.wasm`, is `tools.portable.wasm` beside it.
fn wasm_file(path: &str, build: WasmBuild) -> Result<PathBuf> {
    if let Some(name) = path.strip_prefix(MAIN) {
        return Ok(build.folder().join(name));
    }
    let portable = root().join(path).with_extension("portable.wasm");
    ensure!(
        portable.is_file(),
        "{} is not there: hosts of WASI 0.2 need the component built for wit/portable",
        portable.display()
    );
    Ok(portable)
}

/// The packages of our own components among those of the manifest.
fn packages(parts: &[Part]) -> Vec<String> {
    let dependencies = parts.iter().flat_map(|part| &part.dependencies);
    let paths = dependencies.map(|dependency| dependency.path.as_str());
    let paths = paths.chain(parts.iter().map(|part| part.source.as_str()));
    let names = paths.filter_map(|path| path.strip_prefix(MAIN)?.strip_suffix(".wasm"));
    let names: BTreeSet<String> = names.map(|name| name.replace('_', "-")).collect();
    names.into_iter().collect()
}

fn absolute(path: &str) -> String {
    let path = match path.strip_prefix("target/") {
        Some(built) => target().join(built),
        None => root().join(path),
    };
    path.to_string_lossy().into_owned()
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}

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

mod flavour;
mod manifest;
mod portable_interface;

pub use flavour::Flavour;

use crate::build::{self, WasmBuild};
use crate::shell::{root, step, target};
use anyhow::{Context, Result, ensure};
use composition::{Denials, Dependency, compose, read};
use manifest::{Flavoured, Part};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Builds the components that `spin.toml` names and writes the flavour's manifest and Wasm. Returns the manifest's
/// path.
///
/// # Errors
///
/// If something does not build or does not fit together, or a component needs more than the host has.
pub fn build(flavour: Flavour) -> Result<PathBuf> {
    build_as(flavour, flavour.name(), flavour.wasm_build())
}

/// Builds the flavour `portable` as [`build()`] does, in less time and with larger Wasm: as `portable-for-tests`, so
/// that what is deployed from `target/portable` is never that.
///
/// # Errors
///
/// As [`build()`].
pub fn build_for_tests() -> Result<PathBuf> {
    build_as(
        Flavour::Portable,
        "portable-for-tests",
        WasmBuild::PortableForTests,
    )
}

fn build_as(flavour: Flavour, name: &str, wasm_build: WasmBuild) -> Result<PathBuf> {
    crate::manifest::check()?;
    let text = fs::read_to_string(root().join("spin.toml")).context("spin.toml cannot be read")?;
    let manifest = text.parse().context("spin.toml is not valid TOML")?;
    let folder = target().join(name);
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let manifest = match wasm_build {
        WasmBuild::Main => {
            build::components()?;
            manifest::with_absolute_paths(manifest, absolute)?
        }
        build => {
            let Flavoured { manifest, parts } = manifest::flavoured(manifest, flavour)?;
            build::wasm(&packages(&parts), build)?;
            step(&format!("Composing into {}", folder.display()));
            for part in &parts {
                let wasm = composed(part, build)?;
                portable_interface::check(&wasm, flavour.has_atomics())
                    .with_context(|| format!("component {}", part.id))?;
                eprintln!("{:>16}  {:>5} KiB", part.id, wasm.len() / 1024);
                write(&folder.join(format!("{}.wasm", part.id)), &wasm)?;
            }
            manifest
        }
    };
    let path = folder.join("spin.toml");
    let notice = format!(
        "# Written by `cargo xtask build --for {}`: edit the spin.toml of the repository.\n\n",
        flavour.name()
    );
    write(&path, (notice + &toml::to_string(&manifest)?).as_bytes())?;
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

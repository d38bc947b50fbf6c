//! `cargo xtask dist`: a release in `target/dist/<version>`, to be put on any static web server.
//!
//! | file | what it is |
//! | --- | --- |
//! | `gatehouse_*.wasm` | the components for WASI 0.3 |
//! | `gatehouse_*.portable.wasm` | the same for WASI 0.2, for hosts whose store has an atomic increment |
//! | `gatehouse_*.without-atomics.wasm` | the same for hosts whose store has none |
//! | `gatehouse_sdk-*.whl`, `gatehouse-sdk-*.tgz`, `gatehouse-sdk*.crate` | the SDKs |
//! | `index/` | a registry of Cargo with the SDK (sparse protocol) |
//! | `gatehouse.toml` | Gatehouse's part of a project's `spin.toml` |
//! | `templates/` | templates, for `spin templates install --dir` |
//! | `gatehouse-<target>` | the command `gatehouse` for the machine that made the release |
//! | `gatehouse.cdx.json` | what is in it all (CycloneDX) |
//! | `release.sha256` | digests of what projects are made of; `spin.toml` names its digest |
//! | `SHA256SUMS` | digests of everything |
//!
//! Templates and command have the digest of `release.sha256` in them, so that they are not among its files.

mod cargo_index;
mod files;
mod packages;
mod sbom;

use crate::build::{self, WasmBuild};
use crate::shell::{cargo, output, program, run, step, target};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use files::{VERSION, copy, write};
use project::release::{self, Address, Release, SUMS};
use project::templates::{self, Language};
use std::fs;
use std::path::Path;

/// What `cargo xtask dist` takes.
#[derive(Args)]
pub struct Options {
    /// The URL below which target/dist will be served: projects get their components from URL/VERSION
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    url: String,
}

/// Builds everything and writes the release.
///
/// # Errors
///
/// If something does not build, a program is missing, or the versions of the packages are not one.
pub fn dist(options: &Options) -> Result<()> {
    let address = Address::new(&format!("{}/{VERSION}", options.url.trim_end_matches('/')))?;
    packages::check_versions(VERSION)?;
    let folder = target().join("dist").join(VERSION);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    components(&folder)?;
    packages::write(&folder, VERSION)?;
    cargo_index::write(&folder, &address)?;
    step("Writing the bill of materials");
    write(&folder.join("gatehouse.cdx.json"), sbom::text()?.as_bytes())?;
    let release = seal(&folder, &address)?;
    command(&folder, &release)?;
    let sums = release::sums_of(&folder)?;
    write(&folder.join("SHA256SUMS"), sums.as_bytes())?;
    tell(&folder, &address)
}

/// Writes Gatehouse's part of manifests, the digests of all there is so far, and the templates.
fn seal(folder: &Path, address: &Address) -> Result<Release> {
    let sums = release::sums_of_files_in(folder)?;
    let part = templates::part(&Release::new(address.clone(), &sums)?)?;
    write(&folder.join(templates::PART_FILE), part.as_bytes())?;
    let sums = release::sums_of_files_in(folder)?;
    write(&folder.join(SUMS), sums.as_bytes())?;
    let release = Release::new(address.clone(), &sums)?;
    for language in Language::value_variants() {
        let files = templates::template(*language, &release)?;
        templates::write(&folder.join("templates").join(language.template()), &files)?;
    }
    Ok(release)
}

/// Builds the components in every form, and copies them.
fn components(folder: &Path) -> Result<()> {
    let packages = build::packages()?;
    let portable = |atomics| WasmBuild::Portable {
        atomics,
        optimized: true,
    };
    for (build, extension) in [
        (WasmBuild::Main, "wasm"),
        (portable(true), "portable.wasm"),
        (portable(false), "without-atomics.wasm"),
    ] {
        build::wasm(&packages, build)?;
        for package in &packages {
            let name = package.replace('-', "_");
            let built = build.folder().join(format!("{name}.wasm"));
            copy(&built, &folder.join(format!("{name}.{extension}")))?;
        }
    }
    Ok(())
}

/// Builds the command `gatehouse`, with the release in it that new projects are of.
fn command(folder: &Path, release: &Release) -> Result<()> {
    step("Building the command gatehouse (release; the first time takes some minutes)");
    let sums = fs::read_to_string(folder.join(SUMS))?;
    run(cargo()
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "gatehouse-cli",
        ])
        .args(["--config", "profile.release.strip=true"])
        .env("GATEHOUSE_RELEASE_URL", release.address().url())
        .env("GATEHOUSE_RELEASE_SUMS", sums))?;
    let host = output(program("rustc").args(["--print", "host-tuple"]))
        .context("rustc does not say for what it compiles")?;
    let suffix = std::env::consts::EXE_SUFFIX;
    let built = target().join(format!("release/gatehouse{suffix}"));
    copy(&built, &folder.join(format!("gatehouse-{host}{suffix}")))
}

/// Says what there is, and what to do with it.
fn tell(folder: &Path, address: &Address) -> Result<()> {
    println!();
    for path in release::files(folder)? {
        let bytes = folder.join(&path).metadata()?.len();
        println!("{:>9} KiB  {path}", bytes.div_ceil(1024));
    }
    println!(
        "\n{} is the release {VERSION}. Projects look for it at {}: serve {} there.",
        folder.display(),
        address.url(),
        target().join("dist").display()
    );
    if address.url().starts_with("http://") {
        println!(
            "To try it here: python3 -m http.server 8000 --bind 127.0.0.1 --directory {}",
            target().join("dist").display()
        );
    }
    Ok(())
}

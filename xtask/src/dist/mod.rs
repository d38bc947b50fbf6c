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
//! | `gatehouse-host-<target>` | the embedded host for that machine |
//! | `docs/`, `README.md`, `CHANGELOG.md`, `SECURITY.md` | the documentation, to which projects point |
//! | `LICENSE`, `NOTICES.txt` | the licence, and those of what it is made of |
//! | `gatehouse.cdx.json` | every file with its digest, what it is made of, and what the SDKs bring (CycloneDX) |
//! | `release.sha256` | digests of what projects are made of; `spin.toml` names its digest |
//! | `SHA256SUMS` | digests of everything |
//!
//! Templates and command have the digest of `release.sha256` in them, so that they are not among its files. Nor is the bill
//! of materials, which has their digests.

mod cargo_index;
mod cargo_packages;
mod component;
mod files;
mod notices;
mod npm_packages;
mod packages;
mod python_packages;
mod sbom;

use crate::build::{self, WasmBuild};
use crate::shell::{cargo, output, program, root, run, step, target};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use files::{PROGRAMS, Program, VERSION, copy, write};
use project::flavours::Wasi;
use project::release::{self, Address, Release, SUMS};
use project::templates::{self, Language};
use std::fs;
use std::path::{Path, PathBuf};

/// What `cargo xtask dist` takes.
#[derive(Args)]
pub struct Options {
    /// The URL below which target/dist will be served: projects get their components from URL/VERSION
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    url: String,
    /// Write nothing but the SDK for Rust and its registry, into this folder, for tests of projects
    #[arg(long, value_name = "FOLDER")]
    crates_into: Option<PathBuf>,
}

/// Builds everything and writes the release.
///
/// # Errors
///
/// If something does not build, a program is missing, or the versions of the packages are not one.
pub fn dist(options: &Options) -> Result<()> {
    let address = Address::new(&format!("{}/{VERSION}", options.url.trim_end_matches('/')))?;
    packages::check_versions(VERSION)?;
    if let Some(folder) = &options.crates_into {
        packages::write_crates(folder, VERSION)?;
        return cargo_index::write(folder, &address);
    }
    let folder = target().join("dist").join(VERSION);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    components(&folder)?;
    packages::write(&folder, VERSION)?;
    cargo_index::write(&folder, &address)?;
    step("Writing the documentation and the notices");
    documents(&folder)?;
    write(&folder.join("NOTICES.txt"), notices::text()?.as_bytes())?;
    let release = seal(&folder, &address)?;
    let command = programs(&folder, &release)?;
    step("Writing the bill of materials");
    let bill = sbom::text(&folder)?;
    write(&folder.join("gatehouse.cdx.json"), bill.as_bytes())?;
    let sums = release::sums_of(&folder)?;
    write(&folder.join("SHA256SUMS"), sums.as_bytes())?;
    print_summary(&folder, &address, &command)
}

/// Copies the documentation.
fn documents(folder: &Path) -> Result<()> {
    for name in ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"] {
        copy(&root().join(name), &folder.join(name))?;
    }
    let docs = root().join("docs");
    for path in release::files(&docs)? {
        write(
            &folder.join("docs").join(&path),
            &fs::read(docs.join(&path))?,
        )?;
    }
    Ok(())
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
    for (wasi, extension) in [
        (Wasi::Main, "wasm"),
        (Wasi::Portable { atomics: true }, "portable.wasm"),
        (Wasi::Portable { atomics: false }, "without-atomics.wasm"),
    ] {
        let build = WasmBuild::shipped(wasi);
        build::wasm(&packages, build)?;
        for package in &packages {
            let name = package.replace('-', "_");
            let built = build.folder().join(format!("{name}.wasm"));
            copy(&built, &folder.join(format!("{name}.{extension}")))?;
        }
    }
    Ok(())
}

/// Builds the programs, with the release in the first one that new projects are of. Returns the name of its file.
fn programs(folder: &Path, release: &Release) -> Result<String> {
    step("Building the programs (release; the first time takes some minutes)");
    let sums = fs::read_to_string(folder.join(SUMS))?;
    let mut build = cargo();
    build.args(["build", "--release", "--locked"]);
    for program in PROGRAMS {
        build.args(["--package", program.package]);
    }
    run(build
        .args(["--config", "profile.release.strip=true"])
        .env("GATEHOUSE_RELEASE_URL", release.address().url())
        .env("GATEHOUSE_RELEASE_SUMS", sums))?;
    let host = output(program("rustc").args(["--print", "host-tuple"]))
        .context("rustc does not say for what it compiles")?;
    let suffix = std::env::consts::EXE_SUFFIX;
    let file = |program: &Program| format!("{}-{host}{suffix}", program.name);
    for program in &PROGRAMS {
        let built = target().join(format!("release/{}{suffix}", program.name));
        copy(&built, &folder.join(file(program)))?;
    }
    Ok(file(&PROGRAMS[0]))
}

/// Says what there is, and what to do with it.
fn print_summary(folder: &Path, address: &Address, command: &str) -> Result<()> {
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
    if let Some(port) = loopback_port(address.url()) {
        println!(
            "To try it here: python3 -m http.server {port} --bind 127.0.0.1 --directory {}",
            target().join("dist").display()
        );
    }
    println!(
        "\nTo get the command, once on each machine:\n\n{}",
        get_command(address, command)
    );
    Ok(())
}

/// Returns the port of a URL of this machine, the only ones without TLS.
fn loopback_port(url: &str) -> Option<u16> {
    let authority = url.strip_prefix("http://")?.split('/').next()?;
    let port = authority.rsplit_once(':').map(|(_, port)| port.parse());
    Some(port.and_then(Result::ok).unwrap_or(80))
}

/// Returns the shell commands that fetch, check and install a file as the command `gatehouse`.
fn get_command(address: &Address, file: &str) -> String {
    format!(
        "  curl -fLO {}\n  curl -fLO {}\n  sha256sum --check --ignore-missing SHA256SUMS\n  install -D -m 755 {file} ~/.local/bin/gatehouse",
        address.file(file),
        address.file("SHA256SUMS"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_tried_at_the_port_of_its_url() {
        assert_eq!(loopback_port("http://127.0.0.1:8765/0.1.0"), Some(8765));
        assert_eq!(loopback_port("http://[::1]/0.1.0"), Some(80));
        assert_eq!(loopback_port("https://example.com:8765/0.1.0"), None);
    }

    #[test]
    fn a_sealed_release_has_what_projects_and_templates_are_made_of() {
        let made = tempfile::tempdir().unwrap();
        let folder = made.path();
        documents(folder).unwrap();
        for package in build::packages().unwrap() {
            let file = folder.join(format!("{}.wasm", package.replace('-', "_")));
            write(&file, package.as_bytes()).unwrap();
        }
        let packages = ["gatehouse_sdk-", "gatehouse-sdk-", "gatehouse-sdk-"];
        for (start, end) in packages.iter().zip(["-py3-none-any.whl", ".tgz", ".crate"]) {
            write(&folder.join(format!("{start}{VERSION}{end}")), b"sdk").unwrap();
        }
        let address = Address::new(&format!("https://a.test/{VERSION}")).unwrap();
        let release = seal(folder, &address).unwrap();
        for (language, file) in [
            ("rust", "Cargo.toml.tmpl"),
            ("python", "requirements.txt"),
            ("js", "package.json"),
        ] {
            // As `spin templates install --dir` wants it.
            let template = folder.join(format!("templates/gatehouse-{language}"));
            let about = fs::read_to_string(template.join("metadata/spin-template.toml")).unwrap();
            let about: toml::Table = about.parse().unwrap();
            assert_eq!(about["manifest_version"].as_str(), Some("1"));
            assert_eq!(
                about["id"].as_str(),
                Some(&*format!("gatehouse-{language}"))
            );
            let manifest = fs::read_to_string(template.join("content/spin.toml")).unwrap();
            assert!(manifest.contains(&release.digest(SUMS).unwrap()));
            assert!(template.join("content").join(file).is_file());
        }
        // Documents that projects point to, but for those in a folder, have a digest.
        assert!(release.digest("README.md").is_ok() && release.digest("CHANGELOG.md").is_ok());
        assert!(folder.join("docs/deploy.md").is_file());
    }

    #[test]
    fn the_command_is_fetched_and_checked_before_it_is_installed() {
        let address = Address::new("https://a.test/r/1.2.3").unwrap();
        let lines = get_command(&address, "gatehouse-x86_64-unknown-linux-gnu");
        let lines: Vec<&str> = lines.lines().map(str::trim).collect();
        assert_eq!(
            lines[0],
            "curl -fLO https://a.test/r/1.2.3/gatehouse-x86_64-unknown-linux-gnu"
        );
        assert!(lines[2].starts_with("sha256sum --check") && lines[3].starts_with("install "));
    }
}

//! The Wasm of a project: its own components are built, those of Gatehouse come from a release.

use anyhow::{Context, Result, bail};
use host::Sources;
use host::manifest::{Remote, Source};
use project::flavours::{Wasi, Wasm, WasmFiles, portable_beside};
use project::release::{self, Address, Release, SUMS};
use project::shell::run;
use project::{Project, builds, sdk_lock};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// Releases, of which files are kept as the host keeps them.
#[derive(Default)]
pub struct Releases {
    sources: Sources,
}

/// Builds every component of a project, with the commands of this profile.
///
/// # Errors
///
/// At the first component that does not build.
pub fn build_all(project: &Project, profile: Option<&str>) -> Result<()> {
    project::manifest::check(project)?;
    check_sdk(project)?;
    for build in builds::of_manifest(project, &project.manifest()?, profile)? {
        build.run()?;
    }
    Ok(())
}

/// Checks that npm and Cargo fetched the SDK of the project's release, if the project has it from there.
///
/// # Errors
///
/// If they fetched another one.
pub fn check_sdk(project: &Project) -> Result<()> {
    let read = |name: &str| std::fs::read_to_string(project.path(name)).unwrap_or_default();
    let (address, _) = match release::of_manifest(&project.manifest()?) {
        Ok(named) => named,
        Err(_) => return Ok(()),
    };
    let releases = Releases::default();
    let lock = read("package-lock.json");
    if read("package.json").contains(address.url()) && !lock.is_empty() {
        let release = releases.of_project(project)?;
        let package = releases.read(&release, &sdk_lock::npm_file(&release))?;
        sdk_lock::check_npm(&lock, &package)?;
    }
    if read(".cargo/config.toml").contains(address.url()) {
        // Writes Cargo.lock, or changes it to what Cargo.toml wants.
        let mut fetch = Command::new("cargo");
        fetch
            .args(["fetch", "--quiet"])
            .current_dir(project.path(""));
        run(&mut fetch).context("The project's crates cannot be fetched")?;
        sdk_lock::check_cargo(&read("Cargo.lock"), &releases.of_project(project)?)?;
    }
    Ok(())
}

impl Releases {
    /// Fetches the release that a project names, whose [`SUMS`] have the digest that its manifest says.
    ///
    /// # Errors
    ///
    /// If the manifest names none, or it cannot be fetched.
    pub fn of_project(&self, project: &Project) -> Result<Release> {
        let (address, digest) = release::of_manifest(&project.manifest()?)?;
        let remote = Remote::new(&address.file(SUMS), &digest)
            .context("spin.toml, application.tool.gatehouse.release")?;
        let sums = blocking(self.sources.read(&remote))?;
        let sums = String::from_utf8(sums).with_context(|| format!("{SUMS} is no text"))?;
        Release::new(address, &sums)
    }

    /// Fetches the release at this address. No digest says which one that has to be.
    ///
    /// # Errors
    ///
    /// If it cannot be fetched.
    pub fn at(&self, address: Address) -> Result<Release> {
        let url = address.file(SUMS);
        let sums = blocking(host::fetch(&url, MAX_SUMS_BYTES))
            .with_context(|| format!("{} is no release of Gatehouse", address.url()))?;
        let sums = String::from_utf8(sums).with_context(|| format!("{url} is no text"))?;
        Release::new(address, &sums)
    }

    /// Fetches a file of a release.
    ///
    /// # Errors
    ///
    /// If the release has no such file, or it cannot be fetched.
    pub fn read(&self, release: &Release, name: &str) -> Result<Vec<u8>> {
        let remote = Remote::new(&release.address().file(name), &release.digest(name)?)?;
        blocking(self.sources.read(&remote))
    }

    /// Fetches a file of a release, and returns where it is kept.
    fn file(&self, release: &Release, name: &str) -> Result<PathBuf> {
        let remote = Remote::new(&release.address().file(name), &release.digest(name)?)?;
        blocking(self.sources.fetch(&[remote.clone().into()]))?;
        Ok(self.sources.file(&Source::Remote(remote)))
    }
}

/// How many bytes [`SUMS`] may have.
const MAX_SUMS_BYTES: u64 = 1 << 20;

impl WasmFiles for Releases {
    fn prepare(&self, project: &Project, _: &BTreeSet<Wasm>, wasi: Wasi) -> Result<()> {
        match wasi {
            Wasi::Main => build_all(project, None),
            Wasi::Portable { .. } => build_all(project, Some(builds::PORTABLE)),
        }
    }

    fn portable_file(&self, project: &Project, wasm: &Wasm, atomics: bool) -> Result<PathBuf> {
        match wasm {
            Wasm::File(path) => portable_beside(project, path),
            Wasm::Remote { url, .. } => {
                let release = self.of_project(project)?;
                let name = url.strip_prefix(&release.address().file(""));
                let Some(name) = name.and_then(|name| name.strip_suffix(".wasm")) else {
                    bail!(
                        "{url}: of this component there is no form for hosts of WASI 0.2. Put it into a file beside spin.toml, with its portable form beside it"
                    );
                };
                self.file(&release, &format!("{name}.{}.wasm", variant(atomics)))
            }
        }
    }
}

/// The name of the build for WASI 0.2 in a release.
fn variant(atomics: bool) -> &'static str {
    match atomics {
        true => "portable",
        false => "without-atomics",
    }
}

/// Waits for what has to be fetched.
fn blocking<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<T>
where
    E: Into<anyhow::Error>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(future).map_err(Into::into)
}

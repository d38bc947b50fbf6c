//! Building the components.

use crate::shell::{cargo, repository, root, run, step, target};
use crate::toolchain::{WASM, ensure_wasm};
use anyhow::{Context, Result, ensure};
use project::flavours::Wasi;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Value;

/// A build of packages to Wasm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasmBuild {
    /// What it is for.
    pub wasi: Wasi,
    /// How it is compiled.
    pub profile: Profile,
}

/// A profile of Cargo.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Small and fast: what is deployed.
    Shipped,
    /// Built in less time, for tests and for this machine.
    Development,
}

impl Profile {
    /// Its name in Cargo.toml.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipped => "wasm",
            Self::Development => "wasm-dev",
        }
    }
}

impl WasmBuild {
    /// Returns the build that is deployed.
    pub fn shipped(wasi: Wasi) -> Self {
        let profile = Profile::Shipped;
        Self { wasi, profile }
    }

    /// Returns the build that tests and this machine use.
    pub fn development(wasi: Wasi) -> Self {
        let profile = Profile::Development;
        Self { wasi, profile }
    }

    /// Returns the folder that has the Wasm.
    pub fn folder(self) -> PathBuf {
        self.target().join(WASM).join(self.profile.name())
    }

    /// Returns the file of a component of our own that `spin.toml` names by this path; `None` if it is not one.
    pub fn file(self, path: &str) -> Option<PathBuf> {
        Some(self.folder().join(path.strip_prefix(NAMED)?))
    }

    /// The portable builds have a folder of their own for what they are made for. What they share with the others is in one.
    fn target(self) -> PathBuf {
        match self.wasi {
            Wasi::Main => target(),
            Wasi::Portable { .. } => target().join("wasi2"),
        }
    }
}

/// Builds every component as `spin.toml` wants it.
///
/// # Errors
///
/// If the manifest grants what it may not, the target cannot be installed, or a component does not build or is too large.
pub fn components() -> Result<()> {
    project::manifest::check(&repository())?;
    wasm(&packages()?, WasmBuild::shipped(Wasi::Main))
}

/// Builds the components that `spin.toml` names, which are not all that there are.
///
/// # Errors
///
/// As [`components`].
pub fn named_components(profile: Profile) -> Result<()> {
    let project = repository();
    project::manifest::check(&project)?;
    let packages = named_in(&Value::Table(project.manifest()?));
    let wasi = Wasi::Main;
    wasm(&Vec::from_iter(packages), WasmBuild { wasi, profile })
}

/// Where `spin.toml` names the Wasm of our own components.
const NAMED: &str = "target/wasm32-wasip2/wasm/";

/// Returns the package of a component that `spin.toml` names by this path; `None` if it is not one of our own.
pub fn package_of(path: &str) -> Option<String> {
    let name = path.strip_prefix(NAMED)?.strip_suffix(".wasm")?;
    Some(name.replace('_', "-"))
}

/// Returns the packages of our own components that are named anywhere in a manifest.
fn named_in(manifest: &Value) -> BTreeSet<String> {
    match manifest {
        Value::String(text) => package_of(text).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(named_in).collect(),
        Value::Table(table) => table.values().flat_map(named_in).collect(),
        _ => BTreeSet::new(),
    }
}

/// Builds what the black-box tests take: every component, and those that they put in the places of others.
///
/// # Errors
///
/// As [`wasm`].
pub fn to_test(kind: WasmBuild) -> Result<()> {
    let mut packages = packages()?;
    packages.extend(FOR_TESTS.map(str::to_owned));
    wasm(&packages, kind)
}

/// Builds packages to Wasm.
///
/// # Errors
///
/// If the target cannot be installed, a package does not build, or a component that is to be deployed is too large.
pub fn wasm(packages: &[String], kind: WasmBuild) -> Result<()> {
    ensure_wasm()?;
    step("Building the components (the first time takes some minutes)");
    let mut build = cargo();
    build.args(["build", "--profile", kind.profile.name(), "--target", WASM]);
    build.arg("--target-dir").arg(kind.target());
    build.args(["--config", &shared_build_dir()]);
    if let Wasi::Portable { atomics } = kind.wasi {
        for package in WITH_PORTABLE {
            build.args(["--package", package]);
            build.args(["--features", &format!("{package}/portable")]);
        }
        if !atomics {
            build.args(["--features", &format!("{PLATFORM}/without-atomics")]);
        }
    }
    for package in packages {
        build.args(["--package", package]);
    }
    run(&mut build)?;
    match kind == WasmBuild::shipped(Wasi::Main) {
        true => check_sizes(packages, &kind.folder()),
        false => Ok(()),
    }
}

/// What all builds have in common is compiled once, in Cargo's folder of intermediate files.
pub fn shared_build_dir() -> String {
    format!("build.build-dir={:?}", target().display().to_string())
}

/// The crate that has the platform's store.
const PLATFORM: &str = "gatehouse-platform";

/// The crates that have a second inside, for WASI 0.2: their feature `portable`.
const WITH_PORTABLE: [&str; 6] = [
    PLATFORM,
    "gatehouse-identity-export",
    "gatehouse-identity-import",
    "gatehouse-sdk",
    "gatehouse-tools-export",
    "gatehouse-tools-import",
];

/// The size that a component has to stay under, in bytes: a host loads it for every new instance, and some refuse large ones.
fn size_limit(component: &str) -> u64 {
    match component {
        "gatehouse-mcp" => 6_150_000,
        "gatehouse-authorize" => 1_850_000,
        "gatehouse-tools-openapi" => 1_600_000,
        _ => 1_500_000,
    }
}

/// Checks the sizes of the components among these packages, which are built into a folder.
///
/// # Errors
///
/// If one is too large, or not there.
fn check_sizes(packages: &[String], folder: &Path) -> Result<()> {
    for component in packages {
        if !component.starts_with("gatehouse-") {
            continue;
        }
        let file = folder.join(format!("{}.wasm", component.replace('-', "_")));
        let metadata = file.metadata();
        let bytes = metadata.with_context(|| format!("{} is not there", file.display()))?;
        let (bytes, limit) = (bytes.len(), size_limit(component));
        ensure!(
            bytes < limit,
            "{component} has {bytes} bytes and has to stay under {limit}: make it smaller, or change its limit in xtask/src/build.rs"
        );
    }
    Ok(())
}

/// Builds the embedded host and the Descope emulator.
///
/// # Errors
///
/// If one does not build.
pub fn servers() -> Result<()> {
    step("Building the host and the Descope emulator (the first time takes some minutes)");
    // Out of the whole workspace, as this program and the tests are: what is built for one of some packages alone has
    // other features, and so is built once more.
    run(cargo().args(["build", "--workspace"]).args([
        "--bin",
        "gatehouse-host",
        "--bin",
        "descope-emulator",
    ]))
}

/// Returns the packages of the components: one for each folder in `components/`.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn packages() -> Result<Vec<String>> {
    let folder = root().join("components");
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(&folder).context("components/ cannot be read")? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            packages.push(format!("gatehouse-{}", entry.file_name().to_string_lossy()));
        }
    }
    packages.sort();
    Ok(packages)
}

/// The components with logic of their own that is tested natively; the others only join crates to
/// the platform.
pub const NATIVELY_TESTED: [&str; 2] = ["gatehouse-home", "gatehouse-tools"];

/// What else becomes Wasm: for the bench, for the tests of the host, and [`FOR_TESTS`].
pub const GUESTS: [&str; 6] = [
    "bench-bare",
    "bench-empty",
    "conformance-tools",
    "host-test-dependency",
    "host-test-guest",
    "host-test-guest-wasip2",
];

/// The components that the black-box tests put in the places of others.
const FOR_TESTS: [&str; 1] = ["conformance-tools"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_its_components_as_sources_and_as_dependencies() {
        let manifest = r#"
            [component.one]
            source = "target/wasm32-wasip2/wasm/gatehouse_one.wasm"
            [component.one.dependencies]
            "gatehouse:two/two" = { path = "target/wasm32-wasip2/wasm/gatehouse_two.wasm" }
            "gatehouse:other/other" = { path = "other/two.wasm" }
            [component.three]
            source = { url = "https://example.com/gatehouse_three.wasm", digest = "sha256:00" }
        "#;
        let manifest = Value::Table(manifest.parse().unwrap());
        let named = Vec::from_iter(named_in(&manifest));
        assert_eq!(named, ["gatehouse-one", "gatehouse-two"]);
    }

    #[test]
    fn every_component_that_the_manifest_names_has_a_package() {
        let manifest = Value::Table(repository().manifest().unwrap());
        let named = named_in(&manifest);
        let packages = BTreeSet::from_iter(packages().unwrap());
        assert!(named.is_subset(&packages), "{named:?} {packages:?}");
        assert!(named.contains("gatehouse-mcp") && named.contains("gatehouse-tools"));
        assert!(!named.contains("gatehouse-identity-oidc"));
    }

    #[test]
    fn a_component_that_is_too_large_or_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: u64| {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_len(bytes).unwrap();
        };
        let packages = ["gatehouse-mcp", "gatehouse-home", "bench-bare"].map(str::to_owned);
        let error = || {
            check_sizes(&packages, folder.path())
                .unwrap_err()
                .to_string()
        };
        write("gatehouse_mcp.wasm", 6_149_999);
        write("bench_bare.wasm", 9_000_000);
        assert!(error().contains("gatehouse_home.wasm is not there"));
        write("gatehouse_home.wasm", 1_499_999);
        check_sizes(&packages, folder.path()).unwrap();
        write("gatehouse_home.wasm", 1_500_000);
        assert!(error().starts_with("gatehouse-home has 1500000 bytes"));
        write("gatehouse_home.wasm", 1_499_999);
        write("gatehouse_mcp.wasm", 6_150_000);
        assert!(error().starts_with("gatehouse-mcp has 6150000 bytes"));
    }
}

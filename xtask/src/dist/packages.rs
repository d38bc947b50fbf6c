//! The packages of the SDKs: a wheel, a tarball of npm, and crates.

use super::files::{check_built, copy};
use crate::install::{executable, npm, python_venv};
use crate::shell::{cargo, exists, program, root, run, step, target};
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// The crates of the SDK for Rust.
pub(super) const CRATES: [&str; 2] = ["gatehouse-sdk", "gatehouse-sdk-macros"];

/// The time that packages say they were made at, so that they are the same whenever they are (reproducible-builds.org,
/// `SOURCE_DATE_EPOCH`). Zip files begin in 1980.
const MADE_AT: &str = "315532800";

/// Checks that every SDK has the version of the workspace.
///
/// # Errors
///
/// Names the file that has another one.
pub(super) fn check_versions(version: &str) -> Result<()> {
    for (file, line) in [
        (
            "sdk/python/pyproject.toml",
            format!("version = \"{version}\""),
        ),
        (
            "sdk/js/package.json",
            format!("\"version\": \"{version}\","),
        ),
    ] {
        let text = std::fs::read_to_string(root().join(file))
            .with_context(|| format!("{file} cannot be read"))?;
        ensure!(
            text.lines().any(|found| found.trim() == line),
            "{file} has another version than the workspace, which has {version}"
        );
    }
    Ok(())
}

/// Builds the packages into a folder.
///
/// # Errors
///
/// If Python or Node.js is missing, or one does not build.
pub(super) fn write(folder: &Path, version: &str) -> Result<()> {
    if !exists("npm") {
        bail!("The SDK for JavaScript needs Node.js 20 or later with npm. Install them");
    }
    step("Packing the SDKs");
    let python = python_venv(&target().join("dist-venv"))?.join(executable("python"));
    run(program(python)
        .args([
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ])
        .arg("--wheel-dir")
        .arg(folder)
        .arg(root().join("sdk/python"))
        .env("SOURCE_DATE_EPOCH", MADE_AT))?;
    check_built(folder, "gatehouse_sdk-", "-py3-none-any.whl")?;
    run(npm("npm", &root().join("sdk/js"))
        .args(["pack", "--silent", "--pack-destination"])
        .arg(folder))?;
    check_built(folder, "gatehouse-sdk-", ".tgz")?;
    write_crates(folder, version)
}

/// Packs the crates into a folder.
///
/// # Errors
///
/// If one cannot be packed.
pub(super) fn write_crates(folder: &Path, version: &str) -> Result<()> {
    let mut package = cargo();
    // The workspace's own tests have compiled them.
    package.args(["package", "--quiet", "--no-verify", "--allow-dirty"]);
    for name in CRATES {
        package.args(["--package", name]);
    }
    run(&mut package)?;
    for name in CRATES {
        let file = format!("{name}-{version}.crate");
        copy(&target().join("package").join(&file), &folder.join(file))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_have_the_version_of_the_workspace() {
        check_versions(env!("CARGO_PKG_VERSION")).unwrap();
        let error = check_versions("0.0.0").unwrap_err().to_string();
        assert!(error.contains("sdk/python/pyproject.toml"), "{error}");
    }
}

//! The SDK in the lock files of npm and Cargo, held against the digests of a release: neither `package.json` nor the index
//! of a registry is among the files that have one.

use crate::release::Release;
use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha512};

/// Returns the name of the file of a release with the SDK for JavaScript.
pub fn npm_file(release: &Release) -> String {
    format!("gatehouse-sdk-{}.tgz", release.address().version())
}

/// Checks the SDK in `package-lock.json` (of version 2 or later) against the content of [`npm_file`].
///
/// # Errors
///
/// If the file has another SDK, or none.
pub fn check_npm(lock: &str, package: &[u8]) -> Result<()> {
    let lock: Value = serde_json::from_str(lock).context("package-lock.json is no JSON")?;
    let found = lock["packages"]["node_modules/gatehouse-sdk"]["integrity"].as_str();
    // As npm writes it (Subresource Integrity).
    let expected = format!("sha512-{}", STANDARD.encode(Sha512::digest(package)));
    ensure!(
        found == Some(&*expected),
        "package-lock.json has another gatehouse-sdk than the release that spin.toml names. After an upgrade, `npm install` changes that; otherwise remove package-lock.json and node_modules, and find out who changed the package"
    );
    Ok(())
}

/// Checks the crates of a release in `Cargo.lock` against its digests. Those of other sources are not looked at.
///
/// # Errors
///
/// If one is another than the release's.
pub fn check_cargo(lock: &str, release: &Release) -> Result<()> {
    let lock: toml::Table = lock.parse().context("Cargo.lock is not valid TOML")?;
    let source = format!("sparse+{}", release.address().file("index/"));
    let packages = lock.get("package").and_then(toml::Value::as_array);
    for package in packages.into_iter().flatten() {
        let text = |name: &str| package.get(name).and_then(toml::Value::as_str);
        if text("source") != Some(&source) {
            continue;
        }
        let (Some(name), Some(version)) = (text("name"), text("version")) else {
            bail!("Cargo.lock has a package without a name or version");
        };
        let expected = release.digest(&format!("{name}-{version}.crate"))?;
        ensure!(
            text("checksum").is_some_and(|found| expected == format!("sha256:{found}")),
            "Cargo.lock has another {name} than the release that spin.toml names. Find out who changed it, and then remove Cargo.lock"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Address, hex, sums};

    #[test]
    fn an_sdk_that_is_another_than_the_releases_is_refused() {
        let address = Address::new("https://a.test/r/1.2.3").unwrap();
        let sums = sums([("gatehouse-sdk-1.2.3.crate", &b"crate"[..])]);
        let release = Release::new(address, &sums).unwrap();
        let cargo = |name: &str, checksum: &str| {
            let lock = format!(
                "version = 4\n[[package]]\nname = 'mine'\nversion = '0.1.0'\n[[package]]\nname = '{name}'\n\
                 version = '1.2.3'\nsource = 'sparse+https://a.test/r/1.2.3/index/'\nchecksum = '{checksum}'"
            );
            check_cargo(&lock, &release)
        };
        cargo("gatehouse-sdk", &hex(b"crate")).unwrap();
        let error = cargo("gatehouse-sdk", &hex(b"other")).unwrap_err();
        assert!(error.to_string().contains("gatehouse-sdk"), "{error}");
        assert!(cargo("gatehouse-more", &hex(b"crate")).is_err());

        let npm = |package: &str, content: &[u8]| {
            let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(content)));
            let lock = serde_json::json!({ "packages": { package: { "integrity": integrity } } });
            check_npm(&lock.to_string(), b"package")
        };
        npm("node_modules/gatehouse-sdk", b"package").unwrap();
        for (name, content) in [
            ("node_modules/gatehouse-sdk", &b"other"[..]),
            ("node_modules/zod", b"package"),
        ] {
            assert!(npm(name, content).is_err(), "{name}");
        }
    }
}

//! A registry of Cargo with the SDK (the sparse protocol, doc.rust-lang.org/cargo/reference/registry-index.html): files
//! alone, until the SDK is on crates.io.

use super::files::{metadata, write as write_file};
use super::packages::CRATES;
use anyhow::{Context, Result};
use project::release::{self, Address};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// How an index names crates.io, in any other registry.
const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";

/// Writes the index of the crates in a folder.
///
/// # Errors
///
/// If a crate is not there, or Cargo does not say what it needs.
pub(super) fn write(folder: &Path, address: &Address) -> Result<()> {
    let metadata: Value = serde_json::from_str(&metadata(&["--no-deps"])?)?;
    let config = json!({ "dl": format!("{}/{{crate}}-{{version}}.crate", address.url()) });
    write_file(
        &folder.join("index/config.json"),
        config.to_string().as_bytes(),
    )?;
    for name in CRATES {
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let package = packages.into_iter().find(|package| package["name"] == name);
        let package = package.with_context(|| format!("there is no crate {name}"))?;
        let version = package["version"].as_str().unwrap_or_default();
        let file = folder.join(format!("{name}-{version}.crate"));
        let content =
            fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let line = entry(package, &release::hex(&content)).to_string() + "\n";
        write_file(&folder.join("index").join(path(name)), line.as_bytes())?;
    }
    Ok(())
}

/// Where an index has a crate whose name has four characters or more.
fn path(name: &str) -> String {
    format!("{}/{}/{name}", &name[..2], &name[2..4])
}

/// Returns the line of a version.
fn entry(package: &Value, digest: &str) -> Value {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let dependencies = dependencies.filter(|dependency| dependency["kind"] != "dev");
    let dependencies = dependencies.map(|dependency| {
        let is_ours = CRATES.iter().any(|name| dependency["name"] == *name);
        json!({
            "name": dependency["rename"].as_str().or(dependency["name"].as_str()),
            "package": dependency["rename"].as_str().and(dependency["name"].as_str()),
            "req": dependency["req"],
            "features": dependency["features"],
            "optional": dependency["optional"],
            "default_features": dependency["uses_default_features"],
            "target": dependency["target"],
            "kind": dependency["kind"].as_str().unwrap_or("normal"),
            // Absent: the same registry.
            "registry": (!is_ours).then_some(CRATES_IO),
        })
    });
    json!({
        "name": package["name"],
        "vers": package["version"],
        "deps": dependencies.collect::<Vec<_>>(),
        "cksum": digest,
        "features": {},
        "features2": package["features"],
        "yanked": false,
        "links": package["links"],
        "rust_version": package["rust_version"],
        "v": 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_what_a_crate_needs_and_from_which_registry() {
        let package = json!({
            "name": "gatehouse-sdk", "version": "1.2.3", "features": { "a": ["b/c"] }, "links": null, "rust_version": "1.95",
            "dependencies": [
                { "name": "gatehouse-sdk-macros", "req": "^1.2.3", "kind": null, "rename": null, "optional": false,
                  "uses_default_features": true, "features": [], "target": null },
                { "name": "serde", "req": "^1.0", "kind": null, "rename": "serde1", "optional": true,
                  "uses_default_features": false, "features": ["derive"], "target": "cfg(unix)" },
                { "name": "futures", "req": "^0.3", "kind": "dev" },
                { "name": "cc", "req": "^1", "kind": "build", "rename": null },
            ],
        });
        let entry = entry(&package, "00");
        assert_eq!(path("gatehouse-sdk"), "ga/te/gatehouse-sdk");
        assert_eq!(entry["cksum"], "00");
        assert_eq!(entry["features2"], json!({ "a": ["b/c"] }));
        let [macros, serde, cc] = &entry["deps"].as_array().unwrap()[..] else {
            panic!("three dependencies, and no dev-dependency: {entry}");
        };
        assert_eq!(macros["registry"], Value::Null);
        assert_eq!(macros["kind"], "normal");
        assert_eq!(serde["registry"], CRATES_IO);
        assert_eq!(
            (&serde["name"], &serde["package"]),
            (&json!("serde1"), &json!("serde"))
        );
        assert_eq!(
            (&serde["target"], &serde["default_features"]),
            (&json!("cfg(unix)"), &json!(false))
        );
        assert_eq!(cc["kind"], "build");
    }

    #[test]
    fn the_crates_of_the_sdk_need_no_other_crate_of_the_workspace() {
        let read: Value = serde_json::from_str(&metadata(&["--no-deps"]).unwrap()).unwrap();
        for name in CRATES {
            let packages = read["packages"].as_array().unwrap().iter();
            let package = packages
                .clone()
                .find(|package| package["name"] == name)
                .unwrap();
            for dependency in entry(package, "")["deps"].as_array().unwrap() {
                let is_local = packages
                    .clone()
                    .any(|package| package["name"] == dependency["name"]);
                assert_eq!(is_local, dependency["registry"].is_null(), "{dependency}");
            }
        }
    }
}

//! The SDK for JavaScript and what npm fetches with it, from the lock file of the SDK.

use super::component::{Component, Hash};
use crate::shell::root;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Returns the SDK, and what it runs with; not what its tests need.
///
/// # Errors
///
/// If the lock file is not as npm writes it since version 7, or lacks a package.
pub(super) fn components() -> Result<Vec<Component>> {
    let path = root().join("sdk/js/package-lock.json");
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    components_of(&serde_json::from_str(&text)?)
}

/// Returns the package URL of a package of npm, in which a scope is a namespace.
pub(super) fn purl(name: &str, version: &str) -> String {
    let version = version.replace('+', "%2B");
    format!("pkg:npm/{}@{version}", name.replace('@', "%40"))
}

fn components_of(lock: &Value) -> Result<Vec<Component>> {
    let packages = lock["packages"].as_object();
    let packages = packages.context("package-lock.json has no packages")?;
    let mut found = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(path) = waiting.pop() {
        if found.contains_key(&path) {
            continue;
        }
        let mut component = component(packages, &path)?;
        for needed in needed(packages, &path)? {
            component
                .needs
                .insert(self::component(packages, &needed)?.purl);
            waiting.push(needed);
        }
        found.insert(path, component);
    }
    // What is installed at two places is one package.
    let found = found
        .into_values()
        .map(|component| (component.purl.clone(), component));
    Ok(found.collect::<BTreeMap<_, _>>().into_values().collect())
}

/// Returns the paths of what the package at a path needs at run time. What is optional may be missing.
fn needed(packages: &Map<String, Value>, path: &str) -> Result<BTreeSet<String>> {
    let mut needed = BTreeSet::new();
    for (kind, is_optional) in [
        ("dependencies", false),
        ("optionalDependencies", true),
        ("peerDependencies", true),
    ] {
        let names = packages[path][kind].as_object().into_iter();
        for name in names.flat_map(Map::keys) {
            match resolve(packages, path, name) {
                Some(found) => {
                    needed.insert(found);
                }
                None if is_optional => {}
                None => anyhow::bail!("package-lock.json lacks {name}, which {path:?} needs"),
            }
        }
    }
    Ok(needed)
}

/// Returns the path of what a package finds under this name: in its own folder, or in one further up (Node.js, "Loading from
/// node_modules folders").
fn resolve(packages: &Map<String, Value>, from: &str, name: &str) -> Option<String> {
    let mut folder = from;
    loop {
        let separator = if folder.is_empty() { "" } else { "/" };
        let path = format!("{folder}{separator}{MODULES}{name}");
        if packages.contains_key(&path) {
            return Some(path);
        }
        let above = folder.rfind(MODULES)?;
        folder = folder[..above].trim_end_matches('/');
    }
}

fn component(packages: &Map<String, Value>, path: &str) -> Result<Component> {
    let package = &packages[path];
    let text = |name: &str| package[name].as_str();
    // The name is there where it is another than that of the folder.
    let name = text("name").or_else(|| path.rsplit(MODULES).next());
    let name = name.unwrap_or_default();
    let version = text("version").with_context(|| format!("{name} has no version"))?;
    Ok(Component {
        name: name.to_owned(),
        version: version.to_owned(),
        purl: purl(name, version),
        license: text("license").map(str::to_owned),
        hash: text("integrity").map(hash).transpose()?,
        is_optional: package["optional"] == true,
        needs: BTreeSet::new(),
    })
}

/// Reads the digest of an `integrity` (Subresource Integrity).
fn hash(integrity: &str) -> Result<Hash> {
    let mut hashes = integrity.split_whitespace();
    let digest = hashes.find_map(|hash| hash.strip_prefix("sha512-"));
    let digest = digest.with_context(|| format!("{integrity} is no digest of SHA-512"))?;
    let digest = STANDARD.decode(digest).context("integrity is no base64")?;
    let mut hex = String::new();
    for byte in digest {
        write!(hex, "{byte:02x}")?;
    }
    Ok(Hash {
        algorithm: "SHA-512",
        hex,
    })
}

const MODULES: &str = "node_modules/";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_npm_fetches_with_the_sdk_is_listed_and_no_more() {
        let package = |version: &str, more: Value| {
            let mut package =
                json!({ "version": version, "license": "MIT", "integrity": "sha512-AAH/" });
            for (name, value) in more.as_object().unwrap() {
                package[name] = value.clone();
            }
            package
        };
        let lock = json!({ "packages": {
            "": { "name": "gatehouse-sdk", "version": "1.2.3", "license": "Apache-2.0", "dependencies": { "a": "1" },
                  "devDependencies": { "tests": "1" } },
            "node_modules/a": package("1.0.0", json!({ "dependencies": { "b": "2" }, "optionalDependencies": { "@s/c": "1", "no": "1" } })),
            "node_modules/b": package("1.0.0", json!({})),
            "node_modules/a/node_modules/b": package("2.0.0+x", json!({ "dependencies": { "d": "1" } })),
            "node_modules/@s/c": package("1.0.0", json!({ "optional": true, "peerDependencies": { "a": "1" } })),
            "node_modules/d": package("1.0.0", json!({})),
            "node_modules/tests": package("1.0.0", json!({ "dev": true })),
        } });
        let components = components_of(&lock).unwrap();
        let purls: Vec<&str> = components.iter().map(|one| &*one.purl).collect();
        assert_eq!(
            purls,
            [
                "pkg:npm/%40s/c@1.0.0",
                "pkg:npm/a@1.0.0",
                "pkg:npm/b@2.0.0%2Bx",
                "pkg:npm/d@1.0.0",
                "pkg:npm/gatehouse-sdk@1.2.3",
            ]
        );
        let [c, a, b, _, sdk] = &components[..] else {
            panic!("five: {purls:?}");
        };
        assert!(c.is_optional && !a.is_optional);
        assert_eq!(a.needs, BTreeSet::from([c.purl.clone(), b.purl.clone()]));
        assert_eq!(sdk.needs, BTreeSet::from([a.purl.clone()]));
        assert_eq!(
            (&sdk.hash, sdk.license.as_deref()),
            (&None, Some("Apache-2.0"))
        );
        let hash = a.hash.as_ref().unwrap();
        assert_eq!((hash.algorithm, &*hash.hex), ("SHA-512", "0001ff"));

        let mut missing = lock.clone();
        let packages = missing["packages"].as_object_mut().unwrap();
        packages.remove("node_modules/d");
        let error = components_of(&missing).unwrap_err().to_string();
        assert!(error.contains("lacks d"), "{error}");
    }
}

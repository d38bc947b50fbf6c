//! The bill of materials (CycloneDX 1.6, JSON): the files of a release, what they are made of, and what npm and pip fetch
//! with its SDKs. Each is from the records of its own packager.

use super::component::{Component, Hash};
use super::files::{PROGRAMS, VERSION};
use super::{cargo_packages, npm_packages, python_packages};
use anyhow::{Result, ensure};
use project::release;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Returns the document for the files that are in a folder. It is the same for the same files and lock files: it has no date
/// and no serial number.
///
/// # Errors
///
/// If a file, a lock file or the workspace cannot be read.
pub(super) fn text(folder: &Path) -> Result<String> {
    let mut files = BTreeMap::new();
    for path in release::files(folder)? {
        let digest = release::hex(&std::fs::read(folder.join(&path))?);
        files.insert(path, digest);
    }
    let mut components = cargo_packages::components(&cargo_packages::workspace()?)?;
    components.extend(brought()?);
    Ok(serde_json::to_string_pretty(&document(&components, &files)?)? + "\n")
}

/// Returns the SDKs for JavaScript and Python, and what npm and pip fetch with them.
///
/// # Errors
///
/// If their own records cannot be read.
pub(super) fn brought() -> Result<Vec<Component>> {
    let mut components = npm_packages::components()?;
    components.extend(python_packages::components()?);
    Ok(components)
}

/// Returns the document of these packages, and of files with their digests.
fn document(components: &[Component], files: &BTreeMap<String, String>) -> Result<Value> {
    let known: BTreeSet<&str> = components.iter().map(|one| &*one.purl).collect();
    let mut listed: Vec<Value> = components.iter().map(Component::json).collect();
    let mut dependencies: Vec<Value> = components
        .iter()
        .map(|one| json!({ "ref": one.purl, "dependsOn": one.needs }))
        .collect();
    for (path, digest) in files {
        let hash = Hash {
            algorithm: "SHA-256",
            hex: digest.clone(),
        };
        listed.push(json!({
            "type": "file",
            "bom-ref": file_ref(path),
            "name": path,
            "hashes": [hash.json()],
        }));
        if let Some(package) = package_of(path) {
            ensure!(
                known.contains(&*package),
                "{path} is of {package}, which is not among what the release is made of"
            );
            dependencies.push(json!({ "ref": file_ref(path), "dependsOn": [package] }));
        }
    }
    let all: Vec<String> = files.keys().map(|path| file_ref(path)).collect();
    dependencies.push(json!({ "ref": "gatehouse", "dependsOn": all }));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "gatehouse",
                "name": "gatehouse",
                "version": VERSION,
            },
        },
        "components": listed,
        "dependencies": dependencies,
    }))
}

/// The reference of a file inside of the document.
fn file_ref(path: &str) -> String {
    format!("file:{path}")
}

/// Returns the package that a file of a release is built from, if it is built.
fn package_of(path: &str) -> Option<String> {
    let (stem, extension) = path.split_once('.').unwrap_or((path, ""));
    if path.contains('/') {
        return None;
    }
    if extension.ends_with("wasm") {
        return Some(cargo_packages::purl(&stem.replace('_', "-"), VERSION));
    }
    if let Some(name) = path.strip_suffix(&format!("-{VERSION}.crate")) {
        return Some(cargo_packages::purl(name, VERSION));
    }
    if let Some(name) = path.strip_suffix(&format!("-{VERSION}.tgz")) {
        return Some(npm_packages::purl(name, VERSION));
    }
    if let Some(name) = path.strip_suffix(&format!("-{VERSION}-py3-none-any.whl")) {
        return Some(python_packages::purl(name, VERSION));
    }
    let programs = PROGRAMS
        .iter()
        .filter(|program| path.starts_with(&format!("{}-", program.name)));
    // One name begins with the other.
    let program = programs.max_by_key(|program| program.name.len())?;
    Some(cargo_packages::purl(program.package, VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
        value[name].as_array().into_iter().flatten()
    }

    /// The bill of a release with these files, which are empty.
    fn bill(files: &[&str]) -> Result<Value> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            super::super::files::write(&folder.path().join(file), b"").unwrap();
        }
        Ok(serde_json::from_str(&text(folder.path())?)?)
    }

    fn find<'a>(bill: &'a Value, reference: &str) -> &'a Value {
        let found = list(bill, "components").find(|one| one["bom-ref"] == reference);
        found.unwrap_or_else(|| panic!("no {reference}"))
    }

    #[test]
    fn every_package_has_a_licence_and_every_reference_is_listed() {
        let bill = bill(&["README.md"]).unwrap();
        let mut references = BTreeSet::from(["gatehouse"]);
        for component in list(&bill, "components") {
            assert!(
                component["licenses"].is_array() || component["type"] == "file",
                "{component}"
            );
            let reference = component["bom-ref"].as_str().unwrap();
            assert!(references.insert(reference), "{reference} is there twice");
        }
        for kind in ["pkg:cargo/", "pkg:npm/", "pkg:pypi/", "file:"] {
            let mut found = references.iter();
            assert!(found.any(|name| name.starts_with(kind)), "{kind}");
        }
        for dependency in list(&bill, "dependencies") {
            for name in list(dependency, "dependsOn").chain([&dependency["ref"]]) {
                assert!(references.contains(name.as_str().unwrap()), "{name}");
            }
        }
    }

    #[test]
    fn what_the_sdks_bring_is_listed_with_the_digests_of_lock_files() {
        let bill = bill(&[]).unwrap();
        let needs = |reference: &str| {
            let found = list(&bill, "dependencies").find(|one| one["ref"] == reference);
            found.unwrap()["dependsOn"].clone()
        };
        let sdk = needs(&npm_packages::purl("gatehouse-sdk", VERSION));
        let tools = ["componentize-qjs", "esbuild"];
        assert_eq!(sdk.as_array().unwrap().len(), tools.len());
        for (tool, reference) in tools.iter().zip(list(&json!({ "needs": sdk }), "needs")) {
            let component = find(&bill, reference.as_str().unwrap());
            assert_eq!(component["name"], *tool);
            assert_eq!(component["hashes"][0]["alg"], "SHA-512");
            let digest = component["hashes"][0]["content"].as_str().unwrap();
            assert_eq!(digest.len(), 128);
        }
        let sdk = needs(&python_packages::purl("gatehouse-sdk", VERSION));
        let tool = find(&bill, sdk[0].as_str().unwrap());
        assert_eq!(tool["name"], "componentize-py");
        let mut names = list(&bill, "components").map(|one| &one["name"]);
        assert!(!names.any(|name| name == "typescript"));
    }

    #[test]
    fn a_file_has_its_digest_and_the_package_it_is_built_from() {
        let built = [
            ("gatehouse_mcp.wasm", "pkg:cargo/gatehouse-mcp@"),
            ("gatehouse_mcp.portable.wasm", "pkg:cargo/gatehouse-mcp@"),
            (
                "gatehouse-x86_64-unknown-linux-gnu",
                "pkg:cargo/gatehouse-cli@",
            ),
            (
                "gatehouse-host-x86_64-pc-windows-msvc.exe",
                "pkg:cargo/gatehouse-host@",
            ),
            (
                &format!("gatehouse-sdk-{VERSION}.crate"),
                "pkg:cargo/gatehouse-sdk@",
            ),
            (
                &format!("gatehouse-sdk-macros-{VERSION}.crate"),
                "pkg:cargo/gatehouse-sdk-macros@",
            ),
            (
                &format!("gatehouse-sdk-{VERSION}.tgz"),
                "pkg:npm/gatehouse-sdk@",
            ),
            (
                &format!("gatehouse_sdk-{VERSION}-py3-none-any.whl"),
                "pkg:pypi/gatehouse-sdk@",
            ),
        ];
        let copied = ["docs/a.md", "gatehouse.toml", "release.sha256"];
        let files: Vec<&str> = built.iter().map(|(file, _)| *file).chain(copied).collect();
        let bill = bill(&files).unwrap();
        let dependencies: BTreeMap<&str, &Value> = list(&bill, "dependencies")
            .map(|one| (one["ref"].as_str().unwrap(), &one["dependsOn"]))
            .collect();
        for file in &files {
            let component = find(&bill, &file_ref(file));
            assert_eq!(component["hashes"][0]["alg"], "SHA-256");
            assert_eq!(component["hashes"][0]["content"], release::hex(b""));
            let mut all = dependencies["gatehouse"].as_array().unwrap().iter();
            assert!(all.any(|name| *name == file_ref(file)));
        }
        for (file, package) in built {
            let needs = &dependencies[&*file_ref(file)];
            assert_eq!(needs[0], format!("{package}{VERSION}"), "{file}");
        }
        for file in copied {
            assert!(!dependencies.contains_key(&*file_ref(file)), "{file}");
        }
    }

    #[test]
    fn wasm_of_no_package_is_named() {
        let error = bill(&["gatehouse_other.wasm"]).unwrap_err().to_string();
        assert!(error.starts_with("gatehouse_other.wasm"), "{error}");
    }
}

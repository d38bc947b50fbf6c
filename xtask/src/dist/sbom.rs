//! The bill of materials: what the components and the commands are made of (CycloneDX 1.6, JSON), from Cargo's own records.
//! What builds tools in JavaScript and Python (componentize-qjs, componentize-py) is a project's own matter, and not in it:
//! npm and pip fetch it, and `npm sbom` or `pip inspect` list it.

use super::files::{PROGRAMS, VERSION, metadata};
use crate::build;
use crate::shell::root;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the document. It is the same for the same `Cargo.lock`: it has no date and no serial number.
///
/// # Errors
///
/// If Cargo cannot read the workspace.
pub(super) fn text() -> Result<String> {
    let metadata: Value = serde_json::from_str(&metadata(&[])?)?;
    let lock: toml::Table = std::fs::read_to_string(root().join("Cargo.lock"))?.parse()?;
    let document = document(&metadata, &lock, &shipped()?)?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Returns the packages of the workspace that are shipped.
///
/// # Errors
///
/// If the components cannot be listed.
pub(super) fn shipped() -> Result<Vec<String>> {
    let mut shipped = build::packages()?;
    shipped.extend(PROGRAMS.map(|program| program.package.to_owned()));
    Ok(shipped)
}

/// Returns these packages and all that they are built from or with, by name and version.
///
/// # Errors
///
/// If a package is needed that is not listed.
pub(super) fn packages<'a>(metadata: &'a Value, shipped: &[String]) -> Result<Vec<&'a Value>> {
    let by_id = by_id(metadata);
    let needs = needs(metadata);
    let mut waiting: Vec<&str> = by_id
        .iter()
        .filter(|(_, package)| shipped.iter().any(|name| package["name"] == **name))
        .map(|(id, _)| *id)
        .collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if reached.insert(id) {
            waiting.extend(needs.get(id).into_iter().flatten());
        }
    }
    let mut found: Vec<&Value> = reached
        .iter()
        .map(|id| by_id.get(id).copied())
        .collect::<Option<_>>()
        .context("cargo metadata names a package that it does not list")?;
    found.sort_by_key(|package| (text_of(package, "name"), text_of(package, "version")));
    Ok(found)
}

/// Returns the document for what is shipped: packages of the workspace, and what they are built from.
fn document(metadata: &Value, lock: &toml::Table, shipped: &[String]) -> Result<Value> {
    let by_id = by_id(metadata);
    let needs = needs(metadata);
    let digests = digests(lock);
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for package in packages(metadata, shipped)? {
        components.push(component(package, &digests));
        let uses = needs.get(text_of(package, "id")).into_iter().flatten();
        let uses: BTreeSet<String> = uses
            .filter_map(|id| by_id.get(id))
            .map(|used| purl(used))
            .collect();
        dependencies.push(json!({ "ref": purl(package), "dependsOn": uses }));
    }
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
        "components": components,
        "dependencies": dependencies,
    }))
}

fn by_id(metadata: &Value) -> BTreeMap<&str, &Value> {
    let packages = list(metadata, "packages");
    packages
        .map(|package| (text_of(package, "id"), package))
        .collect()
}

fn needs(metadata: &Value) -> BTreeMap<&str, Vec<&str>> {
    let nodes = list(&metadata["resolve"], "nodes");
    nodes
        .map(|node| (text_of(node, "id"), needed(node)))
        .collect()
}

/// What a package is built from or with, as Cargo resolved it; not what its tests need.
fn needed(node: &Value) -> Vec<&str> {
    let dependencies = list(node, "deps").filter(|dependency| {
        let mut kinds = list(dependency, "dep_kinds");
        kinds.any(|kind| kind["kind"] != "dev")
    });
    dependencies
        .map(|dependency| text_of(dependency, "pkg"))
        .collect()
}

fn component(package: &Value, digests: &BTreeMap<(&str, &str), &str>) -> Value {
    let (name, version) = (text_of(package, "name"), text_of(package, "version"));
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": name,
        "version": version,
        "purl": purl(package),
    });
    if let Some(license) = package["license"].as_str() {
        // Cargo once took a slash for OR.
        let expression = license.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(digest) = digests.get(&(name, version)) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest }]);
    }
    component
}

/// The package URL (github.com/package-url), which is also the reference inside of the document.
fn purl(package: &Value) -> String {
    let version = text_of(package, "version").replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", text_of(package, "name"))
}

/// The digests of what comes from a registry, by name and version.
fn digests(lock: &toml::Table) -> BTreeMap<(&str, &str), &str> {
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let digests = packages.into_iter().flatten().filter_map(|package| {
        let text = |name: &str| package.get(name)?.as_str();
        Some(((text("name")?, text("version")?), text("checksum")?))
    });
    digests.collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_listed_with_all_that_it_is_built_from_and_not_with_what_tests_need() {
        let package = |name: &str, license: Value| json!({ "id": name, "name": name, "version": "1.0.0+x", "license": license });
        let dependency =
            |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("ours", json!("Apache-2.0")),
                package("used", json!("MIT/Apache-2.0")),
                package("builds", Value::Null),
                package("tests", json!("MIT")),
                package("other", json!("MIT")),
            ],
            "resolve": { "nodes": [
                { "id": "ours", "deps": [dependency("used", Value::Null), dependency("tests", json!("dev"))] },
                { "id": "used", "deps": [dependency("builds", json!("build"))] },
                { "id": "builds", "deps": [] },
                { "id": "other", "deps": [dependency("tests", Value::Null)] },
            ] },
        });
        let lock = "[[package]]\nname = 'used'\nversion = '1.0.0+x'\nchecksum = 'ab'"
            .parse()
            .unwrap();
        let document = document(&metadata, &lock, &["ours".to_owned()]).unwrap();
        let names: Vec<&str> = list(&document, "components")
            .map(|one| text_of(one, "name"))
            .collect();
        assert_eq!(names, ["builds", "ours", "used"]);
        let used = &document["components"][2];
        assert_eq!(used["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(used["hashes"][0]["content"], "ab");
        assert_eq!(used["purl"], "pkg:cargo/used@1.0.0%2Bx");
        assert_eq!(
            document["dependencies"][1],
            json!({ "ref": "pkg:cargo/ours@1.0.0%2Bx", "dependsOn": ["pkg:cargo/used@1.0.0%2Bx"] })
        );
    }

    #[test]
    fn the_bill_of_the_workspace_has_a_licence_for_everything() {
        let document: Value = serde_json::from_str(&text().unwrap()).unwrap();
        let components: Vec<&Value> = list(&document, "components").collect();
        assert!(components.len() > 200);
        for component in components {
            assert!(component["licenses"].is_array(), "{component}");
        }
    }
}

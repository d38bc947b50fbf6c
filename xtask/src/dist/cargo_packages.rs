//! The crates that the components and the commands are made of, from Cargo's own records.

use super::component::{Component, Hash};
use super::files::{PROGRAMS, metadata};
use super::packages::CRATES;
use crate::build;
use crate::shell::root;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Returns what Cargo says of the workspace, with all that it depends on.
///
/// # Errors
///
/// If Cargo cannot read it.
pub(super) fn workspace() -> Result<Value> {
    Ok(serde_json::from_str(&metadata(&[])?)?)
}

/// Returns what is shipped of the workspace, and all that it is built from or with, by name and version.
///
/// # Errors
///
/// If the components or the lock file cannot be read.
pub(super) fn components(workspace: &Value) -> Result<Vec<Component>> {
    let lock: toml::Table = std::fs::read_to_string(root().join("Cargo.lock"))?.parse()?;
    components_of(workspace, &lock, &shipped()?)
}

/// Returns the packages of the workspace that are shipped, and all that they are built from or with, by name and version.
///
/// # Errors
///
/// If the components cannot be listed.
pub(super) fn packages(workspace: &Value) -> Result<Vec<&Value>> {
    packages_of(workspace, &shipped()?)
}

/// Returns the package URL of a crate.
pub(super) fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// Returns the packages of the workspace that are shipped.
fn shipped() -> Result<Vec<String>> {
    let mut shipped = build::packages()?;
    shipped.extend(PROGRAMS.map(|program| program.package.to_owned()));
    shipped.extend(CRATES.map(str::to_owned));
    Ok(shipped)
}

fn components_of(
    workspace: &Value,
    lock: &toml::Table,
    shipped: &[String],
) -> Result<Vec<Component>> {
    let by_id = by_id(workspace);
    let needs = needs(workspace);
    let digests = digests(lock);
    let packages = packages_of(workspace, shipped)?.into_iter();
    let components = packages.map(|package| {
        let uses = needs.get(text_of(package, "id")).into_iter().flatten();
        let uses = uses.filter_map(|id| by_id.get(id));
        Component {
            needs: uses.map(|used| purl_of(used)).collect(),
            ..component(package, &digests)
        }
    });
    Ok(components.collect())
}

/// Returns these packages and all that they are built from or with, by name and version.
fn packages_of<'a>(workspace: &'a Value, shipped: &[String]) -> Result<Vec<&'a Value>> {
    let by_id = by_id(workspace);
    let needs = needs(workspace);
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

fn by_id(workspace: &Value) -> BTreeMap<&str, &Value> {
    let packages = list(workspace, "packages");
    packages
        .map(|package| (text_of(package, "id"), package))
        .collect()
}

fn needs(workspace: &Value) -> BTreeMap<&str, Vec<&str>> {
    let nodes = list(&workspace["resolve"], "nodes");
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

fn component(package: &Value, digests: &BTreeMap<(&str, &str), &str>) -> Component {
    let (name, version) = (text_of(package, "name"), text_of(package, "version"));
    let digest = digests.get(&(name, version));
    Component {
        name: name.to_owned(),
        version: version.to_owned(),
        purl: purl_of(package),
        // Cargo once took a slash for OR.
        license: package["license"]
            .as_str()
            .map(|license| license.replace('/', " OR ")),
        hash: digest.map(|digest| Hash {
            algorithm: "SHA-256",
            hex: (*digest).to_owned(),
        }),
        ..Component::default()
    }
}

fn purl_of(package: &Value) -> String {
    purl(text_of(package, "name"), text_of(package, "version"))
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
    use serde_json::json;

    #[test]
    fn what_is_shipped_is_listed_with_what_it_is_built_from() {
        let package = |name: &str, license: Value| json!({ "id": name, "name": name, "version": "1.0.0+x", "license": license });
        let dependency =
            |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let workspace = json!({
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
        let components = components_of(&workspace, &lock, &["ours".to_owned()]).unwrap();
        let [_, ours, used] = &components[..] else {
            panic!("three: {components:?}");
        };
        let names: Vec<&str> = components.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["builds", "ours", "used"]);
        assert_eq!(used.license.as_deref(), Some("MIT OR Apache-2.0"));
        assert_eq!(used.hash.as_ref().unwrap().hex, "ab");
        assert_eq!(used.purl, "pkg:cargo/used@1.0.0%2Bx");
        assert_eq!(ours.needs, BTreeSet::from([used.purl.clone()]));
    }
}

//! Checks of the application's manifest and Wasm for a host.
//!
//! The rules about manifests are those of the plugin for Fermyon Cloud (fermyon/cloud-plugin 0.11), which reads a manifest with
//! Spin 3.3 and refuses what it does not know. The plugin for Akamai Functions is closed: what is known of it is what its
//! documentation says.

use crate::flavours::Flavour;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Returns what a host refuses of a flavour's manifest, in words.
pub(super) fn refusals(manifest: &Table, flavour: Flavour) -> Vec<String> {
    let mut refusals = Vec::new();
    if flavour != Flavour::Spin {
        unknown_fields(manifest, &mut refusals);
    }
    check_name(manifest, &mut refusals);
    check_triggers(manifest, &mut refusals);
    check_components(manifest, flavour, &mut refusals);
    refusals
}

/// The fields that Spin 3.3 knows. `*` stands for any name; what stands below a table that has no row is not looked at.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "application",
            "component",
            "spin_manifest_version",
            "trigger",
            "variables",
        ],
    ),
    (
        "application",
        &[
            "authors",
            "description",
            "name",
            "tool",
            "trigger",
            "version",
        ],
    ),
    ("variables.*", &["default", "required", "secret"]),
    (
        "trigger.http.*",
        &["component", "components", "executor", "id", "route"],
    ),
    (
        "component.*",
        &[
            "ai_models",
            "allowed_http_hosts",
            "allowed_outbound_hosts",
            "build",
            "dependencies",
            "dependencies_inherit_configuration",
            "description",
            "environment",
            "exclude_files",
            "files",
            "key_value_stores",
            "source",
            "sqlite_databases",
            "tool",
            "variables",
        ],
    ),
];

/// Adds the fields that Spin 3.3 does not know.
fn unknown_fields(manifest: &Table, refusals: &mut Vec<String>) {
    let root = Value::Table(manifest.clone());
    for (path, known) in FIELDS {
        let mut found = vec![(String::new(), &root)];
        for name in path.split('.').filter(|name| !name.is_empty()) {
            let found_above = std::mem::take(&mut found);
            for (place, value) in found_above {
                found.extend(below(&place, value, name));
            }
        }
        for (place, value) in found {
            let keys = value.as_table().into_iter().flat_map(Table::keys);
            let unknown = keys.filter(|key| !known.contains(&key.as_str()));
            refusals.extend(
                unknown.map(|key| {
                    format!("spin.toml, {place}{key}: Spin 3.3 does not know this field")
                }),
            );
        }
    }
}

/// The values of this name below a value, or all of them for `*`, each with its place.
fn below<'a>(place: &str, value: &'a Value, name: &str) -> Vec<(String, &'a Value)> {
    match value {
        Value::Table(table) => {
            let entries = table.iter().filter(|(key, _)| name == "*" || *key == name);
            let entries = entries.map(|(key, value)| (format!("{place}{key}."), value));
            entries.collect()
        }
        Value::Array(list) if name == "*" => {
            let entries = list.iter().enumerate();
            let entries = entries.map(|(index, value)| (format!("{place}{index}."), value));
            entries.collect()
        }
        _ => Vec::new(),
    }
}

/// The names that become a repository of a registry: letters, digits, dashes and underscores.
fn check_name(manifest: &Table, refusals: &mut Vec<String>) {
    let name = application_name(manifest);
    let is_safe = |character: char| character.is_alphanumeric() || "-_".contains(character);
    if name.is_empty() || !name.chars().all(is_safe) {
        refusals.push(
            "spin.toml, application.name: it may have letters, digits, dashes and underscores alone"
                .to_owned(),
        );
    }
}

/// Returns the name of the application, or nothing.
pub(super) fn application_name(manifest: &Table) -> &str {
    let name = manifest
        .get("application")
        .and_then(|application| application.get("name"));
    name.and_then(Value::as_str).unwrap_or_default()
}

fn check_triggers(manifest: &Table, refusals: &mut Vec<String>) {
    let triggers = manifest.get("trigger").and_then(Value::as_table);
    let kinds = triggers.into_iter().flat_map(Table::keys);
    let others = kinds.filter(|kind| *kind != "http");
    refusals.extend(others.map(|kind| {
        format!("spin.toml, trigger.{kind}: the host has no triggers but those of HTTP")
    }));
    let mut seen = BTreeSet::new();
    for route in routes(manifest).filter_map(Value::as_str) {
        if !seen.insert(route) {
            refusals.push(format!(
                "spin.toml, trigger.http: two triggers have the route {route}"
            ));
        }
    }
}

fn routes(manifest: &Table) -> impl Iterator<Item = &Value> {
    let triggers = manifest
        .get("trigger")
        .and_then(|trigger| trigger.get("http"));
    let triggers = triggers.and_then(Value::as_array).into_iter().flatten();
    triggers.filter_map(|trigger| trigger.get("route"))
}

fn check_components(manifest: &Table, flavour: Flavour, refusals: &mut Vec<String>) {
    let limits = flavour.limits();
    let components = manifest.get("component").and_then(Value::as_table);
    let Some(components) = components.filter(|components| !components.is_empty()) else {
        refusals.push("spin.toml: there is no component".to_owned());
        return;
    };
    for (id, component) in components {
        let list = |name: &str| {
            let list = component.get(name).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str)
        };
        if !limits.service_chaining
            && list("allowed_outbound_hosts").any(|host| host.contains(".spin.internal"))
        {
            refusals.push(format!("spin.toml, component.{id}.allowed_outbound_hosts: the host has no service chaining (*.spin.internal)"));
        }
        let mut others = list("key_value_stores").filter(|label| *label != "default");
        if let Some(label) = others
            .next()
            .filter(|_| limits.key_value.default_store_only)
        {
            refusals.push(format!("spin.toml, component.{id}.key_value_stores: the host has no store but `default`, and not `{label}`"));
        }
        if flavour == Flavour::Akamai && list("sqlite_databases").next().is_some() {
            refusals.push(format!(
                "spin.toml, component.{id}.sqlite_databases: the host has no SQLite"
            ));
        }
    }
    if !limits.service_chaining && routes(manifest).any(|route| !route.is_str()) {
        refusals.push("spin.toml, trigger.http: a private route cannot be reached without service chaining, which the host does not have".to_owned());
    }
}

/// Returns how many bytes the Wasm of a manifest in `folder` has in all.
///
/// # Errors
///
/// If a file cannot be read, or the host takes fewer.
pub(super) fn check_wasm(
    manifest: &Table,
    folder: &Path,
    flavour: Flavour,
    host: &str,
) -> Result<u64> {
    let mut bytes = 0;
    for file in wasm_files(manifest) {
        let file = folder.join(file);
        let metadata = file
            .metadata()
            .with_context(|| format!("{} cannot be read", file.display()))?;
        bytes += metadata.len();
    }
    match flavour.limits().max_application_bytes {
        Some(most) if bytes > most => {
            bail!("The Wasm of the application has {bytes} bytes, and {host} takes {most} at most")
        }
        _ => Ok(bytes),
    }
}

/// The files of a manifest's components and of their dependencies, each once.
fn wasm_files(manifest: &Table) -> BTreeSet<PathBuf> {
    let components = manifest.get("component").and_then(Value::as_table);
    let components = components.into_iter().flat_map(Table::values);
    let files = components.flat_map(|component| {
        let dependencies = component.get("dependencies").and_then(Value::as_table);
        let dependencies = dependencies.into_iter().flat_map(Table::values);
        let paths = dependencies.filter_map(|dependency| dependency.get("path"));
        component.get("source").into_iter().chain(paths)
    });
    files.filter_map(Value::as_str).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flavours;
    use crate::project::Project;
    use clap::ValueEnum;

    fn manifest(flavour: Flavour) -> Table {
        let shipped = include_str!("../../../../spin.toml").parse().unwrap();
        let project = Project::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        flavours::manifest_of(&project, shipped, flavour).unwrap()
    }

    #[test]
    fn every_host_takes_the_manifest_that_is_built_for_it() {
        for flavour in Flavour::value_variants() {
            assert_eq!(
                refusals(&manifest(*flavour), *flavour),
                [""; 0],
                "{flavour:?}"
            );
        }
    }

    #[test]
    fn fermyon_cloud_refuses_the_manifest_of_spin_4() {
        let refusals = refusals(&manifest(Flavour::Spin), Flavour::FermyonCloud);
        let has = |words: &str| refusals.iter().any(|refusal| refusal.contains(words));
        assert!(has("spin.internal"));
        assert!(has("private route"));
    }

    /// What a host refuses of its own manifest, with more text at its end.
    fn refused(flavour: Flavour, more: &str) -> Vec<String> {
        let text = toml::to_string(&manifest(flavour)).unwrap() + more;
        refusals(&text.parse().unwrap(), flavour)
    }

    #[test]
    fn a_field_that_spin_3_3_does_not_know_is_named_with_its_place() {
        for (more, place) in [
            ("\n[profile.debug]\nx = 1", "profile"),
            (
                "\n[component.more]\nsource = 'a.wasm'\ntargets = []",
                "component.more.targets",
            ),
            (
                "\n[variables.more]\ndescription = ''",
                "variables.more.description",
            ),
            (
                "\n[[trigger.http]]\nroute = '/x'\nmiddleware = []",
                "middleware",
            ),
        ] {
            let found = refused(Flavour::FermyonCloud, more);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(place), "{found:?}");
        }
    }

    #[test]
    fn what_a_host_does_not_have_is_refused() {
        let akamai = Flavour::Akamai;
        for (more, words) in [
            ("\n[[trigger.redis]]\nchannel = 'x'", "trigger.redis"),
            ("\n[[trigger.http]]\nroute = '/mcp'", "/mcp"),
            (
                "\n[component.more]\nsource = 'a.wasm'\nkey_value_stores = ['other']",
                "other",
            ),
            (
                "\n[component.more]\nsource = 'a.wasm'\nsqlite_databases = ['default']",
                "SQLite",
            ),
        ] {
            let found = refused(akamai, more);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(words), "{found:?}");
        }
    }

    #[test]
    fn a_name_that_is_no_repository_of_a_registry_is_refused() {
        for (name, is_good) in [
            ("gatehouse", true),
            ("my_Tools-2", true),
            ("a b", false),
            ("", false),
        ] {
            let mut manifest = manifest(Flavour::FermyonCloud);
            manifest["application"]["name"] = name.into();
            let refusals = refusals(&manifest, Flavour::FermyonCloud);
            assert_eq!(refusals.is_empty(), is_good, "{name}: {refusals:?}");
        }
    }

    #[test]
    fn wasm_that_is_larger_than_a_host_takes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[component.a]\nsource = 'a.wasm'\n[component.b]\nsource = 'b.wasm'\n\
                    [component.b.dependencies]\n'x:y/z' = { path = 'a.wasm' }";
        let manifest = text.parse().unwrap();
        let check = |flavour| check_wasm(&manifest, folder.path(), flavour, "the host");
        assert!(
            check(Flavour::Akamai)
                .unwrap_err()
                .to_string()
                .contains("a.wasm")
        );
        for name in ["a.wasm", "b.wasm"] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_len(30 << 20).unwrap();
        }
        assert_eq!(check(Flavour::FermyonCloud).unwrap(), 60 << 20);
        assert_eq!(check(Flavour::Portable).unwrap(), 60 << 20);
        let error = check(Flavour::Akamai).unwrap_err().to_string();
        assert!(error.contains("52428800 at most"), "{error}");
    }
}

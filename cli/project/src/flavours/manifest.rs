//! The manifest of a flavour.

use super::flavour::Flavour;
use super::wasm::Wasm;
use anyhow::{Context, Result, bail};
use composition::{DependencyName, Inherit};
use config::COMPOSED;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// The manifest of a flavour, and what its Wasm is made of.
pub(super) struct Flavoured {
    pub(super) manifest: Table,
    pub(super) parts: Vec<Part>,
}

/// A component that requests reach.
pub(super) struct Part {
    pub(super) id: String,
    pub(super) source: Wasm,
    /// What is composed in.
    pub(super) dependencies: Vec<PartDependency>,
}

/// What satisfies imports of a component.
pub(super) struct PartDependency {
    pub(super) name: DependencyName,
    pub(super) wasm: Wasm,
    pub(super) export: Option<String>,
    pub(super) inherit: Inherit,
}

/// Turns the manifest of the repository into a flavour's with dependencies composed in, whose Wasm lies beside it.
///
/// # Errors
///
/// If the manifest is not as `spin.toml` is, or has what cannot be composed.
pub(super) fn flavoured(mut manifest: Table, flavour: Flavour) -> Result<Flavoured> {
    if !flavour.has_service_chaining() {
        check_composed_tools(&manifest)?;
        remove_private_routes(&mut manifest)?;
    }
    let reached = reached(&manifest)?;
    let all = table(&mut manifest, "component")?.clone();
    let components = table(&mut manifest, "component")?;
    components.retain(|id, _| reached.contains(id));
    let mut parts = Vec::new();
    for (id, component) in components.iter_mut() {
        let component = component
            .as_table_mut()
            .context("a component is no table")?;
        // What is built is built here, and the folder has nothing to build it from.
        component.remove("build");
        component.remove("profile");
        if !flavour.has_service_chaining() {
            remove_chained_hosts(component);
        }
        parts.push(Part {
            id: id.clone(),
            dependencies: take_dependencies(component, &all)
                .with_context(|| format!("component {id}"))?,
            source: Wasm::of_component(component)?,
        });
        component.insert("source".to_owned(), format!("{id}.wasm").into());
    }
    let hosts = host_variables(&manifest);
    let variables = table(&mut manifest, "variables")?;
    for name in &hosts {
        let variable = table(variables, name)?;
        if variable.get("default").and_then(Value::as_str) == Some("") {
            variable.insert("default".to_owned(), UNSET_HOST.into());
        }
    }
    for (name, value) in flavour.defaults() {
        table(variables, name)?.insert("default".to_owned(), (*value).into());
    }
    Ok(Flavoured { manifest, parts })
}

/// Puts other components, by their paths, in the places of the identity component and of the tools of `mcp`.
///
/// # Errors
///
/// If the manifest is not as `spin.toml` is.
pub fn with_components(mut manifest: Table, identity: &str, tools: &str) -> Result<Table> {
    let components = table(&mut manifest, "component")?;
    table(components, "identity")?.insert("source".to_owned(), identity.into());
    let dependencies = table(table(components, "mcp")?, "dependencies")?;
    let mut contracts = dependencies.iter_mut();
    let (_, dependency) = contracts
        .find(|(name, _)| name.starts_with("gatehouse:tools/"))
        .context("mcp has no tools")?;
    *dependency = Table::from_iter([("path".to_owned(), Value::from(tools))]).into();
    Ok(manifest)
}

/// Adds a tools component of its own, by its path, behind a tool server that `mcp` may call.
///
/// # Errors
///
/// If the manifest is not as `spin.toml` is.
pub fn with_tool_server(mut manifest: Table, id: &str, tools: &str) -> Result<Table> {
    let added: Table = toml::toml! {
        source = "target/wasm32-wasip2/wasm/gatehouse_tool_server.wasm"
        [dependencies]
        "gatehouse:tools/tools@0.3.0" = { inherit_configuration = true }
    };
    let components = table(&mut manifest, "component")?;
    components.insert(id.to_owned(), added.into());
    for dependency in tables(table(components, id)?, "dependencies")? {
        dependency.insert("path".to_owned(), tools.into());
    }
    let hosts = table(components, "mcp")?.get_mut("allowed_outbound_hosts");
    let hosts = hosts.and_then(Value::as_array_mut);
    let host = format!("http://{id}.spin.internal");
    hosts.context("mcp may call no host")?.push(host.into());
    let private = Table::from_iter([("private".to_owned(), true.into())]);
    let trigger = Table::from_iter([
        ("route".to_owned(), private.into()),
        ("component".to_owned(), id.into()),
    ]);
    triggers(&mut manifest)?.push(trigger.into());
    Ok(manifest)
}

/// Turns the manifest of the repository into one that finds its Wasm from any folder.
///
/// # Errors
///
/// If the manifest is not as `spin.toml` is.
pub fn with_absolute_paths(
    mut manifest: Table,
    absolute: impl Fn(&str) -> String,
) -> Result<Table> {
    for component in tables(&mut manifest, "component")? {
        component.remove("build");
        component.remove("profile");
        if let Wasm::File(path) = Wasm::of_component(component)? {
            component.insert("source".to_owned(), absolute(&path).into());
        }
        if component.contains_key("dependencies") {
            for dependency in tables(component, "dependencies")? {
                if dependency.contains_key("path") {
                    let path = absolute(text(dependency, "path")?);
                    dependency.insert("path".to_owned(), path.into());
                }
            }
        }
    }
    Ok(manifest)
}

/// Checks that `mcp` needs no other component for its tools.
fn check_composed_tools(manifest: &Table) -> Result<()> {
    let tools = manifest
        .get("variables")
        .and_then(|variables| variables.get("tools")?.get("default")?.as_str());
    let mut others = tools.into_iter().flat_map(str::split_whitespace);
    if let Some(other) = others.find(|name| *name != COMPOSED) {
        bail!(
            "spin.toml, variable tools: the host has no service chaining, so that {other:?} cannot be reached. Make the tools a dependency of `mcp` (gatehouse:tools/tools), and set the default to composed"
        );
    }
    Ok(())
}

/// Removes the triggers that other components alone reach.
fn remove_private_routes(manifest: &mut Table) -> Result<()> {
    triggers(manifest)?.retain(|trigger| trigger.get("route").is_some_and(Value::is_str));
    Ok(())
}

/// The default, in place of an empty one, of a variable that is an address in `allowed_outbound_hosts`: Spin before 4.1
/// refuses an empty address. `platform::variables` reads this one as nothing.
const UNSET_HOST: &str = "https://unset.invalid";

/// The variables that are the addresses of hosts.
fn host_variables(manifest: &Table) -> BTreeSet<String> {
    let components = manifest.get("component").and_then(Value::as_table);
    let components = components.into_iter().flat_map(Table::values);
    let hosts =
        components.filter_map(|component| component.get("allowed_outbound_hosts")?.as_array());
    let names = hosts.flatten().filter_map(|host| {
        let name = host.as_str()?.strip_prefix("{{")?.strip_suffix("}}")?;
        Some(name.trim().to_owned())
    });
    names.collect()
}

/// The components that a trigger names.
fn reached(manifest: &Table) -> Result<BTreeSet<String>> {
    let mut manifest = manifest.clone();
    let triggers = triggers(&mut manifest)?.iter();
    let names = triggers.filter_map(|trigger| trigger.get("component")?.as_str());
    Ok(names.map(str::to_owned).collect())
}

fn triggers(manifest: &mut Table) -> Result<&mut Vec<Value>> {
    let triggers = table(manifest, "trigger")?.get_mut("http");
    triggers
        .and_then(Value::as_array_mut)
        .context("there is no [[trigger.http]]")
}

/// Removes the hosts of service chaining: a deployment to a host without it is refused for them.
fn remove_chained_hosts(component: &mut Table) {
    let hosts = component.get_mut("allowed_outbound_hosts");
    if let Some(hosts) = hosts.and_then(Value::as_array_mut) {
        let is_chained = |host: &Value| {
            host.as_str()
                .is_some_and(|host| host.ends_with(".spin.internal"))
        };
        hosts.retain(|host| !is_chained(host));
    }
}

/// Takes the dependencies out of a component of the manifest.
fn take_dependencies(component: &mut Table, all: &Table) -> Result<Vec<PartDependency>> {
    let inherits_all = component.remove("dependencies_inherit_configuration");
    let inherits_all = inherits_all
        .and_then(|value| value.as_bool())
        .unwrap_or_default();
    let Some(Value::Table(dependencies)) = component.remove("dependencies") else {
        return Ok(Vec::new());
    };
    let dependencies = dependencies.into_iter().map(|(name, dependency)| {
        let dependency = dependency.as_table().with_context(|| {
            format!("dependency {name}: a package of a registry cannot be composed in")
        })?;
        let wasm = match dependency.get("component").and_then(Value::as_str) {
            Some(other) => {
                let other = all.get(other).and_then(Value::as_table);
                Wasm::of_component(other.context("a dependency on no component")?)
            }
            None => Wasm::of_dependency(dependency),
        };
        let wasm = wasm.with_context(|| format!("dependency {name}"))?;
        let inherit = match dependency.get("inherit_configuration") {
            Some(Value::Boolean(true)) => Inherit::All,
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                Inherit::Only(names.map(str::to_owned).collect())
            }
            None if inherits_all => Inherit::All,
            _ => Inherit::Only(Vec::new()),
        };
        let export = dependency.get("export").and_then(Value::as_str);
        Ok(PartDependency {
            name: portable_name(&name)?,
            wasm,
            export: export
                .map(|export| portable_name(export).map(|name| name.to_string()))
                .transpose()?,
            inherit,
        })
    });
    dependencies.collect()
}

/// Returns the name of the contract's portable form.
fn portable_name(name: &str) -> Result<DependencyName> {
    match name.parse().map_err(anyhow::Error::msg)? {
        DependencyName::Package {
            package,
            interface,
            version,
        } => Ok(DependencyName::Package {
            package: portable_package(&package),
            interface,
            version,
        }),
        DependencyName::Plain(name) => bail!("{name} is of no contract"),
    }
}

/// Returns the name that a package of the main build has in the portable one: `gatehouse:tools-portable` for
/// `gatehouse:tools`.
pub fn portable_package(package: &str) -> String {
    format!("{package}-portable")
}

fn table<'a>(parent: &'a mut Table, name: &str) -> Result<&'a mut Table> {
    let value = parent.get_mut(name).and_then(Value::as_table_mut);
    value.with_context(|| format!("there is no table {name}"))
}

/// The tables in a table.
fn tables<'a>(
    parent: &'a mut Table,
    name: &str,
) -> Result<impl Iterator<Item = &'a mut Table> + use<'a>> {
    let values = table(parent, name)?.iter_mut();
    Ok(values.filter_map(|(_, value)| value.as_table_mut()))
}

fn text<'a>(table: &'a Table, name: &str) -> Result<&'a str> {
    let value = table.get(name).and_then(Value::as_str);
    value.with_context(|| format!("there is no {name}, or it is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Table {
        include_str!("../../../../spin.toml").parse().unwrap()
    }

    fn of(flavour: Flavour) -> Flavoured {
        flavoured(shipped(), flavour).unwrap()
    }

    const PORTABLE: [Flavour; 3] = [Flavour::Portable, Flavour::Akamai, Flavour::FermyonCloud];

    fn add_keys(value: &Value, keys: &mut BTreeSet<String>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    keys.insert(key.clone());
                    add_keys(value, keys);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| add_keys(value, keys)),
            _ => {}
        }
    }

    /// The names of every field.
    fn keys(flavour: Flavour) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        add_keys(&of(flavour).manifest.into(), &mut keys);
        keys
    }

    #[test]
    fn a_portable_manifest_has_no_field_that_spin_3_3_does_not_know() {
        for flavour in PORTABLE {
            let keys = keys(flavour);
            for field in [
                "build",
                "dependencies",
                "dependencies_inherit_configuration",
                "identity",
                "inherit_configuration",
                "profile",
                "targets",
            ] {
                assert!(!keys.contains(field), "{flavour:?}: {field}");
            }
        }
    }

    #[test]
    fn dependencies_are_composed_in_by_the_names_of_the_portable_contracts() {
        for flavour in PORTABLE {
            let parts = of(flavour).parts;
            let names = |id: &str| {
                let part = parts.iter().find(|part| part.id == id).unwrap();
                let names = part
                    .dependencies
                    .iter()
                    .map(|dependency| dependency.name.to_string());
                names.collect::<Vec<_>>()
            };
            let identity = "gatehouse:identity-portable/provider@0.3.0";
            assert_eq!(names("authorize"), [identity]);
            assert_eq!(names("account"), [identity]);
            assert_eq!(
                names("mcp"),
                [identity, "gatehouse:tools-portable/tools@0.3.0"]
            );
            assert!(names("home").is_empty());
            let mcp = parts.into_iter().find(|part| part.id == "mcp").unwrap();
            let only = |grants: &[&str]| {
                Inherit::Only(grants.iter().map(|grant| (*grant).to_owned()).collect())
            };
            let [identity, tools] = mcp.dependencies.as_slice() else {
                panic!("two dependencies");
            };
            let shared = [
                "allowed_outbound_hosts",
                "environment",
                "key_value_stores",
                "variables",
            ];
            assert_eq!(identity.inherit, only(&shared));
            assert_eq!(tools.inherit, only(&["environment"]));
        }
    }

    #[test]
    fn a_host_without_service_chaining_gets_nothing_of_it() {
        let has = |flavour| {
            let keys = keys(flavour);
            let text = toml::to_string(&of(flavour).manifest).unwrap();
            let fields = ["private", "client-metadata"].map(|field| keys.contains(field));
            [fields[0], fields[1], text.contains("spin.internal")]
        };
        assert_eq!(has(Flavour::FermyonCloud), [false; 3]);
        assert_eq!(has(Flavour::Akamai), [true; 3]);
    }

    #[test]
    fn tools_in_another_component_need_service_chaining() {
        let with = |tools: &str| {
            let mut manifest = shipped();
            let variables = manifest["variables"].as_table_mut().unwrap();
            let variable = Table::from_iter([("default".to_owned(), Value::from(tools))]);
            variables.insert("tools".to_owned(), variable.into());
            manifest
        };
        let both = with("composed weather");
        assert!(flavoured(both.clone(), Flavour::Akamai).is_ok());
        assert!(flavoured(with("composed"), Flavour::FermyonCloud).is_ok());
        let Err(error) = flavoured(both, Flavour::FermyonCloud) else {
            panic!("it is taken");
        };
        assert!(error.to_string().contains("\"weather\""), "{error}");
    }

    #[test]
    fn the_limits_of_a_host_are_defaults_of_variables() {
        let default = |flavour, name: &str| {
            let manifest = of(flavour).manifest;
            let variable = &manifest["variables"][name];
            variable["default"].as_str().unwrap().to_owned()
        };
        for flavour in [Flavour::Akamai, Flavour::FermyonCloud] {
            for name in ["call_timeout", "stream_seconds"] {
                assert!(default(flavour, name).parse::<u32>().unwrap() < 30);
            }
        }
        for flavour in [Flavour::Akamai, Flavour::FermyonCloud] {
            assert_eq!(default(flavour, "http_sse"), "false");
        }
        assert_eq!(default(Flavour::FermyonCloud, "client_metadata"), "false");
        assert_eq!(default(Flavour::Akamai, "client_metadata"), "true");
        assert_eq!(default(Flavour::Portable, "call_timeout"), "60");
    }

    #[test]
    fn other_components_take_the_places_of_the_identity_component_and_of_the_tools() {
        let swapped = with_components(shipped(), "a/x.wasm", "b/y.wasm").unwrap();
        let parts = flavoured(swapped, Flavour::Portable).unwrap().parts;
        let paths = |id: &str| {
            let part = parts.iter().find(|part| part.id == id).unwrap();
            let wasm = part.dependencies.iter().map(|one| one.wasm.clone());
            wasm.collect::<Vec<_>>()
        };
        let file = |path: &str| Wasm::File(path.to_owned());
        assert_eq!(paths("authorize"), [file("a/x.wasm")]);
        assert_eq!(paths("mcp"), [file("a/x.wasm"), file("b/y.wasm")]);
    }

    #[test]
    fn components_read_the_address_that_stands_for_none_as_nothing() {
        let read = include_str!("../../../../crates/platform/src/variables.rs");
        assert!(read.contains(&format!("const UNSET_HOST: &str = \"{UNSET_HOST}\";")));
    }

    /// Spin 3 refuses such a manifest when it loads it.
    #[test]
    fn no_address_of_a_host_is_empty_by_default() {
        for flavour in PORTABLE {
            let manifest = of(flavour).manifest;
            let hosts = host_variables(&manifest);
            assert!(hosts.contains("oidc_host") && hosts.contains("redis_host"));
            for name in hosts {
                let variable = &manifest["variables"][&name];
                let default = variable.get("default").and_then(Value::as_str);
                assert_ne!(default, Some(""), "{flavour:?}: {name}");
            }
        }
    }

    #[test]
    fn wasm_lies_beside_its_manifest() {
        let Flavoured { manifest, parts } = of(Flavour::Akamai);
        for part in parts {
            let source = &manifest["component"][&part.id]["source"];
            assert_eq!(source.as_str().unwrap(), format!("{}.wasm", part.id));
        }
    }

    #[test]
    fn the_manifest_of_spin_finds_its_wasm_from_any_folder() {
        let absolute = |path: &str| format!("/root/{path}");
        let manifest = with_absolute_paths(shipped(), absolute).unwrap();
        let text = toml::to_string(&manifest).unwrap();
        let paths = text.matches("target/wasm32-wasip2").count();
        assert_eq!(text.matches("\"/root/target/wasm32-wasip2").count(), paths);
        assert!(text.contains("inherit_configuration"));
    }
}

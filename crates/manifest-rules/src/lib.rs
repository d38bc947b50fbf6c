//! Rules for component dependencies in a Spin manifest: those of Spin, and those of Gatehouse for tools.
//!
//! They are one place for the embedded host, which refuses to start, and for `cargo xtask`, which
//! says so before anything is built. Spin itself knows the first rule alone.

use toml::{Table, Value};

/// The package whose interfaces a tools component exports.
const TOOLS: &str = "gatehouse:tools";

/// Something in a manifest that has to change, or that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Finding {
    /// Where in the manifest.
    pub place: String,
    /// What is wrong there, and what to do.
    pub reason: String,
}

/// Returns what keeps a manifest from being served.
pub fn refusals(manifest: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in dependencies(manifest) {
        findings.extend(resources_of_its_own(manifest, &dependency));
        if dependency.is_tools() {
            findings.extend(secrets_in_reach(manifest, &dependency));
        }
    }
    findings
}

/// Returns what is allowed and worth knowing: the hosts that tools may call.
pub fn warnings(manifest: &Table) -> Vec<Finding> {
    dependencies(manifest)
        .into_iter()
        .filter(|dependency| {
            dependency.is_tools()
                && dependency.inherits("allowed_outbound_hosts")
                && secret_variable(dependency.of).is_some()
        })
        .map(|dependency| {
            dependency.finding(format!(
                "the tools may call every host in allowed_outbound_hosts of {}, the identity provider's among them",
                dependency.component
            ))
        })
        .collect()
}

/// Returns what keeps `mcp` from offering the tools of components of their own. `ids` are those that the variable `tools`
/// names.
pub fn tool_servers(manifest: &Table, ids: &[&str]) -> Vec<Finding> {
    let component = |id: &str| manifest.get("component")?.get(id)?.as_table();
    let hosts = component("mcp").and_then(|mcp| mcp.get("allowed_outbound_hosts")?.as_array());
    let hosts: Vec<_> = hosts
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut findings = Vec::new();
    for id in ids {
        let mut found = |place: &str, reason: String| {
            let place = place.to_owned();
            findings.push(Finding { place, reason });
        };
        if component(id).is_none() {
            found(
                "variable \"tools\"",
                format!("the manifest has no component {id:?}"),
            );
            continue;
        }
        let host = format!("http://{id}.spin.internal");
        if !hosts.contains(&host.as_str()) {
            found(
                "component \"mcp\"",
                format!("it may not call {id:?}: add {host:?} to allowed_outbound_hosts"),
            );
        }
        let triggers = tables_of_arrays(manifest.get("trigger"));
        let routes =
            triggers.filter(|trigger| trigger.get("component").and_then(Value::as_str) == Some(id));
        let mut has_route = false;
        for trigger in routes {
            has_route = true;
            let is_private = trigger.get("route").is_some_and(Value::is_table);
            if !is_private {
                found(
                    &format!("component {id:?}"),
                    "its route is public, and it serves mcp alone: write route = { private = true }".to_owned(),
                );
            }
        }
        if !has_route {
            found(
                &format!("component {id:?}"),
                "it has no [[trigger.http]], without which Spin calls no component: add one with route = { private = true }".to_owned(),
            );
        }
    }
    findings
}

/// One entry under a component's `dependencies`.
struct Dependency<'a> {
    /// The component that it is a part of, in words.
    component: String,
    /// The entry's key.
    name: &'a str,
    /// The entry's value.
    value: &'a Value,
    /// Whether `dependencies_inherit_configuration` of the component is true.
    by_component: bool,
    /// The component that it is a part of.
    of: &'a Table,
}

/// What of its component's configuration a dependency may use.
enum Inherited<'a> {
    All,
    Only(Vec<&'a str>),
}

impl Dependency<'_> {
    fn is_tools(&self) -> bool {
        let package = self.name.split(['/', '@']).next();
        package.is_some_and(|package| package.trim() == TOOLS)
    }

    fn inherited(&self) -> Inherited<'_> {
        match self.value.get("inherit_configuration") {
            Some(Value::Boolean(true)) => Inherited::All,
            Some(Value::Array(names)) => {
                Inherited::Only(names.iter().filter_map(Value::as_str).collect())
            }
            None if self.by_component => Inherited::All,
            _ => Inherited::Only(Vec::new()),
        }
    }

    fn inherits(&self, grant: &str) -> bool {
        match self.inherited() {
            Inherited::All => true,
            Inherited::Only(names) => names.contains(&grant),
        }
    }

    fn finding(&self, reason: impl Into<String>) -> Finding {
        Finding {
            place: format!("{}, dependency {:?}", self.component, self.name),
            reason: reason.into(),
        }
    }
}

/// Finds every dependency: of components, of their profiles, and of components inside triggers.
fn dependencies(manifest: &Table) -> Vec<Dependency<'_>> {
    let named = tables(manifest.get("component"))
        .map(|(id, component)| (format!("component {id:?}"), component));
    let triggers = tables_of_arrays(manifest.get("trigger"));
    let inline = triggers.filter_map(|trigger| {
        let component = trigger.get("component")?.as_table()?;
        let route = trigger.get("route").and_then(Value::as_str);
        Some((
            format!(
                "component of the trigger for {:?}",
                route.unwrap_or("no route")
            ),
            component,
        ))
    });
    let mut all = Vec::new();
    for (place, component) in named.chain(inline) {
        let by_component = component
            .get("dependencies_inherit_configuration")
            .and_then(Value::as_bool)
            == Some(true);
        let profiles = tables(component.get("profile"))
            .map(|(name, profile)| (format!("{place}, profile {name:?}"), profile));
        let parts = std::iter::once((place.clone(), component)).chain(profiles);
        for (place, part) in parts {
            let entries = part.get("dependencies").and_then(Value::as_table);
            for (name, value) in entries.into_iter().flatten() {
                all.push(Dependency {
                    component: place.clone(),
                    name,
                    value,
                    by_component,
                    of: component,
                });
            }
        }
    }
    all
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = (&String, &Table)> {
    let table = value.and_then(Value::as_table).into_iter().flatten();
    table.filter_map(|(key, value)| Some((key, value.as_table()?)))
}

fn tables_of_arrays(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    let arrays = value.and_then(Value::as_table).into_iter().flatten();
    arrays
        .filter_map(|(_, value)| value.as_array())
        .flatten()
        .filter_map(Value::as_table)
}

/// The fields that Spin lets no dependency have: they would not apply, and that would surprise.
/// (`ensure_is_acceptable_dependency` in Spin's crates/manifest.)
const RESOURCES: &[&str] = &[
    "ai_models",
    "allowed_http_hosts",
    "allowed_outbound_hosts",
    "dependencies",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

fn resources_of_its_own(manifest: &Table, dependency: &Dependency<'_>) -> Option<Finding> {
    let id = dependency.value.get("component")?.as_str()?;
    let component = manifest.get("component")?.get(id)?;
    let found: Vec<&str> = RESOURCES
        .iter()
        .copied()
        .filter(|field| component.get(field).is_some_and(|value| !is_empty(value)))
        .collect();
    if found.is_empty() {
        return None;
    }
    Some(dependency.finding(format!(
        "dependencies may not have their own resources or permissions, and component {id:?} specifies {}. \
         Give them to the component that it is a part of, and let the dependency inherit what it needs \
         with inherit_configuration",
        found.join(", ")
    )))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(array) => array.is_empty(),
        Value::Table(table) => table.is_empty(),
        _ => false,
    }
}

/// The application's variables that hold secrets of Gatehouse.
const SECRETS: &[&str] = &[
    "admin_token",
    "clients",
    "descope_client_secret",
    "descope_management_key",
    "encryption_key",
    "oidc_client_secret",
    "redis_url",
    "registration_token",
];

/// Finds what tools would inherit that is Gatehouse's. A component without Gatehouse's secrets and stores, such as a tool
/// server, may let them inherit all that it has.
fn secrets_in_reach(manifest: &Table, dependency: &Dependency<'_>) -> Vec<Finding> {
    let line = match dependency.inherited() {
        Inherited::All if dependency.by_component => "dependencies_inherit_configuration = true",
        Inherited::All => "inherit_configuration = true",
        Inherited::Only(_) => "inherit_configuration",
    };
    let mut findings = Vec::new();
    if dependency.inherits("variables")
        && let Some(secret) = secret_variable(dependency.of)
    {
        findings.push(dependency.finding(format!(
            "{line} would let the tools read the variable {secret}, which is a secret of Gatehouse. List what they need \
             without \"variables\", such as inherit_configuration = [\"allowed_outbound_hosts\"], or give them a tool server of \
             their own (docs/tools.md, A component of its own)"
        )));
    }
    if dependency.inherits("key_value_stores")
        && let Some(store) = shared_store(manifest, dependency.of)
    {
        findings.push(dependency.finding(format!(
            "{line} would let the tools read every record of Gatehouse in the store {store:?}, and change it. List what they \
             need without \"key_value_stores\", or give them a store of their own (docs/tools.md, A component of its own)"
        )));
    }
    findings
}

/// Returns a secret of Gatehouse that is among a component's variables.
fn secret_variable(component: &Table) -> Option<&'static str> {
    let variables = component.get("variables").and_then(Value::as_table);
    let templates = variables
        .into_iter()
        .flatten()
        .filter_map(|(_, value)| value.as_str());
    let mut names = templates.flat_map(|template| {
        let expressions = template.split("{{").skip(1);
        expressions.filter_map(|expression| Some(expression.split_once("}}")?.0.trim()))
    });
    names.find_map(|name| SECRETS.iter().copied().find(|secret| *secret == name))
}

/// Returns a store of a component that a component with Gatehouse's secrets has too.
fn shared_store<'a>(manifest: &Table, component: &'a Table) -> Option<&'a str> {
    let holders = tables(manifest.get("component")).map(|(_, holder)| holder);
    let gatehouses: Vec<&str> = holders
        .filter(|holder| secret_variable(holder).is_some())
        .flat_map(stores)
        .collect();
    stores(component).find(|store| gatehouses.contains(store))
}

fn stores(component: &Table) -> impl Iterator<Item = &str> {
    let stores = component.get("key_value_stores").and_then(Value::as_array);
    stores.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Table {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> Vec<String> {
        refusals(&manifest(text))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn tools(value: &str) -> String {
        format!(
            "[component.mcp]\nsource = \"a.wasm\"\nkey_value_stores = [\"default\"]\n\
             [component.mcp.variables]\nkey = \"{{{{ encryption_key }}}}\"\n[component.mcp.dependencies]\n\
             \"gatehouse:tools/tools@0.3.0\" = {{ path = \"b.wasm\"{value} }}"
        )
    }

    #[test]
    fn the_shipped_manifest_is_refused_nothing() {
        let shipped = manifest(include_str!("../../../spin.toml"));
        assert_eq!(refusals(&shipped), []);
        assert_eq!(warnings(&shipped), []);
    }

    #[test]
    fn tools_that_inherit_variables_or_stores_are_refused_in_words() {
        for (grant, secret) in [
            ("variables", "encryption_key"),
            ("key_value_stores", "every record"),
        ] {
            for list in [
                format!("[\"{grant}\"]"),
                format!("[\"allowed_outbound_hosts\", \"{grant}\"]"),
            ] {
                let found = refused(&tools(&format!(", inherit_configuration = {list}")));
                let [found] = &found[..] else {
                    panic!("{found:?}")
                };
                for words in ["\"mcp\"", "gatehouse:tools/tools@0.3.0", secret, "List"] {
                    assert!(found.contains(words), "{found}");
                }
            }
        }
        assert_eq!(
            refused(&tools(
                ", inherit_configuration = [\"variables\", \"key_value_stores\"]"
            ))
            .len(),
            2
        );
    }

    #[test]
    fn tools_that_inherit_everything_are_refused_however_it_is_written() {
        let one = refused(&tools(", inherit_configuration = true"));
        assert!(one[0].contains("inherit_configuration = true"), "{one:?}");
        let all = tools("").replace(
            "source = \"a.wasm\"",
            "source = \"a.wasm\"\ndependencies_inherit_configuration = true",
        );
        let all = refused(&all);
        assert!(
            all[0].contains("dependencies_inherit_configuration = true"),
            "{all:?}"
        );
        for name in [
            "gatehouse:tools",
            "gatehouse:tools@0.3.0",
            "gatehouse:tools/tools",
        ] {
            let named = tools(", inherit_configuration = [\"variables\"]")
                .replace("gatehouse:tools/tools@0.3.0", name);
            assert_eq!(refused(&named).len(), 1, "{name}");
        }
        let profile = tools("")
            + "\n[component.mcp.profile.debug.dependencies]\n\
             \"gatehouse:tools/tools@0.3.0\" = { path = \"c.wasm\", inherit_configuration = true }";
        assert!(refused(&profile)[0].contains("profile \"debug\""));
        let inline = "[[trigger.http]]\nroute = \"/mcp\"\n[trigger.http.component]\nsource = \"a.wasm\"\n\
             [trigger.http.component.variables]\nkey = \"{{ encryption_key }}\"\n\
             [trigger.http.component.dependencies]\n\
             \"gatehouse:tools/tools@0.3.0\" = { path = \"b.wasm\", inherit_configuration = true }";
        assert!(refused(inline)[0].contains("/mcp"));
    }

    #[test]
    fn tools_behind_a_tool_server_inherit_what_is_their_own_and_nothing_of_gatehouses() {
        let with = |stores: &str, variable: &str| {
            tools("")
                + &format!(
                    "\n[component.weather]\nsource = \"s.wasm\"\nkey_value_stores = {stores}\n\
                     [component.weather.variables]\napi_key = \"{variable}\"\n\
                     [component.weather.dependencies]\n\
                     \"gatehouse:tools/tools@0.3.0\" = {{ path = \"b.wasm\", inherit_configuration = true }}"
                )
        };
        assert_eq!(
            refused(&with("[\"weather\"]", "{{ weather_api_key }}")),
            Vec::<String>::new()
        );
        let store = refused(&with("[\"weather\", \"default\"]", "x"));
        assert!(store[0].contains("\"default\""), "{store:?}");
        for variable in [
            "{{ encryption_key }}",
            "x{{encryption_key}}y",
            "{{ a }}{{ admin_token }}",
        ] {
            assert_eq!(refused(&with("[]", variable)).len(), 1, "{variable}");
        }
    }

    #[test]
    fn a_tool_server_has_a_private_route_and_mcp_may_call_it() {
        let text = "[[trigger.http]]\nroute = { private = true }\ncomponent = \"weather\"\n\
                    [component.weather]\nsource = \"s.wasm\"\n\
                    [component.mcp]\nsource = \"m.wasm\"\n\
                    allowed_outbound_hosts = [\"http://weather.spin.internal\"]";
        let found = |text: &str, id: &str| {
            let found = tool_servers(&manifest(text), &[id]);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(text, "weather"), Vec::<String>::new());
        for (changed, id, words) in [
            (text.to_owned(), "crm", "no component \"crm\""),
            (
                text.replace("http://weather", "http://crm"),
                "weather",
                "add \"http://weather.spin.internal\"",
            ),
            (
                text.replace("{ private = true }", "\"/weather/...\""),
                "weather",
                "route is public",
            ),
            (
                text.replace("component = \"weather\"", "component = \"mcp\""),
                "weather",
                "no [[trigger.http]]",
            ),
        ] {
            let found = found(&changed, id);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(words), "{found:?}");
        }
    }

    #[test]
    fn tools_that_inherit_what_holds_no_secret_are_taken() {
        for value in [
            "",
            ", inherit_configuration = false",
            ", inherit_configuration = []",
            ", inherit_configuration = [\"allowed_outbound_hosts\"]",
            ", inherit_configuration = [\"environment\", \"files\", \"ai_models\", \"sqlite_databases\"]",
        ] {
            assert_eq!(refused(&tools(value)), Vec::<String>::new(), "{value}");
        }
    }

    #[test]
    fn tools_that_may_call_hosts_are_worth_a_warning() {
        let calls = tools(", inherit_configuration = [\"allowed_outbound_hosts\"]");
        let found = warnings(&manifest(&calls));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("identity provider"));
        assert_eq!(warnings(&manifest(&tools(""))), []);
    }

    #[test]
    fn another_dependency_inherits_what_its_operator_lists() {
        let identity =
            tools(", inherit_configuration = [\"variables\", \"allowed_outbound_hosts\"]").replace(
                "gatehouse:tools/tools@0.3.0",
                "gatehouse:identity/provider@0.3.0",
            );
        assert_eq!(refused(&identity), Vec::<String>::new());
        let alike = tools(", inherit_configuration = true").replace(
            "gatehouse:tools/tools@0.3.0",
            "gatehouse:toolshed/tools@0.3.0",
        );
        assert_eq!(refused(&alike), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_with_resources_of_its_own_is_refused_as_in_spin() {
        let with = |field: &str| {
            format!(
                "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n\
                 \"b:c/d\" = {{ component = \"b\" }}\n[component.b]\nsource = \"b.wasm\"\n{field}"
            )
        };
        for field in [
            "ai_models = [\"a\"]",
            "allowed_http_hosts = [\"a\"]",
            "allowed_outbound_hosts = [\"https://a.test\"]",
            "dependencies = { \"e:f/g\" = { path = \"c.wasm\" } }",
            "environment = { A = \"b\" }",
            "files = [\"a\"]",
            "key_value_stores = [\"default\"]",
            "sqlite_databases = [\"default\"]",
            "variables = { a = \"b\" }",
        ] {
            let found = refused(&with(field));
            let [found] = &found[..] else {
                panic!("{field}: {found:?}")
            };
            let name = field.split(' ').next().unwrap();
            assert!(
                found.contains("\"a\"") && found.contains("\"b\"") && found.contains(name),
                "{found}"
            );
        }
        for field in [
            "",
            "description = \"b\"",
            "variables = {}",
            "files = []",
            "[component.b.build]\ncommand = \"make\"",
        ] {
            assert_eq!(refused(&with(field)), Vec::<String>::new(), "{field}");
        }
    }
}

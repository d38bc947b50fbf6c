//! From a manifest's TOML to an [`App`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    App, Build, Component, Dependency, Inherit, ManifestError, Package, Remote, Route, Source,
    StaticResponse, Target, Trigger, Variable,
};
use composition::{DependencyName, identifier_case};

impl App {
    /// Reads the manifest at `path`. Relative paths in it are taken from its directory.
    ///
    /// # Errors
    /// Says what is wrong, or which field of which component this host does not support.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        Self::from_table(Self::table(path)?, directory(path))
    }

    /// Reads the manifest at `path` as a table, to be changed before [`App::from_table`].
    pub(crate) fn table(path: &Path) -> Result<toml::Table, ManifestError> {
        let text = fs::read_to_string(path).map_err(|source| ManifestError::Read {
            path: path.display().to_string(),
            source,
        })?;
        text.parse().map_err(|error: toml::de::Error| {
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.lines().count().max(1);
            invalid(format!("{}, line {line}", path.display()), error.message())
        })
    }

    /// Makes an application of a manifest's table; relative paths are taken from `directory`.
    pub(crate) fn from_table(table: toml::Table, directory: &Path) -> Result<Self, ManifestError> {
        match table
            .get("spin_manifest_version")
            .and_then(toml::Value::as_integer)
        {
            Some(2) => {}
            Some(other) => {
                return Err(invalid(
                    "spin_manifest_version",
                    format!("version {other} cannot be run, only version 2"),
                ));
            }
            None => return Err(invalid("spin_manifest_version", "must be 2")),
        }
        if let Some(finding) = manifest_rules::refusals(&table).into_iter().next() {
            return Err(invalid(finding.place, finding.reason));
        }
        let document: Document = table
            .try_into()
            .map_err(|error: toml::de::Error| invalid("manifest", error.message()))?;
        let application = document.application;
        unsupported_if(!application.trigger.is_empty(), "[application]", "trigger")?;
        if let Some(kind) = document.trigger.keys().find(|kind| *kind != "http") {
            return Err(unsupported("manifest", &format!("trigger.{kind}")));
        }
        for (name, variable) in &document.variables {
            let place = format!("variable {name:?}");
            identifier_case::snake(name).map_err(|reason| invalid(&place, reason))?;
            if variable.required == variable.default.is_some() {
                return Err(invalid(
                    place,
                    "must either be `required = true` or have a `default`",
                ));
            }
        }
        let mut components = BTreeMap::new();
        for (id, value) in &document.component {
            identifier_case::kebab(id)
                .map_err(|reason| invalid(format!("component {id:?}"), reason))?;
            components.insert(
                id.clone(),
                component(id, value.clone(), directory, &document.component)?,
            );
        }
        let triggers = triggers(document.trigger.into_values().flatten(), &components)?;
        Ok(Self {
            name: application.name,
            version: application.version.filter(|version| !version.is_empty()),
            variables: document.variables,
            triggers,
            components,
        })
    }
}

/// The directory that a manifest's relative paths start from.
pub(crate) fn directory(manifest: &Path) -> &Path {
    match manifest.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn triggers(
    tables: impl Iterator<Item = TriggerTable>,
    components: &BTreeMap<String, Component>,
) -> Result<Vec<Trigger>, ManifestError> {
    let mut triggers = Vec::new();
    for (index, table) in tables.enumerate() {
        let number = index + 1;
        let id = match (&table.id, &table.component) {
            (Some(id), _) if !id.is_empty() => id.clone(),
            (_, Some(toml::Value::String(component))) => format!("{component}-http-trigger"),
            _ => format!("http-trigger{number}"),
        };
        let place = format!("trigger {id:?}");
        unsupported_if(table.components.is_some(), &place, "components")?;
        unsupported_if(table.dependencies.is_some(), &place, "dependencies")?;
        match &table.executor {
            None => {}
            Some(executor)
                if matches!(
                    executor.get("type").and_then(toml::Value::as_str),
                    Some("http" | "spin")
                ) => {}
            Some(_) => return Err(unsupported(&place, "executor")),
        }
        let route = match table.route {
            RouteValue::Pattern(pattern) => Route::Pattern(pattern),
            RouteValue::Private { private: true } => Route::Private,
            RouteValue::Private { private: false } => {
                return Err(invalid(
                    place,
                    "`route` must be a pattern or { private = true }",
                ));
            }
        };
        let target = match (table.component, table.static_response) {
            (Some(toml::Value::String(component)), None) => {
                if !components.contains_key(&component) {
                    return Err(invalid(
                        place,
                        format!("there is no component {component:?}"),
                    ));
                }
                Target::Component(component)
            }
            (Some(_), None) => return Err(unsupported(&place, "component = { ... }")),
            (None, Some(response)) => Target::Static(response),
            (None, None) => {
                return Err(invalid(place, "must have `component` or `static_response`"));
            }
            (Some(_), Some(_)) => {
                return Err(invalid(
                    place,
                    "cannot have both `component` and `static_response`",
                ));
            }
        };
        triggers.push(Trigger { id, route, target });
    }
    Ok(triggers)
}

fn component(
    id: &str,
    value: toml::Value,
    directory: &Path,
    all: &BTreeMap<String, toml::Value>,
) -> Result<Component, ManifestError> {
    let place = format!("component {id:?}");
    let table: ComponentTable = value
        .try_into()
        .map_err(|error: toml::de::Error| invalid(&place, error.message()))?;
    for (field, present) in [
        ("files", !table.files.is_empty()),
        ("sqlite_databases", !table.sqlite_databases.is_empty()),
        ("ai_models", !table.ai_models.is_empty()),
        ("allowed_http_hosts", !table.allowed_http_hosts.is_empty()),
    ] {
        unsupported_if(present, &place, field)?;
    }
    for name in table.variables.keys() {
        identifier_case::snake(name)
            .map_err(|reason| invalid(&place, format!("variable {name:?}: {reason}")))?;
    }
    let source = source(&place, &table.source, directory)?;
    let by_component = table.dependencies_inherit_configuration;
    let mut dependencies: Vec<Dependency> = Vec::new();
    for (name, value) in &table.dependencies {
        let place = format!("{place}, dependency {name:?}");
        let name: DependencyName = name
            .parse()
            .map_err(|reason: String| invalid(&place, reason))?;
        let dependency = dependency(&place, &name, value, directory, all)?;
        if by_component.is_some() && dependency.inherit_configuration.is_some() {
            return Err(invalid(
                place,
                "`inherit_configuration` cannot stand beside the component's `dependencies_inherit_configuration`",
            ));
        }
        if name.is_whole_package() && dependency.export.is_some() {
            return Err(invalid(
                place,
                "`export` needs a dependency name with an interface",
            ));
        }
        if let Some(other) = dependencies.iter().find(|other| other.name.overlaps(&name)) {
            return Err(invalid(
                place,
                format!("it conflicts with the dependency \"{}\"", other.name),
            ));
        }
        let inherit = match dependency.inherit_configuration {
            Some(InheritValue::Some(names)) => Inherit::Only(names),
            Some(InheritValue::All(true)) => Inherit::All,
            None if by_component == Some(true) => Inherit::All,
            Some(InheritValue::All(false)) | None => Inherit::Only(Vec::new()),
        };
        dependencies.push(Dependency {
            name,
            source: dependency.source,
            export: dependency.export,
            inherit,
        });
    }
    Ok(Component {
        source,
        description: table
            .description
            .filter(|description| !description.is_empty()),
        variables: table.variables,
        environment: table.environment,
        allowed_outbound_hosts: table.allowed_outbound_hosts,
        key_value_stores: table.key_value_stores,
        dependencies,
        build: table.build.map(|build| Build {
            commands: match build.command {
                Commands::One(command) => vec![command],
                Commands::Many(commands) => commands,
            },
            workdir: build.workdir.map(|workdir| directory.join(workdir)),
        }),
    })
}

/// What satisfies an import, read.
struct DependencyValue {
    source: Source,
    export: Option<String>,
    inherit_configuration: Option<InheritValue>,
}

fn dependency(
    place: &str,
    name: &DependencyName,
    value: &toml::Value,
    directory: &Path,
    all: &BTreeMap<String, toml::Value>,
) -> Result<DependencyValue, ManifestError> {
    let toml::Value::Table(table) = value else {
        return Err(unsupported_default(place));
    };
    let table: DependencyTable = table
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| invalid(place, error.message()))?;
    let wanted = (
        table.path,
        table.component,
        table.url,
        table.digest,
        table.version,
    );
    let source = match wanted {
        (Some(path), None, None, None, None) => Source::File(directory.join(path)),
        // A dependency on a component of the application is a dependency on that component's file.
        (None, Some(component), None, None, None) => {
            let source = all
                .get(&component)
                .and_then(|component| component.get("source"))
                .ok_or_else(|| invalid(place, format!("there is no component {component:?}")))?;
            self::source(place, source, directory)?
        }
        (None, None, Some(url), Some(digest), None) => remote(place, &url, &digest)?,
        (None, None, None, None, Some(version)) => {
            let registry = table.registry.ok_or_else(|| unsupported_default(place))?;
            let package = match (table.package, name) {
                (Some(package), _) => package,
                (None, DependencyName::Package { package, .. }) => package.clone(),
                (None, DependencyName::Plain(_)) => {
                    return Err(invalid(place, "must have `package`"));
                }
            };
            let package = Package::new(&registry, &package, &version, false);
            Source::Package(package.map_err(|error| invalid(place, error))?)
        }
        _ => {
            return Err(invalid(
                place,
                "must have `path`, `component`, `url` and `digest`, or `registry` and `version`",
            ));
        }
    };
    Ok(DependencyValue {
        source,
        export: table.export,
        inherit_configuration: table.inherit_configuration,
    })
}

/// Reads where the Wasm of a component is.
fn source(place: &str, value: &toml::Value, directory: &Path) -> Result<Source, ManifestError> {
    if let toml::Value::String(path) = value {
        return Ok(Source::File(directory.join(path)));
    }
    let table: SourceTable = value.clone().try_into().map_err(|_| {
        invalid(
            place,
            "`source` must be a path, { url = \"...\", digest = \"sha256:...\" }, or { registry = \"...\", package = \"...\", version = \"...\" }",
        )
    })?;
    match table {
        SourceTable::Remote { url, digest } => remote(place, &url, &digest),
        SourceTable::Package {
            registry,
            package,
            version,
        } => {
            let registry = registry.ok_or_else(|| unsupported_default(place))?;
            let package = Package::new(&registry, &package, &version, true);
            Ok(Source::Package(
                package.map_err(|error| invalid(place, error))?,
            ))
        }
    }
}

fn remote(place: &str, url: &str, digest: &str) -> Result<Source, ManifestError> {
    let remote = Remote::new(url, digest).map_err(|error| invalid(place, error))?;
    Ok(Source::Remote(remote))
}

fn invalid(place: impl ToString, reason: impl ToString) -> ManifestError {
    ManifestError::Invalid {
        place: place.to_string(),
        reason: reason.to_string(),
    }
}

/// That a package names no registry: Spin has a default one in the settings of a user.
fn unsupported_default(place: &str) -> ManifestError {
    invalid(
        place,
        "a package needs `registry`: the embedded host has no default one",
    )
}

fn unsupported(place: &str, field: &str) -> ManifestError {
    ManifestError::Unsupported {
        place: place.to_owned(),
        field: field.to_owned(),
    }
}

fn unsupported_if(present: bool, place: &str, field: &str) -> Result<(), ManifestError> {
    if present {
        Err(unsupported(place, field))
    } else {
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "spin_manifest_version")]
    _version: toml::Value,
    application: ApplicationTable,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    #[serde(default)]
    trigger: BTreeMap<String, Vec<TriggerTable>>,
    #[serde(default)]
    component: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationTable {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(default, rename = "targets")]
    _targets: Vec<toml::Value>,
    #[serde(default)]
    trigger: toml::Table,
    #[serde(default, rename = "tool")]
    _tool: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerTable {
    #[serde(default)]
    id: Option<String>,
    route: RouteValue,
    #[serde(default)]
    component: Option<toml::Value>,
    #[serde(default)]
    static_response: Option<StaticResponse>,
    #[serde(default)]
    executor: Option<toml::Value>,
    #[serde(default)]
    components: Option<toml::Value>,
    #[serde(default)]
    dependencies: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RouteValue {
    Pattern(String),
    Private { private: bool },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentTable {
    source: toml::Value,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<toml::Value>,
    #[serde(default, rename = "exclude_files")]
    _exclude_files: Vec<String>,
    #[serde(default)]
    allowed_http_hosts: Vec<String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: BTreeSet<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
    #[serde(default)]
    ai_models: Vec<String>,
    #[serde(default, rename = "targets")]
    _targets: Option<Vec<toml::Value>>,
    #[serde(default)]
    build: Option<BuildTable>,
    #[serde(default, rename = "tool")]
    _tool: toml::Table,
    #[serde(default)]
    dependencies_inherit_configuration: Option<bool>,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
    // Only `--profile` would switch one on, and this host has no such option.
    #[serde(default, rename = "profile")]
    _profile: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DependencyTable {
    #[serde(default)]
    path: Option<PathBuf>,
    #[serde(default)]
    component: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    registry: Option<String>,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    export: Option<String>,
    #[serde(default)]
    inherit_configuration: Option<InheritValue>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum SourceTable {
    Remote {
        url: String,
        digest: String,
    },
    Package {
        registry: Option<String>,
        package: String,
        version: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InheritValue {
    All(bool),
    Some(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildTable {
    command: Commands,
    #[serde(default)]
    workdir: Option<String>,
    #[serde(default, rename = "watch")]
    _watch: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Commands {
    One(String),
    Many(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "spin_manifest_version = 2\n[application]\nname = \"a\"\n";

    fn parse(rest: &str) -> Result<App, ManifestError> {
        App::from_table(format!("{START}{rest}").parse().unwrap(), Path::new("/app"))
    }

    fn refused(rest: &str, words: &[&str]) {
        let message = parse(rest).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn a_component_is_read_with_its_grants_and_dependencies() {
        let app = parse(
            r#"
            [[trigger.http]]
            route = "/a/..."
            component = "one"
            [[trigger.http]]
            route = { private = true }
            component = "one"
            [component.one]
            source = "one.wasm"
            description = "first"
            key_value_stores = ["default"]
            allowed_outbound_hosts = ["https://a.test"]
            variables = { b_c = "{{ d }}" }
            [component.one.dependencies]
            "a:b/c@1.0.0" = { path = "two.wasm", export = "d:e/f", inherit_configuration = ["variables"] }
            "a:b/d@1.0.0" = { component = "two", inherit_configuration = true }
            "a:b/e@1.0.0" = { path = "/elsewhere/three.wasm" }
            [component.one.build]
            command = ["one", "two"]
            workdir = "sub"
            [component.two]
            source = "two.wasm"
            "#,
        )
        .unwrap();
        let one = &app.components["one"];
        let file = |path: &str| Source::File(path.into());
        assert_eq!(one.source, file("/app/one.wasm"));
        assert_eq!(one.build.as_ref().unwrap().commands, ["one", "two"]);
        let [c, d, e] = &one.dependencies[..] else {
            panic!("three dependencies")
        };
        assert_eq!(
            (&c.source, c.export.as_deref()),
            (&file("/app/two.wasm"), Some("d:e/f"))
        );
        assert_eq!(c.inherit, Inherit::Only(vec!["variables".to_owned()]));
        assert_eq!(
            (&d.source, &d.inherit),
            (&file("/app/two.wasm"), &Inherit::All)
        );
        assert_eq!(
            (&e.source, &e.inherit),
            (&file("/elsewhere/three.wasm"), &Inherit::Only(Vec::new()))
        );
        assert_eq!(app.triggers[1].route, Route::Private);
        assert_eq!(app.triggered().into_iter().collect::<Vec<_>>(), ["one"]);
    }

    #[test]
    fn a_variable_is_either_required_or_has_a_default() {
        refused("[variables]\na = {}", &["\"a\"", "required"]);
        refused(
            "[variables]\na = { required = true, default = \"\" }",
            &["\"a\""],
        );
        refused("[variables]\nA = { required = true }", &["\"A\""]);
    }

    #[test]
    fn dependencies_inherit_by_component_or_one_by_one() {
        let dependency = |value: &str| {
            let source =
                "[component.a]\nsource = \"a.wasm\"\ndependencies_inherit_configuration = true\n";
            format!(
                "{source}[component.a.dependencies]\n\"b:c/d\" = {{ path = \"b.wasm\"{value} }}"
            )
        };
        let app = parse(&dependency("")).unwrap();
        assert_eq!(app.components["a"].dependencies[0].inherit, Inherit::All);
        refused(
            &dependency(", inherit_configuration = false"),
            &["b:c/d", "inherit_configuration"],
        );
    }

    #[test]
    fn a_source_may_be_a_package_of_a_registry_that_is_named() {
        let app = parse(
            r#"
            [component.a]
            source = { registry = "a.test", package = "b:a", version = "1.2.3" }
            [component.a.dependencies]
            "b:c/d" = { registry = "a.test", version = "^1.0" }
            "b:e/d" = { registry = "a.test", version = "=1.0.0", package = "f:g" }
            "#,
        )
        .unwrap();
        let component = &app.components["a"];
        let package = |name: &str, version: &str, is_exact| {
            Source::Package(Package::new("a.test", name, version, is_exact).unwrap())
        };
        assert_eq!(component.source, package("b:a", "1.2.3", true));
        let dependencies = component.dependencies.iter();
        let dependencies: Vec<_> = dependencies.map(|dependency| &dependency.source).collect();
        assert_eq!(
            dependencies,
            [
                &package("b:c", "^1.0", false),
                &package("f:g", "=1.0.0", false)
            ]
        );
        for value in ["\">= 1.0.0\"", "{ version = \"1.0.0\" }"] {
            let source = "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]";
            refused(
                &format!("{source}\n\"b:c/d\" = {value}"),
                &["\"a\"", "b:c/d", "`registry`"],
            );
        }
        for source in [
            r#"{ package = "b:c", version = "1.0.0" }"#,
            r#"{ registry = "a.test", package = "b:c", version = "1" }"#,
            r#"{ registry = "a.test/b", package = "b:c", version = "1.0.0" }"#,
            r#"{ registry = "a.test", package = "b:c", version = "1.0.0", digest = "none" }"#,
        ] {
            refused(&format!("[component.a]\nsource = {source}"), &["\"a\""]);
        }
    }

    #[test]
    fn a_source_may_be_a_url_with_a_digest() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let remote = |name: &str| {
            let url = format!("https://a.test/{name}.wasm");
            format!("{{ url = \"{url}\", digest = \"{digest}\" }}")
        };
        let text = |one: &str, dependency: &str| {
            format!(
                "[[trigger.http]]\nroute = \"/\"\ncomponent = \"one\"\n\
                 [component.one]\nsource = {one}\n\
                 [component.one.dependencies]\n\"a:b/c\" = {dependency}\n\"a:b/d\" = {{ component = \"two\" }}\n\
                 [component.two]\nsource = {}\n[component.unused]\nsource = {}",
                remote("two"),
                remote("unused")
            )
        };
        let dependency = remote("dependency").replace(" }", ", inherit_configuration = true }");
        let app = parse(&text(&remote("one"), &dependency)).unwrap();
        let mut paths: Vec<_> = app
            .sources()
            .map(|source| match source {
                Source::Remote(remote) => remote.url().path(),
                other => panic!("{other:?}"),
            })
            .collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths, ["/dependency.wasm", "/one.wasm", "/two.wasm"]);
        assert_eq!(app.components["one"].dependencies[0].inherit, Inherit::All);
        for wrong in [
            "{ url = \"https://a.test\" }",
            "{ digest = \"sha256:0\" }",
            "{ url = \"https://a.test\", digest = \"sha256:0\" }",
            "{ path = \"a.wasm\", component = \"two\" }",
            "{}",
        ] {
            refused(&text(&remote("one"), wrong), &["\"one\"", "a:b/c"]);
        }
        refused(
            &text("{ path = \"one.wasm\" }", &dependency),
            &["\"one\"", "digest"],
        );
        refused(&text("7", &dependency), &["\"one\"", "source"]);
    }

    #[test]
    fn a_dependency_with_resources_of_its_own_is_refused_as_in_spin() {
        let manifest = "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n\
             \"b:c/d\" = { component = \"b\" }\n[component.b]\nsource = \"b.wasm\"\n";
        assert!(parse(manifest).is_ok());
        refused(
            &format!("{manifest}key_value_stores = [\"default\"]\nvariables = {{ a = \"b\" }}"),
            &["\"a\"", "\"b\"", "key_value_stores, variables"],
        );
    }

    #[test]
    fn tools_that_inherit_secrets_are_refused() {
        for value in ["[\"variables\"]", "[\"key_value_stores\"]", "true"] {
            refused(
                &format!(
                    "[component.mcp]\nsource = \"a.wasm\"\nkey_value_stores = [\"default\"]\n\
                     [component.mcp.variables]\nkey = \"{{{{ encryption_key }}}}\"\n[component.mcp.dependencies]\n\
                     \"gatehouse:tools/tools@0.3.0\" = {{ path = \"b.wasm\", inherit_configuration = {value} }}"
                ),
                &[
                    "\"mcp\"",
                    "gatehouse:tools/tools@0.3.0",
                    "inherit_configuration",
                ],
            );
        }
    }

    #[test]
    fn dependencies_of_one_package_are_disjoint_as_in_spin() {
        let with = |one: &str, other: &str| {
            format!(
                "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n\
                 \"{one}\" = {{ path = \"b.wasm\" }}\n\"{other}\" = {{ path = \"c.wasm\" }}"
            )
        };
        for (one, other) in [
            ("b:c", "b:c/d"),
            ("b:c@0.2.1", "b:c@0.2.2"),
            ("b:c/d@1.0.0", "b:c/d@1.2.0"),
            ("b:c/d", "b:c/d@1.0.0"),
        ] {
            refused(&with(one, other), &[one, other]);
        }
        for (one, other) in [
            ("b:c/d", "b:c/e"),
            ("b:c@0.1.0", "b:c@0.2.0"),
            ("b:c/d@1.0.0", "b:c/d@2.0.0"),
            ("b:c", "b:d"),
            ("plain", "b:c"),
        ] {
            assert!(parse(&with(one, other)).is_ok(), "{one} {other}");
        }
    }

    #[test]
    fn a_trigger_needs_one_target_that_exists() {
        refused("[[trigger.http]]\nroute = \"/\"", &["static_response"]);
        refused(
            "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"",
            &["\"a\""],
        );
        refused(
            "[[trigger.http]]\nroute = { private = false }\nstatic_response = {}",
            &["private"],
        );
    }

    #[test]
    fn another_manifest_version_is_refused() {
        let table = "spin_manifest_version = \"1\"".parse().unwrap();
        assert!(App::from_table(table, Path::new(".")).is_err());
    }
}

//! The application manifest, `spin.toml` version 2: what of it this host runs, and words for the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{dependency_name::DependencyName, names};

/// An application as its manifest describes it, with paths made absolute or relative to the working directory.
#[derive(Clone, Debug)]
pub struct App {
    /// The application's name.
    pub name: String,
    /// The application's version, where one is given.
    pub version: Option<String>,
    /// Application variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// HTTP triggers in the manifest's order.
    pub triggers: Vec<Trigger>,
    /// Components by name.
    pub components: BTreeMap<String, Component>,
}

/// An application variable: either it has a default or a value must be provided.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value where no provider has one.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether a provider must have a value.
    #[serde(default)]
    pub required: bool,
    /// Whether the value is a secret. It changes nothing here: no value is ever shown.
    #[serde(default)]
    pub secret: bool,
    /// What the variable is for.
    #[serde(default)]
    pub description: Option<String>,
}

/// An HTTP trigger: where requests come in and what answers them.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The trigger's identifier, given or derived.
    pub id: String,
    /// Where requests come in.
    pub route: Route,
    /// What answers them.
    pub target: Target,
}

/// Where a trigger's requests come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A path pattern: exact, with `:segments`, or with a trailing `/...`.
    Pattern(String),
    /// No path at all: other components reach it at `http://<component>.spin.internal`.
    Private,
}

/// What answers a trigger's requests.
#[derive(Clone, Debug)]
pub enum Target {
    /// The component of this name.
    Component(String),
    /// A fixed answer.
    Static(StaticResponse),
}

/// A fixed answer, given without any component.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticResponse {
    /// The status code; 200 where it is absent.
    #[serde(default)]
    pub status_code: Option<u16>,
    /// The response's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The response's body; empty where it is absent.
    #[serde(default)]
    pub body: Option<String>,
}

/// A component and what it is granted.
#[derive(Clone, Debug)]
pub struct Component {
    /// The Wasm file.
    pub source: PathBuf,
    /// What the component is for.
    pub description: Option<String>,
    /// Variables by name; values are templates over application variables.
    pub variables: BTreeMap<String, String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Allowed destinations, as templates over application variables.
    pub allowed_outbound_hosts: Vec<String>,
    /// Labels of the key-value stores it may open.
    pub key_value_stores: BTreeSet<String>,
    /// What satisfies its imports.
    pub dependencies: Vec<Dependency>,
    /// How it is built, if the manifest says so.
    pub build: Option<Build>,
}

/// A component that satisfies imports of another one.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Which imports it satisfies.
    pub name: DependencyName,
    /// The Wasm file.
    pub path: PathBuf,
    /// The export to use where it is not named as the import is.
    pub export: Option<String>,
    /// Which of the parent's grants it may use.
    pub inherit: Inherit,
}

/// Which of the parent component's grants a dependency may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// All of them.
    All,
    /// Those named, as in `allowed_outbound_hosts`.
    Only(Vec<String>),
}

/// How a component is built.
#[derive(Clone, Debug)]
pub struct Build {
    /// Shell commands, run in this order.
    pub commands: Vec<String>,
    /// The directory to run them in; the manifest's own where it is absent.
    pub workdir: Option<PathBuf>,
}

/// Why a manifest cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The manifest's path.
        path: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The file is not TOML, or not of a manifest's shape.
    #[error("{place}: {reason}")]
    Invalid {
        /// Where in the manifest.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// The manifest is fine, and asks for something that this host does not do.
    #[error(
        "{place}: `{field}` is not supported by the embedded host; run this application with Spin itself"
    )]
    Unsupported {
        /// Where in the manifest.
        place: String,
        /// The field in question.
        field: String,
    },
}

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
            invalid(path.display().to_string(), error.to_string())
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
            names::snake(name).map_err(|reason| invalid(&place, reason))?;
            if variable.required == variable.default.is_some() {
                return Err(invalid(
                    place,
                    "must either be `required = true` or have a `default`",
                ));
            }
        }
        let mut components = BTreeMap::new();
        for (id, value) in &document.component {
            names::kebab(id).map_err(|reason| invalid(format!("component {id:?}"), reason))?;
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

    /// The names of the components that some trigger uses; the others are never loaded.
    pub fn triggered(&self) -> BTreeSet<&str> {
        self.triggers
            .iter()
            .filter_map(|trigger| match &trigger.target {
                Target::Component(id) => Some(id.as_str()),
                Target::Static(_) => None,
            })
            .collect()
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
        names::snake(name)
            .map_err(|reason| invalid(&place, format!("variable {name:?}: {reason}")))?;
    }
    let source = local(&table.source).ok_or_else(|| unsupported(&place, "source = { ... }"))?;
    let by_component = table.dependencies_inherit_configuration;
    let mut dependencies = Vec::new();
    for (name, value) in &table.dependencies {
        let place = format!("{place}, dependency {name:?}");
        let name: DependencyName = name
            .parse()
            .map_err(|reason: String| invalid(&place, reason))?;
        let dependency = dependency(&place, value, all)?;
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
        let inherit = match dependency.inherit_configuration {
            Some(InheritValue::Some(names)) => Inherit::Only(names),
            Some(InheritValue::All(true)) => Inherit::All,
            None if by_component == Some(true) => Inherit::All,
            Some(InheritValue::All(false)) | None => Inherit::Only(Vec::new()),
        };
        dependencies.push(Dependency {
            name,
            path: directory.join(dependency.path),
            export: dependency.export,
            inherit,
        });
    }
    Ok(Component {
        source: directory.join(source),
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

fn dependency(
    place: &str,
    value: &toml::Value,
    all: &BTreeMap<String, toml::Value>,
) -> Result<DependencyTable, ManifestError> {
    let toml::Value::Table(table) = value else {
        return Err(unsupported(place, "version"));
    };
    for field in ["version", "registry", "package", "url", "digest"] {
        unsupported_if(table.contains_key(field), place, field)?;
    }
    let mut table = table.clone();
    // A dependency on a component of the application is a dependency on that component's file.
    if let Some(component) = table.remove("component") {
        let source = component
            .as_str()
            .and_then(|id| all.get(id))
            .and_then(|component| component.get("source"));
        let source = source.ok_or_else(|| {
            invalid(
                place,
                format!(
                    "there is no component {:?}",
                    component.as_str().unwrap_or_default()
                ),
            )
        })?;
        let path = local(source).ok_or_else(|| unsupported(place, "component"))?;
        table.insert("path".to_owned(), toml::Value::String(path.to_owned()));
    }
    table
        .try_into()
        .map_err(|error: toml::de::Error| invalid(place, error.message()))
}

fn local(source: &toml::Value) -> Option<&str> {
    source.as_str()
}

fn invalid(place: impl ToString, reason: impl ToString) -> ManifestError {
    ManifestError::Invalid {
        place: place.to_string(),
        reason: reason.to_string(),
    }
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
    path: PathBuf,
    #[serde(default)]
    export: Option<String>,
    #[serde(default)]
    inherit_configuration: Option<InheritValue>,
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

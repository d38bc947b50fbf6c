//! The application manifest, `spin.toml` version 2: what of it this host runs, and words for the rest.

mod read;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Deserialize;

pub(crate) use self::read::directory;
pub use self::source::{InvalidSource, Package, Remote, Sha256, Source};
pub(crate) use self::source::{may_be_fetched, shown};
pub use composition::Inherit;

use composition::DependencyName;

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
    /// Where its Wasm is.
    pub source: Source,
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
    /// Where its Wasm is.
    pub source: Source,
    /// The export to use where it is not named as the import is.
    pub export: Option<String>,
    /// Which of the parent's grants it may use.
    pub inherit: Inherit,
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

    /// Where the Wasm is of the components that some trigger uses.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let used = self.triggered();
        let used = used.into_iter().filter_map(|id| self.components.get(id));
        used.flat_map(|component| {
            let dependencies = component.dependencies.iter();
            dependencies
                .map(|dependency| &dependency.source)
                .chain([&component.source])
        })
    }
}

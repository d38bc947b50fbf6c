//! The runtime configuration, `runtime-config.toml`: key-value backends and blocked networks.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    blocked_networks::BlockedNetworks,
    key_value::{Backends, KeyValue},
    variables::VariableSource,
};

/// The label of the store that is there without being configured.
const DEFAULT_STORE: &str = "default";

/// The default store's file in the state directory.
const DEFAULT_STORE_FILE: &str = "sqlite_key_value.db";

/// What the operator configured.
pub(crate) struct RuntimeConfig {
    /// Key-value stores by label, the default one among them.
    pub(crate) key_value: Backends,
    /// Networks that no component may reach.
    pub(crate) blocked: BlockedNetworks,
    /// Whether connections are used for more than one request.
    pub(crate) pooling: bool,
    /// Sources of variables, before the environment.
    pub(crate) variables: Vec<VariableSource>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file's path.
        path: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// Something in it is wrong, or not supported by this host.
    #[error("runtime configuration: {0}")]
    Invalid(String),
}

/// The file of the default store, unless the configuration names another.
pub(crate) struct Defaults<'a> {
    /// The application's directory.
    pub(crate) application: &'a Path,
    /// The state directory, if one is asked for; empty stands for memory.
    pub(crate) state: Option<&'a Path>,
}

impl RuntimeConfig {
    /// Reads the file, if there is one.
    pub(crate) fn read(
        path: Option<&Path>,
        defaults: &Defaults<'_>,
    ) -> Result<Self, RuntimeConfigError> {
        let Some(path) = path else {
            return Self::parse("", Path::new("."), defaults);
        };
        let text = fs::read_to_string(path).map_err(|source| RuntimeConfigError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text, crate::manifest::directory(path), defaults)
    }

    fn parse(
        text: &str,
        directory: &Path,
        defaults: &Defaults<'_>,
    ) -> Result<Self, RuntimeConfigError> {
        // The error's own text shows the line, which may hold a password.
        let file: File = toml::from_str(text)
            .map_err(|error| RuntimeConfigError::Invalid(error.message().to_owned()))?;
        let mut key_value = Backends::new();
        for (label, store) in file.key_value_store {
            let invalid = |reason: String| {
                RuntimeConfigError::Invalid(format!("[key_value_store.{label}]: {reason}"))
            };
            let store: Store = match store.kind.as_str() {
                "spin" | "redis" => store,
                other => {
                    return Err(invalid(format!(
                        "type {other:?} is not supported by the embedded host"
                    )));
                }
            };
            let backend = match (store.kind.as_str(), store.path, store.url) {
                ("spin", Some(path), None) => KeyValue::sqlite(directory.join(path)),
                ("spin", None, None) => KeyValue::memory(),
                ("redis", None, Some(url)) => {
                    KeyValue::redis(&url).map_err(|error| invalid(error.to_string()))?
                }
                ("redis", None, None) => return Err(invalid("`url` is missing".to_owned())),
                (_, Some(_), _) => return Err(invalid("`path` is not for this type".to_owned())),
                (_, _, Some(_)) => return Err(invalid("`url` is not for this type".to_owned())),
                (_, None, None) => return Err(invalid("the type is not supported".to_owned())),
            };
            key_value.insert(label, backend);
        }
        let state = match (defaults.state, &file.state_dir) {
            (Some(state), _) => Some(state.to_owned()),
            (None, Some(state)) => Some(PathBuf::from(state)),
            (None, None) => Some(defaults.application.join(".spin")),
        };
        let state = state.filter(|state| !state.as_os_str().is_empty());
        key_value
            .entry(DEFAULT_STORE.to_owned())
            .or_insert_with(|| match state {
                Some(state) => KeyValue::sqlite(state.join(DEFAULT_STORE_FILE)),
                None => KeyValue::memory(),
            });
        let blocked = BlockedNetworks::parse(
            file.outbound_networking
                .block_networks
                .iter()
                .map(String::as_str),
        )
        .map_err(|reason| {
            RuntimeConfigError::Invalid(format!("[outbound_networking] block_networks: {reason}"))
        })?;
        Ok(Self {
            key_value,
            blocked,
            pooling: file
                .outbound_http
                .is_none_or(|outbound| outbound.connection_pooling),
            variables: file
                .variables_provider
                .into_iter()
                .map(Provider::source)
                .collect(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key_value_store: BTreeMap<String, Store>,
    #[serde(default)]
    outbound_networking: OutboundNetworking,
    #[serde(default)]
    outbound_http: Option<OutboundHttp>,
    #[serde(default)]
    variables_provider: Vec<Provider>,
    #[serde(default)]
    state_dir: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    path: Option<PathBuf>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundNetworking {
    #[serde(default)]
    block_networks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboundHttp {
    // As in Spin: on without the table, off with a table that does not say so.
    #[serde(default)]
    connection_pooling: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Provider {
    Static {
        values: BTreeMap<String, String>,
    },
    Env {
        #[serde(default)]
        prefix: Option<String>,
        #[serde(default)]
        dotenv_path: Option<PathBuf>,
    },
}

impl Provider {
    fn source(self) -> VariableSource {
        match self {
            Self::Static { values } => VariableSource::Given(values),
            Self::Env {
                prefix,
                dotenv_path,
            } => VariableSource::Environment {
                prefix: prefix.unwrap_or_else(|| "SPIN_VARIABLE".to_owned()),
                file: dotenv_path,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuntimeConfig, RuntimeConfigError> {
        RuntimeConfig::parse(
            text,
            Path::new("/config"),
            &Defaults {
                application: Path::new("/app"),
                state: None,
            },
        )
    }

    fn refused(text: &str, reason: &str) {
        let Err(error) = parse(text) else {
            panic!("{text:?} is taken")
        };
        assert!(error.to_string().contains(reason), "{error}");
    }

    #[test]
    fn the_default_store_is_there_without_any_configuration() {
        let config = parse("").unwrap();
        assert_eq!(config.key_value.keys().collect::<Vec<_>>(), ["default"]);
        assert!(config.pooling);
    }

    #[test]
    fn stores_networks_and_variables_are_configured() {
        let config = parse(
            r#"
            [key_value_store.a]
            type = "spin"
            path = "a.db"
            [key_value_store.b]
            type = "redis"
            url = "redis://127.0.0.1:6379"
            [outbound_networking]
            block_networks = ["private", "1.1.1.1/32"]
            [[variables_provider]]
            type = "static"
            values = { a = "b" }
            "#,
        )
        .unwrap();
        assert_eq!(
            config.key_value.keys().collect::<Vec<_>>(),
            ["a", "b", "default"]
        );
        assert!(config.blocked.contains("10.0.0.1".parse().unwrap()));
        assert!(config.blocked.contains("1.1.1.1".parse().unwrap()));
        assert_eq!(config.variables.len(), 1);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        refused(
            "[key_value_store.a]\ntype = \"azure_cosmos\"",
            "azure_cosmos",
        );
        refused("[sqlite_database.a]\ntype = \"spin\"", "sqlite_database");
        refused("[[variables_provider]]\ntype = \"vault\"", "vault");
        refused(
            "[outbound_networking]\nblock_networks = [\"everything\"]",
            "everything",
        );
    }

    #[test]
    fn a_wrong_redis_url_is_refused_without_being_shown() {
        let text = "[key_value_store.a]\ntype = \"redis\"\nurl = \"http://user:sesame@host\"";
        let Err(error) = parse(text) else {
            panic!("taken")
        };
        assert!(!error.to_string().contains("sesame"), "{error}");
    }
}

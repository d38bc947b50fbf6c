//! Application variables: where their values come from, and what each component sees of them.

mod wasip2;
mod wasip3;

use std::{
    collections::{BTreeMap, HashMap},
    env,
    path::{Path, PathBuf},
};

use composition::identifier_case;

use crate::{
    component,
    manifest::{App, Component},
    template::Template,
};

/// Where the values of application variables come from. The first source that has one wins; the manifest's default is last.
#[derive(Clone, Debug)]
pub enum VariableSource {
    /// Given values by variable name.
    Given(BTreeMap<String, String>),
    /// Environment variables `<prefix>_<UPPER_CASE_NAME>`, and after them a file of such variables.
    Environment {
        /// The prefix, without the underscore.
        prefix: String,
        /// The file, if there is to be one. It need not exist.
        file: Option<PathBuf>,
    },
}

impl VariableSource {
    /// `SPIN_VARIABLE_*` in the environment, then in the file `.env` of this directory.
    pub fn environment(directory: &Path) -> Self {
        Self::Environment {
            prefix: "SPIN_VARIABLE".to_owned(),
            file: Some(directory.join(".env")),
        }
    }
}

/// Why the variables of an application cannot be resolved. No value is ever part of the message.
#[derive(Debug, thiserror::Error)]
pub enum VariableError {
    /// Required variables have no value.
    #[error(
        "no value for the required variable(s) {0}: set {1} in the environment or in .env, or pass --variable"
    )]
    Missing(String, String),
    /// A line of an environment file is malformed.
    #[error("{path}, line {line}: not of the form NAME=value")]
    File {
        /// The file's path.
        path: String,
        /// The line's number, from 1.
        line: usize,
    },
    /// An environment variable is not Unicode.
    #[error("the environment variable {0} is not Unicode")]
    NotUnicode(String),
    /// A given value belongs to no variable of the application.
    #[error("the application has no variable {0:?}")]
    Unknown(String),
    /// A template is malformed or names no variable of the application.
    #[error("component {component:?}, {field}: {reason}")]
    Template {
        /// The component's name.
        component: String,
        /// The field or variable of it.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

/// Resolves every variable of the application.
///
/// # Errors
/// A required variable has no value, or an environment file is malformed.
pub(crate) fn resolve(
    app: &App,
    sources: &[VariableSource],
) -> Result<BTreeMap<String, String>, VariableError> {
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    let loaded = sources
        .iter()
        .map(Loaded::new)
        .collect::<Result<Vec<_>, _>>()?;
    for (name, variable) in &app.variables {
        let mut value = None;
        for source in &loaded {
            value = source.get(name)?;
            if value.is_some() {
                break;
            }
        }
        match value.or_else(|| variable.default.clone()) {
            Some(value) => {
                values.insert(name.clone(), value);
            }
            None => missing.push(name.as_str()),
        }
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        let spelled = missing
            .iter()
            .map(|name| format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()));
        Err(VariableError::Missing(
            missing.join(", "),
            spelled.collect::<Vec<_>>().join(", "),
        ))
    }
}

/// The variables that have a default, with it.
pub(crate) fn defaults(app: &App) -> BTreeMap<String, String> {
    let defaults = app.variables.iter().filter_map(|(name, variable)| {
        let default = variable.default.clone()?;
        Some((name.clone(), default))
    });
    defaults.collect()
}

/// The variables that a component sees, by name.
///
/// # Errors
/// A value's template is malformed or names no variable of the application.
pub(crate) fn of_component(
    id: &str,
    component: &Component,
    values: &BTreeMap<String, String>,
) -> Result<HashMap<String, String>, VariableError> {
    let resolve = |name: &String, template: &String| {
        let value = Template::parse(template).and_then(|template| {
            template
                .resolve(values)
                .map_err(|name| format!("the application has no variable {name:?}"))
        });
        match value {
            Ok(value) => Ok((name.clone(), value)),
            Err(reason) => Err(VariableError::Template {
                component: id.to_owned(),
                field: format!("variable {name:?}"),
                reason,
            }),
        }
    };
    component
        .variables
        .iter()
        .map(|(name, template)| resolve(name, template))
        .collect()
}

/// Why a component is told no value.
enum LookupError {
    /// The name is not one that a variable can have; the reason.
    InvalidName(String),
    /// The component has no such variable; the message.
    Undefined(String),
}

/// Returns the value of a variable that a component asks for.
fn look_up(component: &component::Component, name: &str) -> Result<String, LookupError> {
    identifier_case::snake(name)
        .map_err(|reason| LookupError::InvalidName(format!("{name:?}: {reason}")))?;
    component.variables.get(name).cloned().ok_or_else(|| {
        LookupError::Undefined(format!("no variable for {:?}.{name:?}", component.id))
    })
}

enum Loaded<'a> {
    Given(&'a BTreeMap<String, String>),
    Environment {
        prefix: &'a str,
        file: HashMap<String, String>,
    },
}

impl<'a> Loaded<'a> {
    fn new(source: &'a VariableSource) -> Result<Self, VariableError> {
        Ok(match source {
            VariableSource::Given(values) => Self::Given(values),
            VariableSource::Environment { prefix, file } => Self::Environment {
                prefix,
                file: file
                    .as_deref()
                    .map(read_file)
                    .transpose()?
                    .unwrap_or_default(),
            },
        })
    }

    fn get(&self, name: &str) -> Result<Option<String>, VariableError> {
        match self {
            Self::Given(values) => Ok(values.get(name).cloned()),
            Self::Environment { prefix, file } => {
                let name = format!("{prefix}_{}", name.to_ascii_uppercase());
                match env::var(&name) {
                    Ok(value) => Ok(Some(value)),
                    Err(env::VarError::NotPresent) => Ok(file.get(&name).cloned()),
                    Err(env::VarError::NotUnicode(_)) => Err(VariableError::NotUnicode(name)),
                }
            }
        }
    }
}

fn read_file(path: &Path) -> Result<HashMap<String, String>, VariableError> {
    let Ok(lines) = dotenvy::from_path_iter(path) else {
        return Ok(HashMap::new());
    };
    // The parser's own error shows the line, which may hold a secret.
    lines
        .enumerate()
        .map(|(index, line)| {
            line.map_err(|_| VariableError::File {
                path: path.display().to_string(),
                line: index + 1,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let manifest = r#"
            spin_manifest_version = 2
            [application]
            name = "a"
            [variables]
            plain = { default = "p" }
            secret = { required = true, secret = true }
            [component.c]
            source = "c.wasm"
            variables = { address = "http://{{ plain }}:1", same = "{{secret}}" }
        "#;
        App::from_table(manifest.parse().unwrap(), Path::new(".")).unwrap()
    }

    fn given(values: &[(&str, &str)]) -> VariableSource {
        VariableSource::Given(
            values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn the_first_source_wins_and_the_default_is_last() {
        let sources = [
            given(&[("secret", "1")]),
            given(&[("secret", "2"), ("plain", "3")]),
        ];
        let values = resolve(&app(), &sources).unwrap();
        assert_eq!(values["secret"], "1");
        assert_eq!(values["plain"], "3");
        let values = resolve(&app(), &[given(&[("secret", "1")])]).unwrap();
        assert_eq!(values["plain"], "p");
    }

    #[test]
    fn a_required_variable_without_a_value_is_named_with_its_environment_variable() {
        let message = resolve(&app(), &[]).unwrap_err().to_string();
        assert!(
            message.contains("secret") && message.contains("SPIN_VARIABLE_SECRET"),
            "{message}"
        );
    }

    #[test]
    fn an_environment_file_gives_prefixed_upper_case_names() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join(".env"),
            "# comment\nHOST_TEST_A_SECRET='from file'\n",
        )
        .unwrap();
        let source = VariableSource::Environment {
            prefix: "HOST_TEST_A".to_owned(),
            file: Some(directory.path().join(".env")),
        };
        assert_eq!(resolve(&app(), &[source]).unwrap()["secret"], "from file");
    }

    #[test]
    fn a_malformed_environment_file_is_an_error_that_shows_none_of_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(".env"), "GOOD=1\nsesame open\n").unwrap();
        let error = resolve(&app(), &[VariableSource::environment(directory.path())])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && !error.contains("sesame"),
            "{error}"
        );
    }

    #[test]
    fn a_component_sees_its_own_variables_only() {
        let app = app();
        let values = resolve(&app, &[given(&[("secret", "s")])]).unwrap();
        let seen = of_component("c", &app.components["c"], &values).unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen["address"], "http://p:1");
        assert_eq!(seen["same"], "s");
    }
}

//! The API: a document, and the operations of it that are offered.

use crate::document::{Document, DocumentError, object};
use crate::entry::Entry;
use crate::methods::METHODS;
use crate::name::Names;
use crate::operation::{Operation, operation_id};
use crate::pattern::Subject;
use crate::schema::{bounded, text};
use crate::settings::Settings;
use crate::steps::Steps;
use crate::tool::Tool;
use crate::unusable::Unusable;
use serde_json::Value;
use std::sync::OnceLock;
use strict_json::excerpt;
use url::Url;

/// A document with the operations that the configuration selects.
#[derive(Debug)]
pub struct Api {
    document: Document,
    /// All of them, whether they are offered or not.
    entries: Vec<Entry>,
    /// Paths whose reference leads nowhere.
    left_out: Vec<(String, Unusable)>,
    over_the_limit: usize,
    /// Patterns that fit no operation, each with its variable.
    unmatched: Vec<(&'static str, String)>,
}

/// What the document says of the API as a whole (Info Object).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// For programs: the title in the characters of tools' names.
    pub name: String,
    /// For people.
    pub title: String,
    /// Of the API.
    pub version: String,
    /// What it is for.
    pub description: Option<String>,
}

/// The tools, and what did not become one.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// In the order of their paths.
    pub tools: Vec<Tool>,
    /// Operations that were selected and cannot be tools, and paths whose reference leads nowhere, each with the reason.
    pub left_out: Vec<(String, Unusable)>,
    /// Patterns that fit no operation, each with its variable.
    pub unmatched: Vec<(&'static str, String)>,
    /// Whether any of the tools shows the API the configured credentials.
    pub use_credentials: bool,
    /// Operations that were selected beyond the largest number allowed.
    pub over_the_limit: usize,
}

/// Bytes of all tools. A tool server takes 16 MiB.
const MAX_OFFER_BYTES: usize = 8 << 20;

impl Api {
    /// Reads a document. `url` is where it was fetched from.
    ///
    /// # Errors
    ///
    /// See [`DocumentError`].
    pub fn read(text: &str, url: Option<Url>, settings: &Settings) -> Result<Self, DocumentError> {
        let document = Document::read(text, url)?;
        let (mut entries, mut left_out) = (Vec::new(), Vec::new());
        let mut unmatched: Vec<_> = settings.patterns().collect();
        let (mut offered, mut over_the_limit) = (0, 0);
        // Every operation takes its name, so that a name does not depend on what is selected.
        let mut names = Names::default();
        for (path, path_item) in document.get("paths").map(object).into_iter().flatten() {
            let path_item = match document.resolve(path_item) {
                Ok(path_item) => path_item,
                Err(error) => {
                    left_out.push((excerpt(path), error.into()));
                    continue;
                }
            };
            for method in METHODS {
                let key = method.as_str().to_ascii_lowercase();
                let Some(operation) = path_item
                    .get(&key)
                    .filter(|operation| operation.is_object())
                else {
                    continue;
                };
                let by_path = format!("{key} {path}");
                let operation_id = operation_id(operation);
                let name = names.take(&[operation_id.unwrap_or_default(), &by_path]);
                let subject = Subject {
                    name: &name,
                    operation_id,
                    method: &method,
                    path,
                };
                unmatched.retain(|(_, pattern)| !pattern.fits(subject));
                let tags = operation.get("tags").and_then(Value::as_array);
                let tags: Vec<_> = tags
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let is_selected = settings.selection.includes(subject, &tags);
                let is_offered = is_selected && offered < settings.selection.max_operations;
                offered += usize::from(is_offered);
                over_the_limit += usize::from(is_selected && !is_offered);
                entries.push(Entry {
                    name,
                    method,
                    path: path.clone(),
                    is_offered,
                    output_schema: OnceLock::new(),
                });
            }
        }
        let unmatched = unmatched.into_iter();
        let unmatched = unmatched.map(|(variable, pattern)| (variable, pattern.to_string()));
        Ok(Self {
            unmatched: unmatched.collect(),
            document,
            entries,
            left_out,
            over_the_limit,
        })
    }

    /// Returns what the document says of the API as a whole.
    pub fn info(&self) -> Info {
        let said = |key: &str| {
            let value = self.document.at(&["info", key])?;
            // YAML without quotes has a number for a version.
            let written = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            text(Some(&written)).map(|text| bounded(text, 500))
        };
        let title = said("title").unwrap_or_else(|| "API".to_owned());
        Info {
            name: Names::default().take(&[&title.to_lowercase(), "api"]),
            version: said("version").unwrap_or_else(|| "0".to_owned()),
            description: said("summary").or_else(|| said("description")),
            title,
        }
    }

    /// Returns the tools.
    pub fn tools(&self, settings: &Settings) -> Tools {
        let mut tools = Tools {
            left_out: self.left_out.clone(),
            over_the_limit: self.over_the_limit,
            unmatched: self.unmatched.clone(),
            ..Tools::default()
        };
        let mut bytes = Steps::new(MAX_OFFER_BYTES);
        for entry in self.entries.iter().filter(|entry| entry.is_offered) {
            let tool = Operation::read(&self.document, &self.entries, entry, settings)
                .and_then(|operation| Ok((operation.tool(settings)?, operation.has_credential())))
                .and_then(|tool| match bytes.take(tool.0.bytes()) {
                    true => Ok(tool),
                    false => Err(Unusable::Offer(MAX_OFFER_BYTES)),
                });
            match tool {
                Ok((tool, has_credential)) => {
                    tools.tools.push(tool);
                    tools.use_credentials |= has_credential;
                }
                Err(unusable) => tools.left_out.push((entry.name.clone(), unusable)),
            }
        }
        tools
    }

    /// Returns the operation whose tool has this name; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the operation cannot be a tool.
    pub fn operation(
        &self,
        name: &str,
        settings: &Settings,
    ) -> Result<Option<Operation<'_>>, Unusable> {
        let mut entries = self.entries.iter().filter(|entry| entry.is_offered);
        let entry = entries.find(|entry| entry.name == name);
        entry
            .map(|entry| Operation::read(&self.document, &self.entries, entry, settings))
            .transpose()
    }
}

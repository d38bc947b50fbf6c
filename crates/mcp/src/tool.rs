//! Tools: the result of `tools/list` (2025-11-25, Tools, Listing Tools).

use crate::Revision;
use crate::icon::Icon;
use crate::json::{self, InvalidJson};
use crate::result_envelope::{Envelope, Freshness, complete};
use serde::Serialize;
use serde_json::value::RawValue;

/// A tool, as its component describes it.
#[derive(Clone, Debug, Default)]
pub struct ToolDescription {
    /// For programs.
    pub name: String,
    /// For people; from 2025-06-18 on.
    pub title: Option<String>,
    /// For the model.
    pub description: Option<String>,
    /// From 2025-11-25 on.
    pub icons: Vec<Icon>,
    /// The JSON Schema of the arguments.
    pub input_schema: String,
    /// The JSON Schema of the structured content; from 2025-06-18 on.
    pub output_schema: Option<String>,
    /// Hints; from 2025-03-26 on.
    pub annotations: Option<ToolAnnotations>,
    /// `_meta`: a JSON object; from 2025-06-18 on.
    pub meta: Option<String>,
}

/// A tool that can be offered.
#[derive(Clone, Debug)]
pub struct Tool {
    description: ToolDescription,
    input_schema: Box<RawValue>,
    output_schema: Option<OutputSchema>,
}

#[derive(Clone, Debug)]
struct OutputSchema {
    text: Box<RawValue>,
    is_of_objects: bool,
}

/// Hints about what a tool does; from 2025-03-26 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToolAnnotations {
    /// It changes nothing.
    #[serde(rename = "readOnlyHint", skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// What it changes may be lost.
    #[serde(rename = "destructiveHint", skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// A second call with the same arguments changes nothing more.
    #[serde(rename = "idempotentHint", skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// It deals with things outside of its own.
    #[serde(rename = "openWorldHint", skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

/// Why a tool cannot be offered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidTool {
    /// The name is empty, too long, or has characters other than `A-Z a-z 0-9 _ - . /`.
    #[error("a tool has a name that tools cannot have")]
    Name,
    /// The input schema is no JSON object of `"type": "object"`, or the output schema no object.
    #[error("the tool {0} has a schema that is not an object schema")]
    Schema(String),
    /// Its `_meta` is no JSON object.
    #[error("the tool {0} has a _meta that is not an object")]
    Meta(String),
}

impl Tool {
    /// A tool that fits its description.
    ///
    /// # Errors
    ///
    /// [`InvalidTool`].
    pub fn new(description: ToolDescription) -> Result<Self, InvalidTool> {
        let name = &description.name;
        if !is_name(name) {
            return Err(InvalidTool::Name);
        }
        let no_schema = || InvalidTool::Schema(name.clone());
        let (input_schema, takes_objects) =
            schema(&description.input_schema).ok_or_else(no_schema)?;
        if !takes_objects {
            return Err(no_schema());
        }
        let output_schema = match &description.output_schema {
            None => None,
            Some(text) => {
                let (text, is_of_objects) = schema(text).ok_or_else(no_schema)?;
                Some(OutputSchema {
                    text,
                    is_of_objects,
                })
            }
        };
        let meta = description.meta.as_deref();
        if meta.is_some_and(|meta| schema(meta).is_none()) {
            return Err(InvalidTool::Meta(name.clone()));
        }
        Ok(Self {
            input_schema,
            output_schema,
            description,
        })
    }

    /// Returns the same tool under another name.
    ///
    /// # Errors
    ///
    /// [`InvalidTool::Name`].
    pub fn renamed(mut self, name: String) -> Result<Self, InvalidTool> {
        if !is_name(&name) {
            return Err(InvalidTool::Name);
        }
        self.description.name = name;
        Ok(self)
    }

    /// What calls name it by.
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// What its component says of it.
    pub fn description(&self) -> &ToolDescription {
        &self.description
    }

    /// The JSON Schema of its arguments.
    pub fn input_schema(&self) -> &str {
        self.input_schema.get()
    }

    /// The JSON Schema of its structured content.
    pub fn output_schema(&self) -> Option<&str> {
        self.output_schema.as_ref().map(|schema| schema.text.get())
    }
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
}

/// The text of a JSON object, and whether it has a `"type": "object"`.
fn schema(text: &str) -> Option<(Box<RawValue>, bool)> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let is_of_objects = value
        .as_object()?
        .get("type")
        .is_some_and(|kind| kind == "object");
    Some((serde_json::from_str(text.trim()).ok()?, is_of_objects))
}

/// Returns the result of `tools/list` in `envelope`, as JSON.
///
/// # Errors
///
/// Fails if a text that should be JSON is not.
pub fn tools_list<'a>(
    tools: impl IntoIterator<Item = &'a Tool>,
    envelope: &Envelope,
    freshness: Freshness,
) -> Result<String, InvalidJson> {
    #[derive(Serialize)]
    struct Wire<'a> {
        tools: Vec<WireTool<'a>>,
    }
    let tools = tools.into_iter();
    let result = json::write(&Wire {
        tools: tools
            .map(|tool| WireTool::new(tool, envelope.revision))
            .collect(),
    })?;
    Ok(complete(result, None, envelope, Some(freshness)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireTool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<WireAnnotations<'a>>,
    #[serde(
        rename = "_meta",
        skip_serializing_if = "Option::is_none",
        serialize_with = "json::object"
    )]
    meta: Option<&'a str>,
}

#[derive(Serialize)]
struct WireAnnotations<'a> {
    /// Where the title was before tools had one of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(flatten)]
    hints: ToolAnnotations,
}

impl<'a> WireTool<'a> {
    fn new(tool: &'a Tool, revision: Revision) -> Self {
        let described = &tool.description;
        let title = described.title.as_deref();
        let has_title = revision.has_structured_content();
        let annotations = WireAnnotations {
            title: title.filter(|_| !has_title),
            hints: described.annotations.unwrap_or_default(),
        };
        let says_something =
            annotations.title.is_some() || annotations.hints != ToolAnnotations::default();
        let output_schema = tool
            .output_schema
            .as_ref()
            .filter(|schema| revision.is_stateless() || (has_title && schema.is_of_objects));
        Self {
            name: &described.name,
            title: title.filter(|_| has_title),
            description: described.description.as_deref(),
            icons: if revision.has_icons() {
                &described.icons
            } else {
                &[]
            },
            input_schema: &tool.input_schema,
            output_schema: output_schema.map(|schema| &*schema.text),
            annotations: (revision.has_annotations() && says_something).then_some(annotations),
            meta: described.meta.as_deref().filter(|_| has_title),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icon::Theme;
    use serde_json::{Value, json};

    fn tool(name: &str, schema: &str) -> Result<Tool, InvalidTool> {
        Tool::new(ToolDescription {
            name: name.into(),
            title: Some("Add".into()),
            description: Some("Adds.".into()),
            icons: vec![Icon {
                src: "data:,".into(),
                mime_type: None,
                sizes: vec!["any".into()],
                theme: Some(Theme::Dark),
            }],
            input_schema: schema.into(),
            output_schema: Some(r#"{"type":"object"}"#.into()),
            annotations: Some(ToolAnnotations {
                read_only: Some(true),
                ..ToolAnnotations::default()
            }),
            meta: Some(r#"{"m":1}"#.into()),
        })
    }

    fn shown(revision: Revision) -> Value {
        let tool = tool("add", r#"{"type":"object","properties":{}}"#).unwrap();
        let list = tools_list([&tool], &revision.into(), Freshness::default()).unwrap();
        let list: Value = serde_json::from_str(&list).unwrap();
        list["tools"][0].clone()
    }

    #[test]
    fn each_revision_gets_the_fields_it_knows() {
        let input = json!({"type":"object","properties":{}});
        assert_eq!(
            shown(Revision::V2024_11_05),
            json!({"name":"add","description":"Adds.","inputSchema":input})
        );
        assert_eq!(
            shown(Revision::V2025_03_26),
            json!({"name":"add","description":"Adds.","inputSchema":input,
                "annotations":{"title":"Add","readOnlyHint":true}})
        );
        let mut newer = json!({"name":"add","title":"Add","description":"Adds.",
            "inputSchema":input, "outputSchema":{"type":"object"},
            "annotations":{"readOnlyHint":true}, "_meta":{"m":1}});
        assert_eq!(shown(Revision::V2025_06_18), newer);
        newer["icons"] = json!([{"src":"data:,","sizes":["any"],"theme":"dark"}]);
        assert_eq!(shown(Revision::V2025_11_25), newer);
        assert_eq!(shown(Revision::V2026_07_28), newer);
    }

    #[test]
    fn a_schema_of_something_else_than_objects_goes_to_2026_07_28_alone() {
        let tool = Tool::new(ToolDescription {
            name: "list".into(),
            input_schema: r#"{"type":"object"}"#.into(),
            output_schema: Some(r#"{"type":"array"}"#.into()),
            ..ToolDescription::default()
        })
        .unwrap();
        for revision in Revision::ALL {
            let list = tools_list([&tool], &revision.into(), Freshness::default()).unwrap();
            assert_eq!(list.contains("outputSchema"), revision.is_stateless());
        }
    }

    #[test]
    fn a_tool_needs_a_good_name_and_an_object_schema() {
        let object = r#"{"type":"object"}"#;
        for name in ["", "a b", "ä", &"x".repeat(129)] {
            assert_eq!(tool(name, object).err(), Some(InvalidTool::Name));
        }
        for schema in [
            "",
            "{}",
            "[]",
            "{\"type\":\"string\"}",
            "{\"type\":\"object\"",
        ] {
            assert_eq!(
                tool("add", schema).err(),
                Some(InvalidTool::Schema("add".into()))
            );
        }
    }
}

//! Tools as `tools/list` shows them.

use crate::Revision;
use serde::Serialize;
use serde_json::value::RawValue;

/// A tool.
#[derive(Clone, Debug)]
pub struct Tool {
    name: String,
    title: Option<String>,
    description: Option<String>,
    input_schema: Box<RawValue>,
    output_schema: Option<Box<RawValue>>,
    annotations: Option<Annotations>,
}

/// Hints about what a tool does; from 2025-03-26 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Annotations {
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
    /// The name is empty, too long, or has characters other than `A-Z a-z 0-9 _ - .`.
    #[error("a tool has a name that tools cannot have")]
    Name,
    /// A schema is no JSON object of `"type": "object"`.
    #[error("the tool {0} has a schema that is not an object schema")]
    Schema(String),
}

impl Tool {
    /// A tool with these JSON Schemas.
    ///
    /// # Errors
    ///
    /// [`InvalidTool`].
    pub fn new(
        name: String,
        title: Option<String>,
        description: Option<String>,
        input_schema: String,
        output_schema: Option<String>,
        annotations: Option<Annotations>,
    ) -> Result<Self, InvalidTool> {
        let is_name = (1..=128).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if !is_name {
            return Err(InvalidTool::Name);
        }
        let schema = |text| object_schema(text).ok_or_else(|| InvalidTool::Schema(name.clone()));
        Ok(Self {
            input_schema: schema(input_schema)?,
            output_schema: output_schema.map(schema).transpose()?,
            title,
            description,
            annotations,
            name,
        })
    }

    /// What calls name it by.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn object_schema(text: String) -> Option<Box<RawValue>> {
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    if value.get("type")?.as_str()? != "object" {
        return None;
    }
    serde_json::from_str(text.trim()).ok()
}

/// The result of `tools/list` in `revision`, as JSON.
pub fn tools_list<'a>(tools: impl IntoIterator<Item = &'a Tool>, revision: Revision) -> String {
    #[derive(Serialize)]
    struct Wire<'a> {
        tools: Vec<WireTool<'a>>,
    }
    let result = Wire {
        tools: tools
            .into_iter()
            .map(|tool| WireTool::new(tool, revision))
            .collect(),
    };
    serde_json::to_string(&result).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireTool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<WireAnnotations<'a>>,
}

#[derive(Serialize)]
struct WireAnnotations<'a> {
    /// Where the title was before tools had one of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(flatten)]
    hints: Annotations,
}

impl<'a> WireTool<'a> {
    fn new(tool: &'a Tool, revision: Revision) -> Self {
        let title = tool.title.as_deref();
        let has_title = revision.has_structured_content();
        let annotations = WireAnnotations {
            title: title.filter(|_| !has_title),
            hints: tool.annotations.unwrap_or_default(),
        };
        let says_something =
            annotations.title.is_some() || annotations.hints != Annotations::default();
        Self {
            name: &tool.name,
            title: title.filter(|_| has_title),
            description: tool.description.as_deref(),
            input_schema: &tool.input_schema,
            output_schema: tool.output_schema.as_deref().filter(|_| has_title),
            annotations: (revision.has_annotations() && says_something).then_some(annotations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tool(name: &str, schema: &str) -> Result<Tool, InvalidTool> {
        Tool::new(
            name.into(),
            Some("Add".into()),
            Some("Adds.".into()),
            schema.into(),
            Some(r#"{"type":"object"}"#.into()),
            Some(Annotations {
                read_only: Some(true),
                ..Annotations::default()
            }),
        )
    }

    fn shown(revision: Revision) -> Value {
        let tool = tool("add", r#"{"type":"object","properties":{}}"#).unwrap();
        let list: Value = serde_json::from_str(&tools_list([&tool], revision)).unwrap();
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
        for revision in [Revision::V2025_06_18, Revision::V2025_11_25] {
            assert_eq!(
                shown(revision),
                json!({"name":"add","title":"Add","description":"Adds.","inputSchema":input,
                    "outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}})
            );
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

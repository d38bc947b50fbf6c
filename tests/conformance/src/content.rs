//! Tools that answer at once, with each type of content.

use crate::media::{audio, image};
use gatehouse_sdk::{Arguments, Content, Output, ResourceContents, Value, json, tool};

/// Answers with a text
#[tool]
pub(crate) fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Answers with an image
#[tool]
pub(crate) fn test_image_content() -> Output {
    Output::new([image()])
}

/// Answers with audio
#[tool]
pub(crate) fn test_audio_content() -> Output {
    Output::new([audio()])
}

/// Answers with an embedded resource
#[tool]
pub(crate) fn test_embedded_resource() -> Output {
    let text = "This is an embedded resource content.";
    Output::new([embedded("test://embedded-resource", "text/plain", text)])
}

/// Answers with a text, an image and an embedded resource
#[tool]
pub(crate) fn test_multiple_content_types() -> Output {
    let json = r#"{"test":"data","value":123}"#;
    Output::new([
        Content::text("Multiple content types test:"),
        image(),
        embedded("test://mixed-content-resource", "application/json", json),
    ])
}

/// Answers with an error
#[tool]
pub(crate) fn test_error_handling() -> Result<(), &'static str> {
    Err("This tool intentionally returns an error")
}

/// Has arguments that take the whole of JSON Schema to describe
#[tool(input_schema = JSON_SCHEMA_2020_12)]
pub(crate) fn json_schema_2020_12_tool(Arguments(arguments): Arguments<Value>) -> String {
    format!("Called with {arguments}")
}

/// Has an argument that clients repeat in the header Mcp-Param-Region
#[tool(ignore_unknown)]
pub(crate) fn test_header_parameter(
    #[schemars(extend("x-mcp-header" = "Region"))] region: Option<String>,
) -> String {
    format!("Called for {}", json!(region))
}

/// Returns a resource inside a content.
pub(crate) fn embedded(uri: &str, mime_type: &str, text: &str) -> Content {
    Content::resource(ResourceContents::text(uri, mime_type, text))
}

/// The keywords that must reach the client are those that the scenario json-schema-2020-12 names.
const JSON_SCHEMA_2020_12: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
        }
    },
    "properties": {
        "name": { "type": "string" },
        "address": { "$ref": "#/$defs/address" },
        "contactMethod": { "type": "string", "enum": ["phone", "email"] },
        "phone": { "type": "string" },
        "email": { "type": "string" }
    },
    "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
    "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
    "then": { "required": ["phone"] },
    "else": { "required": ["email"] },
    "additionalProperties": false
}"##;

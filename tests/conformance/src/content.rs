//! Tools that answer at once, with each type of content.

use crate::contract::{ContentBody, Output, ResourceBody, ResourceContents};
use crate::fixture::{Fixture, arguments, audio, image, output, text};
use crate::script::done;

pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture::new("test_simple_text", "Answers with a text", |_| {
        vec![done(output(vec![text(
            "This is a simple text response for testing.",
        )]))]
    }),
    Fixture::new("test_image_content", "Answers with an image", |_| {
        vec![done(output(vec![image()]))]
    }),
    Fixture::new("test_audio_content", "Answers with audio", |_| {
        vec![done(output(vec![audio()]))]
    }),
    Fixture::new(
        "test_embedded_resource",
        "Answers with an embedded resource",
        |_| {
            vec![done(output(vec![embedded(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            )]))]
        },
    ),
    Fixture::new(
        "test_multiple_content_types",
        "Answers with a text, an image and an embedded resource",
        |_| {
            vec![done(output(vec![
                text("Multiple content types test:"),
                image(),
                embedded(
                    "test://mixed-content-resource",
                    "application/json",
                    r#"{"test":"data","value":123}"#,
                ),
            ]))]
        },
    ),
    Fixture::new("test_error_handling", "Answers with an error", |_| {
        vec![done(Output {
            is_error: true,
            ..output(vec![text("This tool intentionally returns an error")])
        })]
    }),
    Fixture::new(
        "json_schema_2020_12_tool",
        "Has arguments that take the whole of JSON Schema to describe",
        |call| {
            let arguments = arguments(call);
            vec![done(output(vec![text(format!("Called with {arguments}"))]))]
        },
    )
    .input(JSON_SCHEMA_2020_12),
    Fixture::new(
        "test_header_parameter",
        "Has an argument that clients repeat in the header Mcp-Param-Region",
        |call| {
            let region = arguments(call)["region"].clone();
            vec![done(output(vec![text(format!("Called for {region}"))]))]
        },
    )
    .input(
        r#"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#,
    ),
];

/// A resource inside a content.
pub(crate) fn embedded(uri: &str, mime_type: &str, text: &str) -> ContentBody {
    ContentBody::EmbeddedResource(ResourceContents {
        uri: uri.to_owned(),
        mime_type: Some(mime_type.to_owned()),
        body: ResourceBody::Text(text.to_owned()),
        meta: None,
    })
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

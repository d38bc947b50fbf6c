//! Objects whose properties can be arguments of their own.

use crate::document::{Dialect, Document, ReferenceError, object};
use crate::steps::Steps;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The properties of an object schema.
#[derive(Debug, Default)]
pub(crate) struct Flat<'d> {
    pub(crate) properties: BTreeMap<&'d str, &'d Value>,
    pub(crate) required: BTreeSet<&'d str>,
    /// Whether there may be no other properties.
    pub(crate) is_closed: bool,
}

/// Keywords that say nothing about which objects are valid, or what [`flat`] reads.
const KEYWORDS: [&str; 16] = [
    "$comment",
    "$schema",
    "additionalProperties",
    "allOf",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "properties",
    "required",
    "title",
    "type",
];

/// Parts of an `allOf`, one in the other.
const MAX_DEPTH: usize = 16;

/// Keywords, properties and required names that are read. A tool has no use for as many.
const MAX_STEPS: usize = 4000;

/// Returns the properties of a schema, if valid instances are exactly the objects with these properties: other schemas, and those that
/// take more than [`MAX_STEPS`] to read, are one argument as a whole.
///
/// # Errors
///
/// See [`ReferenceError`].
pub(crate) fn flat<'d>(
    document: &'d Document,
    schema: &'d Value,
) -> Result<Option<Flat<'d>>, ReferenceError> {
    let mut flat = Flat::default();
    let mut steps = Steps::new(MAX_STEPS);
    let is_flat = collect(document, schema, MAX_DEPTH, &mut steps, &mut flat)?;
    Ok(is_flat.then_some(flat))
}

fn collect<'d>(
    document: &'d Document,
    schema: &'d Value,
    depth: usize,
    steps: &mut Steps,
    flat: &mut Flat<'d>,
) -> Result<bool, ReferenceError> {
    if document.dialect() == Dialect::JsonSchema
        && schema.get("$ref").is_some()
        && object(schema)
            .keys()
            .any(|key| key != "$ref" && key != "description" && key != "title")
    {
        return Ok(false);
    }
    let Some(keywords) = document.resolve(schema)?.as_object() else {
        return Ok(false);
    };
    let lengths = ["properties", "required"].map(|key| match keywords.get(key) {
        Some(Value::Object(members)) => members.len(),
        Some(Value::Array(items)) => items.len(),
        _ => 0,
    });
    let length = keywords.len() + lengths.iter().sum::<usize>();
    if depth == 0 || !steps.take(length) || !is_plain(keywords) {
        return Ok(false);
    }
    flat.is_closed |= keywords.contains_key("additionalProperties");
    for part in keywords
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if !collect(document, part, depth - 1, steps, flat)? {
            return Ok(false);
        }
    }
    for (name, property) in keywords.get("properties").map(object).into_iter().flatten() {
        if flat.properties.insert(name, property).is_some() {
            return Ok(false);
        }
    }
    let required = keywords.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten();
    flat.required.extend(required.filter_map(Value::as_str));
    Ok(true)
}

fn is_plain(keywords: &Map<String, Value>) -> bool {
    let is_object = match keywords.get("type") {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.len() == 1 && names[0] == "object",
        // Left out in many documents.
        None => {
            keywords.contains_key("properties")
                || keywords.contains_key("allOf")
                || keywords.contains_key("required")
        }
        Some(_) => false,
    };
    is_object
        && keywords.get("nullable") != Some(&Value::Bool(true))
        && matches!(
            keywords.get("additionalProperties"),
            None | Some(Value::Bool(false))
        )
        && keywords
            .keys()
            .all(|key| KEYWORDS.contains(&key.as_str()) || key.starts_with("x-") || key == "xml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn flat_names(version: &str, schema: &Value) -> Option<(Vec<String>, Vec<String>)> {
        let document = json!({
            "openapi": version,
            "components": {"schemas": {
                "Pet": {"type": "object", "properties": {"name": {}}, "required": ["name"], "x-own": 1},
                "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
            }},
        });
        let document = Document::read(&document.to_string(), None).unwrap();
        let flat = flat(&document, schema).unwrap()?;
        let properties = flat
            .properties
            .keys()
            .map(|name| (*name).to_owned())
            .collect();
        Some((
            properties,
            flat.required
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
        ))
    }

    #[test]
    fn a_plain_object_is_its_properties() {
        let pet = json!({"$ref": "#/components/schemas/Pet"});
        let both =
            json!({"allOf": [pet, {"properties": {"tag": {}}}], "required": ["tag", "name"]});
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            flat_names("3.0.0", &pet),
            Some((names(&["name"]), names(&["name"])))
        );
        assert_eq!(
            flat_names("3.1.0", &both),
            Some((names(&["name", "tag"]), names(&["name", "tag"])))
        );
        let closed =
            json!({"type": ["object"], "properties": {"a": {}}, "additionalProperties": false});
        assert!(flat_names("3.1.0", &closed).is_some());
    }

    #[test]
    fn anything_else_stays_one_value() {
        for schema in [
            json!(true),
            json!({}),
            json!({"type": "array", "properties": {"a": {}}}),
            json!({"type": ["object", "null"], "properties": {"a": {}}}),
            json!({"properties": {"a": {}}, "nullable": true}),
            json!({"properties": {"a": {}}, "additionalProperties": true}),
            json!({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}),
            json!({"properties": {"a": {}}, "oneOf": [{}]}),
            json!({"properties": {"a": {}}, "minProperties": 1}),
            json!({"allOf": [{"properties": {"a": {}}}, {"properties": {"a": {}}}]}),
            json!({"allOf": [{"properties": {"a": {}}}, {"anyOf": []}]}),
            json!({"$ref": "#/components/schemas/Pet", "minProperties": 2}),
            json!({"$ref": "#/components/schemas/Loop"}),
        ] {
            assert_eq!(flat_names("3.1.0", &schema), None, "{schema}");
        }
        // In 3.0 nothing beside a reference counts.
        let beside = json!({"$ref": "#/components/schemas/Pet", "minProperties": 2});
        assert!(flat_names("3.0.0", &beside).is_some());
    }
}

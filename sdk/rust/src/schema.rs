//! JSON Schemas of types, as clients and models see them.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// Returns the schema of the arguments of a tool.
pub fn input<T: JsonSchema>() -> String {
    input_of(T::json_schema)
}

fn input_of(of: Of) -> String {
    let mut schema = generate(of, SchemaSettings::for_deserialize);
    // Some clients look for them, and there are tools without arguments.
    if schema.get("properties").is_none() {
        schema.insert("properties".to_owned(), Map::new().into());
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        // A header has a text, a number or a boolean, or is not there (2026-07-28, Transports).
        if property.get("x-mcp-header").is_some() {
            remove_null(property);
        }
    }
    written(&schema)
}

/// Returns the schema of the structured content of a tool; `None` if the type is no object.
pub(crate) fn output<T: JsonSchema>() -> Option<String> {
    output_of(T::json_schema)
}

fn output_of(of: Of) -> Option<String> {
    let mut schema = generate(of, SchemaSettings::for_serialize);
    if schema.get("type").is_none_or(|is| is != "object") {
        return None;
    }
    RecursiveTransform(absent_is_not_null).transform(&mut schema);
    Some(written(&schema))
}

/// Returns the schema of what a person fills in: properties without an object in them, and without `null`.
pub(crate) fn form<T: JsonSchema>() -> Value {
    form_of(T::json_schema)
}

fn form_of(of: Of) -> Value {
    let mut schema = generate(of, SchemaSettings::for_deserialize);
    RecursiveTransform(absent_is_not_null).transform(&mut schema);
    schema.remove("additionalProperties");
    schema.to_value()
}

/// What makes the schema of a type. It keeps what follows from being compiled for each type.
type Of = fn(&mut SchemaGenerator) -> Schema;

fn generate(of: Of, direction: fn(SchemaSettings) -> SchemaSettings) -> Schema {
    let settings = direction(SchemaSettings::draft2020_12()).with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut schema = of(&mut generator);
    // Types that contain themselves.
    let definitions = generator.take_definitions(false);
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), definitions.into());
    }
    RecursiveTransform(tidy).transform(&mut schema);
    schema
}

/// Removes what says nothing to a client, such as the formats of numbers, which are no formats of JSON Schema, and
/// replaces what some clients do not read.
fn tidy(schema: &mut Schema) {
    let is_number = |is: &Value| {
        let is_one = |is: &Value| is == "number" || is == "integer";
        is_one(is) || is.as_array().is_some_and(|types| types.iter().any(is_one))
    };
    if schema.get("type").is_some_and(is_number) {
        schema.remove("format");
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
        schema.remove("additionalProperties");
    }
    let properties = schema.get_mut("properties");
    for property in properties
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
    {
        // MCP before 2026-07-28 knows no boolean schemas of properties.
        if *property == Value::Bool(true) {
            *property = Map::new().into();
        }
    }
}

/// Removes `null` from the types of properties that may be left out.
fn absent_is_not_null(schema: &mut Schema) {
    let is_required = |name: &String, required: Option<&Value>| {
        let required = required.and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|required| required == name.as_str()))
    };
    let required = schema.get("required").cloned();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        if is_required(name, required.as_ref()) {
            continue;
        }
        remove_null(property);
    }
}

fn remove_null(property: &mut Value) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|is| is != "null");
        if let [only] = types.as_slice() {
            property["type"] = only.clone();
        }
    }
}

/// Returns the schema as text, in the order in which one reads it: required properties come first, as they are
/// declared.
fn written(schema: &Schema) -> String {
    let mut text = String::new();
    write(schema.as_value(), &mut text);
    text
}

fn write(schema: &Value, text: &mut String) {
    match schema {
        Value::Object(keywords) => {
            write_members(
                ordered(keywords, &KEYWORDS),
                text,
                |name, text| match &keywords[name] {
                    Value::Object(properties) if name == "properties" => {
                        write_properties(properties, keywords.get("required"), text);
                    }
                    value => write(value, text),
                },
            );
        }
        Value::Array(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

fn write_properties(properties: &Map<String, Value>, required: Option<&Value>, text: &mut String) {
    let required = required.and_then(Value::as_array).into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    write_members(ordered(properties, &required), text, |name, text| {
        write(&properties[name], text)
    });
}

fn write_members(names: Vec<&str>, text: &mut String, mut write: impl FnMut(&str, &mut String)) {
    text.push('{');
    for (number, name) in names.into_iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(name).to_string());
        text.push(':');
        write(name, text);
    }
    text.push('}');
}

/// Returns the names of members: those of the list, in its order, and then the others.
fn ordered<'a>(members: &'a Map<String, Value>, list: &[&'a str]) -> Vec<&'a str> {
    let first = list
        .iter()
        .copied()
        .filter(|name| members.contains_key(*name));
    let others = members.keys().map(String::as_str);
    let others = others.filter(|name| !list.contains(name));
    first.chain(others).collect()
}

const KEYWORDS: [&str; 7] = [
    "type",
    "title",
    "description",
    "enum",
    "properties",
    "required",
    "items",
];

//! The keywords of a schema that contain no other schema.

use crate::document::Dialect;
use serde_json::{Map, Number, Value, json};
use std::collections::HashSet;
use std::io;

/// Characters of a description in a schema.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 600;

/// Bytes of an example or a default that is shown.
const MAX_EXAMPLE_BYTES: usize = 300;

const MAX_EXAMPLES: usize = 3;

/// Types of a schema, before it is taken for one of anything.
const MAX_TYPES: usize = 16;

/// The keywords that [`validation`] and [`required`] copy, however large they are.
pub(crate) const COPIED: [&str; 7] = [
    "const",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "enum",
    "format",
    "required",
];

/// Returns the types that `type` names, known ones alone. None: any.
pub(crate) fn types(keywords: &Map<String, Value>) -> Vec<&'static str> {
    const TYPES: [&str; 7] = [
        "array", "boolean", "integer", "null", "number", "object", "string",
    ];
    let known = |name: &Value| match name.as_str()? {
        // Of Swagger 2.
        "file" => Some("string"),
        name => TYPES.into_iter().find(|known| *known == name),
    };
    let mut types = Vec::new();
    let named = match keywords.get("type") {
        Some(Value::Array(names)) => &names[..],
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    if named.len() > MAX_TYPES {
        return types;
    }
    for name in named {
        match known(name) {
            Some(known) if !types.contains(&known) => types.push(known),
            Some(_) => {}
            // One that is not known may allow anything.
            None => return Vec::new(),
        }
    }
    types
}

/// Returns what a schema says to people. For a request that includes the default, which as a keyword would be filled in, and would
/// overwrite at the API what the caller did not mention; and the pattern, as regular expressions are not the same everywhere, and one
/// that cannot be read makes a whole schema invalid.
pub(crate) fn description(keywords: &Map<String, Value>, for_request: bool) -> Map<String, Value> {
    let mut said = Map::new();
    let text = |key: &str| text(keywords.get(key).and_then(Value::as_str));
    let noted = |key: &str| {
        let value = keywords.get(key).filter(|_| for_request)?;
        let written = match (key, value) {
            (_, Value::Null) => return None,
            ("pattern", Value::String(pattern)) if pattern.len() <= MAX_EXAMPLE_BYTES => {
                pattern.clone()
            }
            (_, value) => written(value, MAX_EXAMPLE_BYTES)?,
        };
        Some(format!("({key}: {written})"))
    };
    let description = text("description").map(|text| bounded(text, MAX_DESCRIPTION_CHARS));
    let parts: Vec<_> = description
        .into_iter()
        .chain(noted("pattern"))
        .chain(noted("default"))
        .collect();
    if !parts.is_empty() {
        said.insert("description".to_owned(), Value::String(parts.join(" ")));
    }
    if let Some(title) = text("title") {
        said.insert("title".to_owned(), Value::String(bounded(title, 100)));
    }
    if keywords.get("deprecated") == Some(&Value::Bool(true)) {
        said.insert("deprecated".to_owned(), Value::Bool(true));
    }
    said
}

/// Returns the examples that a schema, or what has one, shows.
pub(crate) fn examples(keywords: &Map<String, Value>) -> Map<String, Value> {
    let several = match keywords.get("examples") {
        Some(Value::Array(examples)) => examples.iter().take(MAX_EXAMPLES).collect(),
        // Of a parameter: Example Objects by name.
        Some(Value::Object(examples)) => examples
            .values()
            .filter_map(|example| example.get("value"))
            .take(MAX_EXAMPLES)
            .collect(),
        _ => Vec::new(),
    };
    let examples: Vec<_> = several
        .into_iter()
        .chain(keywords.get("example"))
        .filter(|example| is_short(example))
        .take(MAX_EXAMPLES)
        .collect();
    match examples.is_empty() {
        true => Map::new(),
        false => Map::from_iter([("examples".to_owned(), json!(examples))]),
    }
}

/// Returns the properties that are required, each once.
pub(crate) fn required(keywords: &Map<String, Value>) -> Vec<&str> {
    // A boolean in draft 3, which some documents still have.
    let names = keywords.get("required").and_then(Value::as_array);
    let mut known = HashSet::new();
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    names.filter(|name| known.insert(*name)).collect()
}

/// Returns the keywords that restrict a value, as 2020-12 has them.
pub(crate) fn validation(keywords: &Map<String, Value>, dialect: Dialect) -> Map<String, Value> {
    let mut valid = Map::new();
    let mut put = |key: &str, value: Value| {
        valid.insert(key.to_owned(), value);
    };
    for key in [
        "maxLength",
        "minLength",
        "maxItems",
        "minItems",
        "maxProperties",
        "minProperties",
    ] {
        if let Some(count) = keywords.get(key).and_then(count) {
            put(key, count.into());
        }
    }
    for (key, value) in bounds(keywords) {
        put(key, Value::Number(value.clone()));
    }
    if let Some(Value::Number(step)) = keywords.get("multipleOf")
        && step.as_f64().is_some_and(|step| step > 0.0)
    {
        put("multipleOf", Value::Number(step.clone()));
    }
    if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
        put("uniqueItems", Value::Bool(true));
    }
    if let Some(Value::Array(values)) = keywords.get("enum")
        && !values.is_empty()
    {
        let mut known = HashSet::new();
        let distinct = values.iter().filter(|value| known.insert(*value));
        put("enum", distinct.cloned().collect());
    }
    if let Some(Value::String(format)) = keywords.get("format") {
        put("format", Value::String(format.clone()));
    }
    match dialect {
        Dialect::OpenApi30 => {
            if keywords.get("format").and_then(Value::as_str) == Some("byte") {
                put("contentEncoding", json!("base64"));
            }
        }
        Dialect::JsonSchema => {
            if let Some(value) = keywords.get("const") {
                put("const", value.clone());
            }
            for key in ["contentEncoding", "contentMediaType"] {
                if let Some(Value::String(text)) = keywords.get(key) {
                    put(key, Value::String(text.clone()));
                }
            }
            for key in ["minContains", "maxContains"] {
                if let Some(count) = keywords.get(key).and_then(count) {
                    put(key, count.into());
                }
            }
            if let Some(Value::Object(names)) = keywords.get("dependentRequired")
                && names.values().all(is_texts)
            {
                put("dependentRequired", json!(names));
            }
        }
    }
    valid
}

/// Returns the bounds of a number. In 3.0 `exclusiveMinimum` and `exclusiveMaximum` are booleans that say how to read the others.
fn bounds(keywords: &Map<String, Value>) -> Vec<(&'static str, &Number)> {
    let mut bounds = Vec::new();
    for (bound, exclusive) in [
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ] {
        let inclusive = keywords.get(bound);
        match (inclusive, keywords.get(exclusive)) {
            (Some(Value::Number(bound)), Some(Value::Bool(true))) => {
                bounds.push((exclusive, bound))
            }
            (inclusive, other) => {
                if let Some(Value::Number(number)) = inclusive {
                    bounds.push((bound, number));
                }
                if let Some(Value::Number(number)) = other {
                    bounds.push((exclusive, number));
                }
            }
        }
    }
    bounds
}

/// Returns a number of things, which YAML may have as `1.0`.
fn count(value: &Value) -> Option<u64> {
    let whole =
        |float: f64| (float >= 0.0 && float.fract() == 0.0 && float < 1e15).then_some(float as u64);
    value.as_u64().or_else(|| whole(value.as_f64()?))
}

fn is_texts(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|values| values.iter().all(Value::is_string))
}

/// Returns a value as JSON; `None` if that has more than so many bytes, of which no more are written.
pub(crate) fn written(value: &Value, max_bytes: usize) -> Option<String> {
    struct Bounded {
        bytes: Vec<u8>,
        max: usize,
    }
    impl io::Write for Bounded {
        fn write(&mut self, more: &[u8]) -> io::Result<usize> {
            if self.bytes.len() + more.len() > self.max {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.bytes.extend_from_slice(more);
            Ok(more.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut written = Bounded {
        bytes: Vec::new(),
        max: max_bytes,
    };
    serde_json::to_writer(&mut written, value).ok()?;
    String::from_utf8(written.bytes).ok()
}

/// Returns whether an example or a default is short enough to be shown.
pub(crate) fn is_short(value: &Value) -> bool {
    written(value, MAX_EXAMPLE_BYTES).is_some()
}

/// Returns a text that says something.
pub(crate) fn text(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Returns at most so many characters of a text.
pub(crate) fn bounded(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(dialect: Dialect, keywords: Value) -> Value {
        Value::Object(validation(keywords.as_object().unwrap(), dialect))
    }

    #[test]
    fn exclusive_bounds_of_3_0_become_numbers() {
        for (written, expected) in [
            (
                json!({"minimum": 1, "exclusiveMinimum": true}),
                json!({"exclusiveMinimum": 1}),
            ),
            (
                json!({"minimum": 1, "exclusiveMinimum": false}),
                json!({"minimum": 1}),
            ),
            (json!({"exclusiveMinimum": true}), json!({})),
            (
                json!({"maximum": 2.5, "exclusiveMaximum": true, "minimum": 0}),
                json!({"exclusiveMaximum": 2.5, "minimum": 0}),
            ),
            (
                json!({"minimum": 1, "exclusiveMinimum": 0}),
                json!({"minimum": 1, "exclusiveMinimum": 0}),
            ),
        ] {
            assert_eq!(valid(Dialect::OpenApi30, written), expected);
        }
    }

    #[test]
    fn values_that_are_not_valid_are_left_out() {
        let wrong = json!({
            "maxLength": -1, "minLength": "2", "minItems": 1.5, "multipleOf": 0, "uniqueItems": "yes", "enum": [],
            "pattern": 1, "minimum": "0", "format": [], "dependentRequired": {"a": "b"},
        });
        assert_eq!(valid(Dialect::JsonSchema, wrong), json!({}));
        let good = valid(
            Dialect::JsonSchema,
            json!({"maxLength": 2.0, "enum": [1, 2, 1], "const": null}),
        );
        assert_eq!(good, json!({"maxLength": 2, "enum": [1, 2], "const": null}));
    }

    #[test]
    fn a_type_that_is_not_known_allows_anything() {
        let types = |written: Value| types(&Map::from_iter([("type".to_owned(), written)]));
        assert_eq!(types(json!("integer")), ["integer"]);
        assert_eq!(
            types(json!(["string", "null", "string"])),
            ["string", "null"]
        );
        assert_eq!(types(json!("file")), ["string"]);
        assert!(types(json!("any")).is_empty());
        assert!(types(json!(["string", "date"])).is_empty());
    }

    #[test]
    fn what_is_said_is_bounded_and_has_pattern_and_default() {
        let keywords = json!({"description": "x".repeat(2000), "default": "a", "pattern": "^\\w$", "title": " ", "deprecated": true});
        let said = description(keywords.as_object().unwrap(), true);
        let text = said["description"].as_str().unwrap();
        assert!(
            text.ends_with("x… (pattern: ^\\w$) (default: \"a\")") && text.chars().count() < 700
        );
        assert_eq!(said.get("title"), None);
        assert_eq!(said["deprecated"], json!(true));
        let without = description(keywords.as_object().unwrap(), false);
        assert!(!without["description"].as_str().unwrap().contains("default"));
        assert_eq!(
            description(json!({"default": null}).as_object().unwrap(), true),
            Map::new()
        );
    }

    #[test]
    fn examples_are_few_and_short() {
        let shown = |keywords: Value| examples(keywords.as_object().unwrap()).remove("examples");
        assert_eq!(shown(json!({"example": "a"})), Some(json!(["a"])));
        assert_eq!(
            shown(json!({"examples": [1, 2, 3, 4]})),
            Some(json!([1, 2, 3]))
        );
        assert_eq!(
            shown(json!({"examples": {"one": {"value": 1}, "other": {"externalValue": "x"}}})),
            Some(json!([1]))
        );
        assert_eq!(shown(json!({"example": "x".repeat(1000)})), None);
        assert_eq!(shown(json!({})), None);
    }
}

//! The subset of JSON Schema that is trusted to be valid without its meta-schema.

use jsonschema::Draft;
use serde_json::Value;
use std::collections::HashSet;

/// Returns whether a schema is certainly valid: its dialect is one of the last three, each keyword is one of
/// those that most tools use, and has a value of the right type. Other schemas may be valid or not.
pub(crate) fn is_trusted(schema: &Value, dialect: Draft) -> bool {
    let knows_all = matches!(
        dialect,
        Draft::Draft202012 | Draft::Draft201909 | Draft::Draft7
    );
    knows_all
        && schema.as_object().is_some_and(|keywords| {
            keywords
                .iter()
                .all(|(keyword, value)| keyword == "$schema" || is_trusted_keyword(keyword, value))
        })
}

fn is_trusted_schema(schema: &Value) -> bool {
    match schema {
        Value::Bool(_) => true,
        Value::Object(keywords) => keywords
            .iter()
            .all(|(keyword, value)| is_trusted_keyword(keyword, value)),
        _ => false,
    }
}

fn is_trusted_keyword(keyword: &str, value: &Value) -> bool {
    match keyword {
        "type" => value.as_str().is_some_and(|name| TYPES.contains(&name)),
        "title" | "description" | "format" => value.is_string(),
        "const" | "default" => true,
        "enum" => value.is_array(),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            value.is_u64()
        }
        "required" => value.as_array().is_some_and(|names| {
            let distinct: HashSet<_> = names.iter().filter_map(Value::as_str).collect();
            distinct.len() == names.len()
        }),
        "properties" => value
            .as_object()
            .is_some_and(|properties| properties.values().all(is_trusted_schema)),
        "items" | "additionalProperties" => is_trusted_schema(value),
        _ => keyword.starts_with("x-"),
    }
}

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    #[test]
    fn schemas_that_tools_commonly_have_are_trusted() {
        for schema in [
            json!({}),
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
            json!({
                "type": "object",
                "title": "Sum",
                "properties": {
                    "a": {"type": "number", "minimum": -1.5, "description": "The first"},
                    "mode": {"enum": ["fast", "safe"], "default": "safe", "x-own": "Mode"},
                    "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
                },
                "required": ["a"],
            }),
        ] {
            assert!(is_trusted(&schema, Draft::Draft202012), "{schema}");
        }
    }

    /// Every keyword of any dialect, with values of every type, in the schema and in subschemas.
    #[test]
    fn a_trusted_schema_is_valid_in_its_dialect() {
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!("x"),
            json!("string"),
            json!("("),
            json!([]),
            json!([1]),
            json!(["a", "b"]),
            json!(["a", "a"]),
            json!(["string", "null"]),
            json!([{}]),
            json!([{"type": 1}]),
            json!({}),
            json!({"a": 1}),
            json!({"a": "x"}),
            json!({"a": ["b"]}),
            json!({"a": {}}),
            json!({"a": {"type": "objekt"}}),
            json!({"a": {"minLength": -1}}),
            json!({"(": {}}),
            json!({"type": 1}),
            json!({"type": "object"}),
            json!({"required": ["a", "a"]}),
        ];
        let mut trusted = 0;
        for keyword in KEYWORDS.split_whitespace() {
            for value in &values {
                let within = Map::from_iter([(keyword.to_owned(), value.clone())]);
                for schema in [
                    json!(within),
                    json!({"properties": {"p": within}}),
                    json!({"items": within}),
                    json!({"additionalProperties": within}),
                ] {
                    for dialect in DIALECTS {
                        if keyword == "$schema" || !is_trusted(&schema, dialect) {
                            continue;
                        }
                        trusted += 1;
                        let built = jsonschema::options().with_draft(dialect).build(&schema);
                        assert!(built.is_ok(), "{schema} of {dialect:?}: {built:?}");
                    }
                }
            }
        }
        assert!(trusted > 1000, "{trusted}");
    }

    const DIALECTS: [Draft; 5] = [
        Draft::Draft202012,
        Draft::Draft201909,
        Draft::Draft7,
        Draft::Draft6,
        Draft::Draft4,
    ];

    const KEYWORDS: &str = "type enum const multipleOf maximum exclusiveMaximum minimum \
        exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains \
        minContains maxProperties minProperties required dependentRequired allOf anyOf oneOf not if \
        then else dependentSchemas prefixItems items additionalItems contains properties \
        patternProperties additionalProperties propertyNames unevaluatedItems \
        unevaluatedProperties dependencies $ref $id id $anchor $dynamicRef $dynamicAnchor $defs \
        definitions $comment title description default deprecated readOnly writeOnly examples \
        format contentEncoding contentMediaType contentSchema $vocabulary $recursiveRef \
        $recursiveAnchor $schema x-own";
}

//! Validation of what is plainly valid, without a compiled schema.
//!
//! The library compiles a schema before it validates anything, in Wasm again for each instance of a component. Most
//! calls have arguments that a look at each value shows to be valid, so that nothing is compiled for them. What is
//! not certain here is the library's to decide, and so is every message.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Returns whether `instance` is certainly valid by `schema`, which is of the
/// [trusted subset](crate::trusted_subset::is_trusted). Another instance may be valid or not.
pub(crate) fn is_certainly_valid(schema: &Value, instance: &Value) -> bool {
    match schema {
        Value::Bool(allows) => *allows,
        Value::Object(keywords) => keywords
            .iter()
            .all(|(keyword, value)| allows(keyword, value, keywords.get("properties"), instance)),
        _ => false,
    }
}

/// Whether a keyword with this value, beside these `properties`, certainly allows the instance.
fn allows(keyword: &str, value: &Value, properties: Option<&Value>, instance: &Value) -> bool {
    match keyword {
        "type" => value.as_str().is_some_and(|name| has_type(name, instance)),
        "const" => value == instance,
        "enum" => value
            .as_array()
            .is_some_and(|values| values.contains(instance)),
        "minimum" => is_number_that(instance, value, Ordering::is_ge),
        "maximum" => is_number_that(instance, value, Ordering::is_le),
        "exclusiveMinimum" => is_number_that(instance, value, Ordering::is_gt),
        "exclusiveMaximum" => is_number_that(instance, value, Ordering::is_lt),
        "minLength" => has_size(characters(instance), value, Ordering::is_ge),
        "maxLength" => has_size(characters(instance), value, Ordering::is_le),
        "minItems" => has_size(instance.as_array().map(Vec::len), value, Ordering::is_ge),
        "maxItems" => has_size(instance.as_array().map(Vec::len), value, Ordering::is_le),
        "minProperties" => has_size(members(instance), value, Ordering::is_ge),
        "maxProperties" => has_size(members(instance), value, Ordering::is_le),
        "required" => match (instance, value) {
            (Value::Object(members), Value::Array(names)) => names
                .iter()
                .all(|name| name.as_str().is_some_and(|name| members.contains_key(name))),
            _ => !instance.is_object(),
        },
        "properties" => match (instance, value) {
            (Value::Object(members), Value::Object(properties)) => {
                properties.iter().all(|(name, schema)| {
                    members
                        .get(name)
                        .is_none_or(|member| is_certainly_valid(schema, member))
                })
            }
            _ => !instance.is_object(),
        },
        "items" => match instance {
            Value::Array(items) => items.iter().all(|item| is_certainly_valid(value, item)),
            _ => true,
        },
        "additionalProperties" => are_others_valid(properties, value, instance),
        // Annotations: the trusted subset has no other.
        "$schema" | "title" | "description" | "format" | "default" => true,
        _ => keyword.starts_with("x-"),
    }
}

/// Whether the members that `properties` does not name are valid by `schema`.
fn are_others_valid(properties: Option<&Value>, schema: &Value, instance: &Value) -> bool {
    let Value::Object(members) = instance else {
        return true;
    };
    members.iter().all(|(name, member)| {
        properties.is_some_and(|properties| properties.get(name).is_some())
            || is_certainly_valid(schema, member)
    })
}

fn has_type(name: &str, instance: &Value) -> bool {
    match name {
        "array" => instance.is_array(),
        "boolean" => instance.is_boolean(),
        // A number with a fraction of zero is one as well, which the library knows.
        "integer" => instance.is_i64() || instance.is_u64(),
        "null" => instance.is_null(),
        "number" => instance.is_number(),
        "object" => instance.is_object(),
        "string" => instance.is_string(),
        _ => false,
    }
}

/// Whether `instance` is a number that compares so with `bound`, or is none, for which a bound says nothing.
fn is_number_that(instance: &Value, bound: &Value, holds: fn(Ordering) -> bool) -> bool {
    match (instance, bound) {
        (Value::Number(number), Value::Number(bound)) => compare(number, bound).is_some_and(holds),
        _ => !instance.is_number(),
    }
}

/// Compares what has one representation; `None` for the rest.
fn compare(number: &Number, bound: &Number) -> Option<Ordering> {
    if let (Some(number), Some(bound)) = (number.as_i64(), bound.as_i64()) {
        return Some(number.cmp(&bound));
    }
    if let (Some(number), Some(bound)) = (number.as_u64(), bound.as_u64()) {
        return Some(number.cmp(&bound));
    }
    exact(number)?.partial_cmp(&exact(bound)?)
}

/// Returns the number as a double that is equal to it; `None` if that is not certain.
fn exact(number: &Number) -> Option<f64> {
    match number.as_i64() {
        Some(whole) => i32::try_from(whole).ok().map(f64::from),
        None if number.is_f64() => number.as_f64(),
        None => None,
    }
}

/// Whether a size compares so with `bound`; `None` is of an instance that has none.
fn has_size(size: Option<usize>, bound: &Value, holds: fn(Ordering) -> bool) -> bool {
    let bound = bound.as_u64().and_then(|bound| usize::try_from(bound).ok());
    size.is_none_or(|size| bound.is_some_and(|bound| holds(size.cmp(&bound))))
}

fn characters(instance: &Value) -> Option<usize> {
    instance.as_str().map(|text| text.chars().count())
}

fn members(instance: &Value) -> Option<usize> {
    instance.as_object().map(serde_json::Map::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trusted_subset::is_trusted;
    use jsonschema::Draft;
    use serde_json::json;

    #[test]
    fn arguments_that_fit_a_common_schema_are_certainly_valid() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "title": "Order",
            "properties": {
                "count": {"type": "integer", "minimum": 0, "maximum": 9},
                "price": {"type": "number", "format": "double", "exclusiveMinimum": 0.5},
                "mode": {"enum": ["fast", "safe"], "default": "safe", "x-own": 1},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
            },
            "required": ["count"],
            "additionalProperties": false,
        });
        assert!(is_trusted(&schema, Draft::Draft202012));
        for instance in [
            json!({"count": 0}),
            json!({"count": 9, "price": 1, "mode": "fast", "tags": ["äöü", ""]}),
            json!({"count": 1, "price": 0.75, "tags": []}),
        ] {
            assert!(is_certainly_valid(&schema, &instance), "{instance}");
        }
    }

    /// Each keyword of the subset with several values, alone and within others, against values of every type.
    #[test]
    fn what_is_certainly_valid_is_valid_and_what_is_common_is_certain() {
        let small = [
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(-1),
            json!(1.0),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992.0),
            json!(""),
            json!("a"),
            json!("ä😀"),
            json!("string"),
            json!([]),
            json!([1, 1]),
            json!(["a", null]),
            json!({}),
            json!({"a": 1}),
            json!({"a": "a", "b": [1.5]}),
        ];
        let values = small
            .iter()
            .cloned()
            .chain(["array", "boolean", "integer", "null", "number", "object"].map(Value::from))
            .chain([json!(2), json!(["b"]), json!({"a": {"type": "integer"}})])
            .collect::<Vec<_>>();
        let keywords = "type const enum minimum maximum exclusiveMinimum exclusiveMaximum minLength \
            maxLength minItems maxItems minProperties maxProperties required properties items \
            additionalProperties title description format default x-own multipleOf pattern not";
        let (mut certain, mut valid) = (0, 0);
        for keyword in keywords.split_whitespace() {
            for value in &values {
                let alone = json!({ keyword: value });
                for schema in [
                    json!({"properties": {"a": alone}}),
                    json!({"properties": {"b": true}, "additionalProperties": alone}),
                    json!({"items": alone, "minItems": 1}),
                    alone,
                ] {
                    if !is_trusted(&schema, Draft::Draft202012) {
                        continue;
                    }
                    let library = jsonschema::draft202012::options()
                        .should_validate_formats(false)
                        .build(&schema)
                        .unwrap();
                    for instance in &small {
                        let is_valid = library.is_valid(instance);
                        let is_certain = is_certainly_valid(&schema, instance);
                        assert!(is_valid || !is_certain, "{schema} {instance}");
                        valid += u32::from(is_valid);
                        certain += u32::from(is_certain);
                    }
                }
            }
        }
        // What differs in the representation of numbers alone.
        assert!(valid - certain < valid / 20, "{certain} of {valid}");
    }
}

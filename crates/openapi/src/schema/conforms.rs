//! Validation of a value by an output schema, so that it can be structured content.
//!
//! The schema was made here and has few keywords, so that no validator of all of JSON Schema is needed.

use crate::document::object;
use crate::steps::Steps;
use serde_json::Value;

/// Visits of a subschema to a value. The contract takes five times as many.
const MAX_VISITS: usize = 200_000;

/// Nested visits. The contract takes 160.
const MAX_DEPTH: usize = 120;

/// Returns whether `value` fits an output schema. What would take too long to tell does not.
pub(crate) fn conforms(schema: &Value, value: &Value) -> bool {
    let mut visits = Visits {
        root: schema,
        left: Steps::new(MAX_VISITS),
    };
    visits.fits(schema, value, 0) && visits.left.take(1)
}

struct Visits<'s> {
    root: &'s Value,
    left: Steps,
}

impl Visits<'_> {
    /// Visits everything, as the contract counts it: also what cannot change the result any more.
    fn fits(&mut self, schema: &Value, value: &Value, depth: usize) -> bool {
        if depth > MAX_DEPTH || !self.left.take(1) {
            return false;
        }
        let keywords = object(schema);
        let mut fits = keywords.get("type").is_none_or(|types| is_of(types, value));
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            fits &= target.is_some_and(|target| self.fits(target, value, depth + 1));
        }
        let parts = |key: &str| keywords.get(key).and_then(Value::as_array);
        for part in parts("allOf").into_iter().flatten() {
            fits &= self.fits(part, value, depth + 1);
        }
        if let Some(parts) = parts("anyOf") {
            let mut any = false;
            for part in parts {
                any |= self.fits(part, value, depth + 1);
            }
            fits &= any;
        }
        let properties = keywords.get("properties").map(object);
        for (name, member) in object(value) {
            let property = properties.and_then(|properties| properties.get(name));
            if let Some(schema) = property.or_else(|| keywords.get("additionalProperties")) {
                fits &= self.fits(schema, member, depth + 1);
            }
        }
        let first = parts("prefixItems").map_or(&[][..], Vec::as_slice);
        let items = value.as_array().into_iter().flatten();
        for (n, item) in items.enumerate() {
            if let Some(schema) = first.get(n).or_else(|| keywords.get("items")) {
                fits &= self.fits(schema, item, depth + 1);
            }
        }
        fits
    }
}

fn is_of(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
        Value::Number(number) => {
            let is_whole =
                !number.is_f64() || number.as_f64().is_some_and(|float| float.fract() == 0.0);
            name == "number" || name == "integer" && is_whole
        }
    };
    match types {
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        name => name.as_str().is_none_or(is),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Instance, Schema};
    use serde_json::json;

    #[test]
    fn a_value_conforms_exactly_if_the_contract_takes_it() {
        let schema = json!({
            "type": "object",
            "properties": {
                "id": {"type": ["integer", "null"]},
                "node": {"$ref": "#/$defs/Node"},
                "any": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
                "all": {"allOf": [{"type": "number"}, {"type": "integer"}]},
                "list": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "number"}},
            },
            "additionalProperties": {"type": "string"},
            "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
        });
        let read = Schema::read(&schema.to_string()).unwrap();
        for value in [
            json!({}),
            json!({"id": 1, "node": {"next": {"next": {}}}, "any": true, "all": 2, "list": ["a", 1.5], "more": "x"}),
            json!({"id": 1.0}),
            json!({"id": null}),
            json!({"id": "17"}),
            json!({"id": 1.5}),
            json!({"node": {"next": {"next": 1}}}),
            json!({"any": 1}),
            json!({"all": 1.5}),
            json!({"list": [1]}),
            json!({"list": ["a", "b"]}),
            json!({"more": 1}),
            json!([]),
        ] {
            let instance = Instance::read(&value.to_string()).unwrap();
            let expected = read.check(&instance, "it").is_ok();
            assert_eq!(conforms(&schema, &value), expected, "{value}");
        }
    }

    #[test]
    fn what_takes_too_long_to_tell_does_not_conform() {
        let next = json!({"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]});
        let schema = json!({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": next}}}});
        let nested = |levels| (0..levels).fold(json!({}), |value, _| json!({"a": value}));
        assert!(conforms(&schema, &nested(5)));
        assert!(!conforms(&schema, &nested(50)));
    }
}

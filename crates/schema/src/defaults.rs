//! The `default` annotation (JSON Schema 2020-12, Validation section 9.2), applied to absent properties.
//!
//! No implementation has to act on the annotation, and most tools expect that one does. An absent property
//! gets the default of its schema if that schema applies to every instance: through `properties`, `items`,
//! `allOf` and `$ref`. The schemas in `anyOf`, `oneOf`, `if` and the like apply to some instances only, and
//! add nothing.

use crate::Instance;
use crate::limits::MAX_NESTED_VISITS;
use serde_json::{Map, Value};

/// Visits of a schema to a value.
const MAX_VISITS: usize = 200_000;

/// Bytes of text that defaults add to an instance.
const MAX_BYTES: usize = 256 * 1024;

/// References in a row from a property to its default.
const MAX_REFERENCES: usize = 16;

/// The defaults exceed a limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// Returns the instance with the defaults of its absent properties; `None` if there are none to add.
pub(crate) fn fill(schema: &Value, instance: &Instance) -> Result<Option<Instance>, TooMuch> {
    let mut filling = Filling {
        root: schema,
        visits: 0,
        bytes: 0,
        nodes: instance.nodes(),
        is_changed: false,
    };
    let mut value = instance.value().clone();
    filling.fill(schema, &mut value, 0)?;
    let nodes = filling.nodes;
    Ok(filling
        .is_changed
        .then(|| Instance::from_parts(value, nodes)))
}

struct Filling<'s> {
    root: &'s Value,
    visits: usize,
    bytes: usize,
    nodes: usize,
    is_changed: bool,
}

impl<'s> Filling<'s> {
    fn fill(&mut self, schema: &'s Value, value: &mut Value, depth: usize) -> Result<(), TooMuch> {
        self.visits += 1;
        if self.visits > MAX_VISITS || depth > MAX_NESTED_VISITS {
            return Err(TooMuch);
        }
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        match value {
            Value::Object(fields) => self.fill_fields(keywords, fields, depth)?,
            Value::Array(items) => {
                // Beside `prefixItems`, `items` applies to the rest of the items only, as
                // `additionalItems` of older dialects does.
                if let Some(schema @ Value::Object(_)) = keywords.get("items")
                    && !keywords.contains_key("prefixItems")
                {
                    for item in items {
                        self.fill(schema, item, depth + 1)?;
                    }
                }
            }
            _ => return Ok(()),
        }
        if let Some(Value::Array(schemas)) = keywords.get("allOf") {
            for schema in schemas {
                self.fill(schema, value, depth + 1)?;
            }
        }
        match self.target(keywords) {
            Some(target) => self.fill(target, value, depth + 1),
            None => Ok(()),
        }
    }

    fn fill_fields(
        &mut self,
        keywords: &'s Map<String, Value>,
        fields: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), TooMuch> {
        let Some(Value::Object(properties)) = keywords.get("properties") else {
            return Ok(());
        };
        for (name, schema) in properties {
            if !fields.contains_key(name)
                && let Some(default) = self.default_of(schema)
            {
                self.add(default)?;
                self.bytes += name.len();
                fields.insert(name.clone(), default.clone());
                self.is_changed = true;
            }
            if let Some(value) = fields.get_mut(name) {
                self.fill(schema, value, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Returns the default of a schema, if its own `type` allows it. Some generators write `null` beside
    /// `"type": "string"` for no default.
    fn default_of(&self, mut schema: &'s Value) -> Option<&'s Value> {
        for _ in 0..MAX_REFERENCES {
            let keywords = schema.as_object()?;
            if let Some(default) = keywords.get("default") {
                return is_of_type(default, keywords.get("type")).then_some(default);
            }
            schema = self.target(keywords)?;
        }
        None
    }

    fn target(&self, keywords: &Map<String, Value>) -> Option<&'s Value> {
        let fragment = keywords.get("$ref")?.as_str()?.strip_prefix('#')?;
        if fragment.contains('%') {
            return None;
        }
        // `None` for an anchor as well.
        self.root.pointer(fragment)
    }

    /// Counts the values and bytes of a default.
    fn add(&mut self, value: &Value) -> Result<(), TooMuch> {
        self.nodes += 1;
        self.bytes += 4;
        match value {
            Value::String(text) => self.bytes += text.len(),
            Value::Array(items) => items.iter().try_for_each(|item| self.add(item))?,
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.bytes += name.len();
                    self.add(value)?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if self.bytes > MAX_BYTES || self.nodes > Instance::MAX_VALUES {
            return Err(TooMuch);
        }
        Ok(())
    }
}

fn is_of_type(value: &Value, types: Option<&Value>) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("number" | "integer") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    match types {
        None => true,
        Some(Value::Array(types)) => types.iter().any(is),
        Some(one) => is(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;
    use serde_json::json;

    /// The instance with its defaults; the instance itself if there is nothing to fill in.
    fn filled(schema: &Value, instance: &Value) -> Value {
        let instance = Instance::read(&instance.to_string()).unwrap();
        match fill(schema, &instance).unwrap() {
            Some(filled) => {
                // It is counted as if it had been read.
                let read = Instance::read(&filled.value().to_string()).unwrap();
                assert_eq!(filled, read);
                filled.into_value()
            }
            None => instance.into_value(),
        }
    }

    #[test]
    fn an_absent_property_gets_its_default_and_a_present_one_is_kept() {
        let schema = json!({"type": "object", "properties": {
            "count": {"type": "integer", "default": 3},
            "unit": {"enum": ["m", "km"], "default": "m"},
            "note": {"type": "string"},
        }});
        assert_eq!(
            filled(&schema, &json!({})),
            json!({"count": 3, "unit": "m"})
        );
        for whole in [
            json!({"count": 0, "unit": "km"}),
            json!({"count": null, "unit": ""}),
        ] {
            assert_eq!(filled(&schema, &whole), whole);
        }
        let instance = Instance::read(r#"{"count":1,"unit":"m"}"#).unwrap();
        assert_eq!(fill(&schema, &instance), Ok(None));
    }

    #[test]
    fn objects_within_are_filled_but_none_is_made_that_has_no_default() {
        let shelf = json!({"type": "object", "properties": {"row": {"default": 1}}});
        let schema = json!({
            "$defs": {"shelf": shelf, "mode": {"type": "string", "default": "fast"}},
            "properties": {
                "a": {"$ref": "#/$defs/shelf"},
                "b": {"$ref": "#/$defs/shelf", "default": {}},
                "list": {"type": "array", "items": shelf},
                "mode": {"$ref": "#/$defs/mode"},
            },
            "allOf": [{"properties": {"c": {"default": [2]}}}],
        });
        let found = filled(&schema, &json!({"list": [{}, {"row": 5}, 7]}));
        let expected = json!({
            "b": {"row": 1}, "c": [2], "list": [{"row": 1}, {"row": 5}, 7], "mode": "fast",
        });
        assert_eq!(found, expected);
        assert_eq!(filled(&schema, &json!({"a": {}}))["a"], json!({"row": 1}));
    }

    #[test]
    fn what_applies_to_some_instances_alone_fills_in_nothing() {
        let inner = json!({"properties": {"a": {"default": 1}}});
        for schema in [
            json!({"anyOf": [inner]}),
            json!({"oneOf": [inner]}),
            json!({"if": inner, "then": inner, "else": inner}),
            json!({"not": inner}),
            json!({"dependentSchemas": {"b": inner}}),
            json!({"patternProperties": {".": inner}}),
            json!({"default": {"a": 1}}),
        ] {
            assert_eq!(filled(&schema, &json!({})), json!({}), "{schema}");
        }
        // Beside `anyOf` it is the property's own.
        let optional = json!({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}}});
        assert_eq!(filled(&optional, &json!({})), json!({"a": null}));
    }

    #[test]
    fn a_default_of_another_type_than_its_own_is_none() {
        let schema = json!({"properties": {
            "a": {"type": "string", "default": null},
            "b": {"type": ["string", "null"], "default": null},
            "c": {"type": "integer", "default": "1"},
        }});
        assert_eq!(filled(&schema, &json!({})), json!({"b": null}));
    }

    #[test]
    fn filling_in_is_bounded_in_depth_work_and_size() {
        let endless = json!({"properties": {"a": {"$ref": "#", "default": {}}}});
        let empty = Instance::read("{}").unwrap();
        assert_eq!(fill(&endless, &empty), Err(TooMuch));
        let large = json!({"items": {"properties": {"a": {"default": "x".repeat(1000)}}}});
        let many = |count| Instance::read(&json!(vec![json!({}); count]).to_string()).unwrap();
        assert!(fill(&large, &many(100)).unwrap().is_some());
        assert_eq!(fill(&large, &many(1000)), Err(TooMuch));
        // Twice as many visits with each level.
        let twice = json!({"$ref": "#/$defs/s"});
        let doubling = json!({
            "$defs": {"s": {"properties": {"a": {"allOf": [twice, twice]}, "b": {"default": 1}}}},
            "$ref": "#/$defs/s",
        });
        let mut deep = json!({});
        for _ in 0..30 {
            deep = json!({"a": deep});
        }
        let deep = Instance::read(&deep.to_string()).unwrap();
        assert_eq!(fill(&doubling, &deep), Err(TooMuch));
        let schema = Schema::read(&endless.to_string()).unwrap();
        assert!(schema.with_defaults(&empty, "`arguments`").is_err());
    }
}

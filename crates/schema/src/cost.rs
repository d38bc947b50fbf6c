//! The cost of validating an instance by a schema: the number of visits of a subschema to a value.
//!
//! A schema that refers to itself in several places can make a validator visit the parts of an
//! instance twice as often with each level. So the visits are counted before validation, and an instance
//! that takes too many is refused.

use crate::limits::MAX_NESTED_VISITS;
use crate::references::{References, identity, of};
use crate::subschemas::{Applies, subschemas};
use crate::{Instance, SchemaError};
use serde_json::Value;
use std::collections::HashMap;

/// Visits for one instance: some tenths of a second.
const MAX_VISITS: usize = 1_000_000;

/// The cost of a schema for one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The largest number of subschemas that apply to one value; `usize::MAX` if that depends on the
    /// instance.
    each: usize,
}

/// Validation would take too many visits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl Cost {
    pub(crate) fn of(schema: &Value, references: &References<'_>) -> Self {
        Self {
            each: weigh(schema, references, 0, &mut HashMap::new()),
        }
    }

    /// Fails if validating `instance` takes too many visits.
    pub(crate) fn check(self, schema: &Value, instance: &Instance) -> Result<(), TooMuch> {
        if self.each <= MAX_NESTED_VISITS
            && self.each.saturating_mul(instance.nodes()) <= MAX_VISITS
        {
            return Ok(());
        }
        let references = References::new(schema).map_err(|_: SchemaError| TooMuch)?;
        let mut visits = Visits {
            references,
            made: 0,
        };
        visits.visit(schema, instance.value(), 0)
    }
}

/// Returns the number of subschemas that a value on one path through an instance can meet.
fn weigh<'s>(
    schema: &'s Value,
    references: &References<'s>,
    depth: usize,
    known: &mut HashMap<usize, Option<usize>>,
) -> usize {
    let Value::Object(keywords) = schema else {
        return 1;
    };
    match known.get(&identity(schema)) {
        Some(Some(weight)) => return *weight,
        // A schema that contains itself.
        Some(None) => return usize::MAX,
        None if depth >= MAX_NESTED_VISITS => return usize::MAX,
        None => {}
    }
    known.insert(identity(schema), None);
    let targets = of(keywords).filter_map(|reference| references.resolve(reference));
    let weight = subschemas(keywords)
        .filter(|subschema| subschema.applies != Applies::Nowhere)
        .map(|subschema| subschema.schema)
        .chain(targets)
        .map(|next| weigh(next, references, depth + 1, known))
        .fold(1, usize::saturating_add);
    known.insert(identity(schema), Some(weight));
    weight
}

struct Visits<'s> {
    references: References<'s>,
    made: usize,
}

impl<'s> Visits<'s> {
    fn visit(&mut self, schema: &'s Value, value: &Value, depth: usize) -> Result<(), TooMuch> {
        self.made += 1;
        if self.made > MAX_VISITS || depth > MAX_NESTED_VISITS {
            return Err(TooMuch);
        }
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        for reference in of(keywords) {
            if let Some(target) = self.references.resolve(reference) {
                self.visit(target, value, depth + 1)?;
            }
        }
        for subschema in subschemas(keywords) {
            let schema = subschema.schema;
            match (subschema.applies, value) {
                (Applies::Here, value) => self.visit(schema, value, depth + 1)?,
                (Applies::Property(name), Value::Object(fields)) => {
                    if let Some(value) = fields.get(name) {
                        self.visit(schema, value, depth + 1)?;
                    }
                }
                (Applies::Properties, Value::Object(fields)) => {
                    for value in fields.values() {
                        self.visit(schema, value, depth + 1)?;
                    }
                }
                // A name is a string, which has the cost of any other scalar.
                (Applies::Names, Value::Object(fields)) => {
                    for _ in fields {
                        self.visit(schema, &Value::Null, depth + 1)?;
                    }
                }
                (Applies::Items, Value::Array(items)) => {
                    for value in items {
                        self.visit(schema, value, depth + 1)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: &Value, instance: &Value) -> Result<(), TooMuch> {
        let references = References::check(schema).expect("a good schema");
        let instance = Instance::read(&instance.to_string()).expect("a good instance");
        Cost::of(schema, &references).check(schema, &instance)
    }

    #[test]
    fn ordinary_schemas_take_large_instances() {
        let schema = json!({
            "properties": {"rows": {"items": {"properties": {"a": {"type": "number"}}}}},
        });
        let rows: Vec<_> = (0..30_000).map(|n| json!({"a": n})).collect();
        assert_eq!(check(&schema, &json!({"rows": rows})), Ok(()));
    }

    #[test]
    fn a_schema_that_contains_itself_once_takes_deep_instances() {
        let schema = json!({"properties": {"next": {"$ref": "#"}}});
        let deep = (0..Instance::MAX_DEPTH - 1).fold(json!({}), |inner, _| json!({"next": inner}));
        assert_eq!(check(&schema, &deep), Ok(()));
    }

    #[test]
    fn one_that_doubles_with_every_level_takes_shallow_ones_alone() {
        let branch = json!({"properties": {"next": {"$ref": "#"}}});
        let schema = json!({"anyOf": [branch, branch]});
        let nested = |levels| (0..levels).fold(json!({}), |inner, _| json!({"next": inner}));
        assert_eq!(check(&schema, &nested(10)), Ok(()));
        assert_eq!(check(&schema, &nested(40)), Err(TooMuch));
    }

    #[test]
    fn definitions_that_double_each_other_are_too_much_whatever_the_instance() {
        let mut definitions = serde_json::Map::new();
        for n in 0..40 {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            definitions.insert(format!("d{n}"), json!({"allOf": [next, next]}));
        }
        definitions.insert("d40".into(), json!(true));
        let schema = json!({"properties": {"x": {"$ref": "#/$defs/d20"}}, "$defs": definitions});
        assert_eq!(check(&schema, &json!({})), Ok(()));
        assert_eq!(check(&schema, &json!({"x": 1})), Err(TooMuch));
    }
}

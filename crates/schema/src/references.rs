//! Where the references of a schema lead, which is nowhere outside of it.

use crate::SchemaError;
use crate::error::shown;
use crate::subschemas::{Applies, subschemas};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// References that follow each other without leaving a value at most, and subschemas likewise.
const LONGEST_CHAIN: usize = 64;

/// The names that the parts of a schema go by.
pub(crate) struct References<'s> {
    root: &'s Value,
    /// The `$id` of the whole.
    id: &'s str,
    anchors: HashMap<&'s str, &'s Value>,
}

impl<'s> References<'s> {
    /// Finds every name in the schema and follows every reference in it.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Foreign`], [`SchemaError::Embedded`] and [`SchemaError::Endless`].
    pub(crate) fn check(root: &'s Value) -> Result<Self, SchemaError> {
        let references = Self::new(root)?;
        let mut known = HashSet::new();
        let mut left = vec![root];
        while let Some(schema) = left.pop() {
            let Value::Object(keywords) = schema else {
                continue;
            };
            if !known.insert(place(schema)) {
                continue;
            }
            left.extend(subschemas(keywords).map(|subschema| subschema.schema));
            for reference in of(keywords) {
                let target = references.resolve(reference);
                left.push(target.ok_or_else(|| SchemaError::Foreign(shown(reference)))?);
            }
        }
        references.check_ends()?;
        Ok(references)
    }

    /// The names alone.
    pub(crate) fn new(root: &'s Value) -> Result<Self, SchemaError> {
        let mut references = Self {
            root,
            id: "",
            anchors: HashMap::new(),
        };
        let mut left = vec![root];
        while let Some(schema) = left.pop() {
            let Value::Object(keywords) = schema else {
                continue;
            };
            left.extend(subschemas(keywords).map(|subschema| subschema.schema));
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(name) = keywords.get(keyword).and_then(Value::as_str) {
                    references.anchors.insert(name, schema);
                }
            }
            // `id` was draft 4's name for it.
            for keyword in ["$id", "id"] {
                match keywords.get(keyword).and_then(Value::as_str) {
                    None => {}
                    // Drafts 4 to 7 had anchors this way.
                    Some(id) if id.starts_with('#') => {
                        references.anchors.insert(&id[1..], schema);
                    }
                    Some(id) if std::ptr::eq(schema, root) => {
                        references.id = id.trim_end_matches('#');
                    }
                    Some(_) if keyword == "$id" => return Err(SchemaError::Embedded),
                    Some(_) => {}
                }
            }
        }
        Ok(references)
    }

    /// What a reference leads to, if that is a part of the schema.
    pub(crate) fn resolve(&self, reference: &str) -> Option<&'s Value> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if !base.is_empty() && base != self.id {
            return None;
        }
        if fragment.is_empty() {
            return Some(self.root);
        }
        let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
        if fragment.starts_with('/') {
            self.root.pointer(&fragment)
        } else {
            self.anchors.get(&*fragment).copied()
        }
    }

    /// The schemas that are held against the same value as `keywords` are.
    fn here(&self, keywords: &'s Map<String, Value>) -> impl Iterator<Item = &'s Value> {
        let within = subschemas(keywords)
            .filter(|subschema| subschema.applies == Applies::Here)
            .map(|subschema| subschema.schema);
        within.chain(of(keywords).filter_map(|reference| self.resolve(reference)))
    }

    /// Refuses a schema in which a value could be held against schema after schema without end.
    fn check_ends(&self) -> Result<(), SchemaError> {
        let mut known = HashMap::new();
        let mut left = vec![self.root];
        let mut seen = HashSet::new();
        while let Some(schema) = left.pop() {
            let Value::Object(keywords) = schema else {
                continue;
            };
            if seen.insert(place(schema)) {
                self.chain(schema, 0, &mut known)?;
                left.extend(subschemas(keywords).map(|subschema| subschema.schema));
                left.extend(of(keywords).filter_map(|reference| self.resolve(reference)));
            }
        }
        Ok(())
    }

    fn chain(
        &self,
        schema: &'s Value,
        length: usize,
        known: &mut HashMap<usize, bool>,
    ) -> Result<(), SchemaError> {
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        match known.get(&place(schema)) {
            Some(true) => return Ok(()),
            Some(false) => {
                let reference = of(keywords).next().unwrap_or("a reference");
                return Err(SchemaError::Endless(shown(reference)));
            }
            None if length >= LONGEST_CHAIN => return Err(SchemaError::TooDeep),
            None => {}
        }
        known.insert(place(schema), false);
        for next in self.here(keywords) {
            self.chain(next, length + 1, known)?;
        }
        known.insert(place(schema), true);
        Ok(())
    }
}

/// Tells schemas apart: two that say the same are still two.
pub(crate) fn place(schema: &Value) -> usize {
    std::ptr::from_ref(schema).addr()
}

/// The references of a schema. Without embedded resources, a dynamic one leads where a plain one
/// would.
pub(crate) fn of(keywords: &Map<String, Value>) -> impl Iterator<Item = &str> {
    ["$ref", "$dynamicRef", "$recursiveRef"]
        .into_iter()
        .filter_map(|keyword| keywords.get(keyword)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: Value) -> Result<(), SchemaError> {
        References::check(&schema).map(|_| ())
    }

    #[test]
    fn a_reference_leads_to_a_part_of_the_schema() {
        for reference in [
            "#",
            "#/$defs/a",
            "#/$defs/b%20c",
            "#name",
            "https://example.com/s#/$defs/a",
        ] {
            let schema = json!({
                "$id": "https://example.com/s",
                "properties": {"x": {"$ref": reference}},
                "$defs": {"a": {}, "b c": true, "d": {"$anchor": "name"}},
            });
            assert_eq!(check(schema), Ok(()), "{reference}");
        }
    }

    #[test]
    fn a_reference_that_leads_out_is_refused_wherever_it_is() {
        for reference in [
            "https://example.com/other",
            "other.json",
            "file:///etc/passwd",
            "#/$defs/none",
            "#none",
            "//example.com#",
        ] {
            for schema in [
                json!({"$ref": reference}),
                json!({"properties": {"x": {"items": [{"$ref": reference}]}}}),
                json!({"$defs": {"unused": {"not": {"$dynamicRef": reference}}}}),
                json!({"$ref": "#/odd", "odd": {"anyOf": [{"$ref": reference}]}}),
            ] {
                let refused = Err(SchemaError::Foreign(reference.to_owned()));
                assert_eq!(check(schema), refused, "{reference}");
            }
        }
    }

    #[test]
    fn a_property_or_an_example_that_is_called_ref_is_no_reference() {
        let schema = json!({
            "properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}},
            "default": {"$ref": "https://example.com"},
            "enum": [{"$ref": "https://example.com"}],
        });
        assert_eq!(check(schema), Ok(()));
    }

    #[test]
    fn a_schema_may_contain_itself_but_not_be_itself() {
        let tree = json!({"properties": {"children": {"items": {"$ref": "#"}}}});
        assert_eq!(check(tree), Ok(()));
        for schema in [
            json!({"$ref": "#"}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}),
            json!({"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"anyOf": [true, {"$ref": "#/$defs/a"}]}}}),
        ] {
            assert!(matches!(check(schema), Err(SchemaError::Endless(_))));
        }
    }

    #[test]
    fn a_chain_of_references_is_bounded() {
        let chain = |links: usize| {
            let definitions: Map<String, Value> = (0..links)
                .map(|n| {
                    (
                        format!("n{n}"),
                        json!({"$ref": format!("#/$defs/n{}", n + 1)}),
                    )
                })
                .chain([(format!("n{links}"), json!(true))])
                .collect();
            json!({"$ref": "#/$defs/n0", "$defs": definitions})
        };
        assert_eq!(check(chain(LONGEST_CHAIN - 1)), Ok(()));
        assert_eq!(check(chain(5000)), Err(SchemaError::TooDeep));
    }

    #[test]
    fn a_resource_within_a_resource_is_refused() {
        let schema = json!({"$defs": {"a": {"$id": "https://example.com/a"}}});
        assert_eq!(check(schema), Err(SchemaError::Embedded));
    }
}

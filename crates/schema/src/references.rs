//! The references of a schema (JSON Schema 2020-12, Core section 8.2), which never lead out of it.

use crate::SchemaError;
use crate::subschemas::{Applies, subschemas};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use strict_json::excerpt;

/// References and subschemas that apply to one value one after the other.
const MAX_CHAIN: usize = 64;

/// The identifiers of the parts of a schema.
pub(crate) struct References<'s> {
    root: &'s Value,
    /// The `$id` of the root.
    id: &'s str,
    anchors: HashMap<&'s str, &'s Value>,
}

impl<'s> References<'s> {
    /// Collects the identifiers of a schema and follows each of its references.
    ///
    /// # Errors
    ///
    /// Fails with [`SchemaError::Foreign`], [`SchemaError::Embedded`], [`SchemaError::Endless`] or
    /// [`SchemaError::TooDeep`].
    pub(crate) fn check(root: &'s Value) -> Result<Self, SchemaError> {
        let references = Self::new(root)?;
        let mut known = HashSet::new();
        let mut left = vec![root];
        while let Some(schema) = left.pop() {
            let Value::Object(keywords) = schema else {
                continue;
            };
            if !known.insert(identity(schema)) {
                continue;
            }
            left.extend(subschemas(keywords).map(|subschema| subschema.schema));
            for reference in of(keywords) {
                let target = references.resolve(reference);
                left.push(target.ok_or_else(|| SchemaError::Foreign(excerpt(reference)))?);
            }
        }
        references.check_ends()?;
        Ok(references)
    }

    /// Collects the identifiers of a schema without following its references.
    ///
    /// # Errors
    ///
    /// Fails with [`SchemaError::Embedded`].
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
            // Draft 4 has `id` for `$id`.
            for keyword in ["$id", "id"] {
                match keywords.get(keyword).and_then(Value::as_str) {
                    None => {}
                    // An anchor of drafts 4 to 7.
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

    /// Returns the target of a reference; `None` if that is not a part of the schema.
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

    /// Returns the schemas that apply to the same value as `keywords`.
    fn here(&self, keywords: &'s Map<String, Value>) -> impl Iterator<Item = &'s Value> {
        let within = subschemas(keywords)
            .filter(|subschema| subschema.applies == Applies::Here)
            .map(|subschema| subschema.schema);
        within.chain(of(keywords).filter_map(|reference| self.resolve(reference)))
    }

    /// Fails if an endless chain of schemas applies to one value.
    fn check_ends(&self) -> Result<(), SchemaError> {
        let mut known = HashMap::new();
        let mut left = vec![self.root];
        let mut seen = HashSet::new();
        while let Some(schema) = left.pop() {
            let Value::Object(keywords) = schema else {
                continue;
            };
            if seen.insert(identity(schema)) {
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
        match known.get(&identity(schema)) {
            Some(true) => return Ok(()),
            Some(false) => {
                let reference = of(keywords).next().unwrap_or("a reference");
                return Err(SchemaError::Endless(excerpt(reference)));
            }
            None if length >= MAX_CHAIN => return Err(SchemaError::TooDeep),
            None => {}
        }
        known.insert(identity(schema), false);
        for next in self.here(keywords) {
            self.chain(next, length + 1, known)?;
        }
        known.insert(identity(schema), true);
        Ok(())
    }
}

/// Returns the identity of a schema: two equal schemas are still two.
pub(crate) fn identity(schema: &Value) -> usize {
    std::ptr::from_ref(schema).addr()
}

/// Returns the references of a schema. Without embedded resources, a dynamic reference leads where a plain one
/// does.
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
        assert_eq!(check(chain(MAX_CHAIN - 1)), Ok(()));
        assert_eq!(check(chain(5000)), Err(SchemaError::TooDeep));
    }

    #[test]
    fn a_resource_within_a_resource_is_refused() {
        let schema = json!({"$defs": {"a": {"$id": "https://example.com/a"}}});
        assert_eq!(check(schema), Err(SchemaError::Embedded));
    }
}

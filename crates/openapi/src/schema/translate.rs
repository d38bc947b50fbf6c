//! The schemas of a document as JSON Schema 2020-12 without references out of it.
//!
//! The Schema Object of 3.0 is a dialect of its own (section 4.7.24 of 3.0); that of 3.1 is 2020-12 with some more keywords. Only
//! keywords that are known here are taken over, and only with values that are valid.

use super::file::file;
use super::keywords::{self, written};
use crate::document::{Dialect, Document, ReferenceError, object};
use crate::input::{Content, content, is_marked};
use crate::name::Names;
use crate::steps::Steps;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To check what is sent. Properties that are the server's to decide are left out.
    Request,
    /// To describe what comes back. APIs often return what their documents do not say, null above all, and structured content that
    /// does not fit its schema is an error: nothing is required, everything may be null, and only types are said.
    Response,
}

/// What becomes of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum References {
    /// Each is replaced by what it leads to, except where that contains itself: not every client follows references.
    Inline,
    /// Each leads to a definition.
    Defined,
    /// As `Inline`, and what is nested deeper than so many levels is not described.
    Cut(usize),
}

/// Why there is no translation.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the schema is too large")]
    TooLarge,
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

/// A translation of some schemas, with the definitions that they share.
pub(crate) struct Translation<'d> {
    document: &'d Document,
    purpose: Purpose,
    references: References,
    /// Schemas that may still be written.
    schemas: Steps,
    /// Bytes that may still be written.
    bytes: Steps,
    /// By reference.
    definitions: BTreeMap<&'d str, Definition>,
    names: Names,
    /// The references that are being replaced, outermost first.
    open: Vec<&'d str>,
    /// How many of `open` were met on the way to a value inside of the one at hand.
    outside: usize,
    /// Schemas around the one at hand, in its definition.
    depth: usize,
    /// Of these, those of values around the one at hand.
    level: usize,
    /// Schemas around the one at hand that are of the same value, in whatever definition.
    chain: usize,
    /// Properties of the value at hand that are the server's to decide, by any part of its schema.
    hidden: HashSet<&'d str>,
    /// Of a multipart body, how its parts are written.
    encoding: Option<&'d Map<String, Value>>,
}

struct Definition {
    name: String,
    schema: Value,
}

/// Schemas in schemas, before the levels of JSON are counted.
const MAX_DEPTH: usize = 30;

/// Schemas of one value in each other. The contract takes 64, with references between them.
const MAX_CHAIN: usize = 30;

impl<'d> Translation<'d> {
    pub(crate) fn new(
        document: &'d Document,
        purpose: Purpose,
        references: References,
        max_schemas: usize,
        max_bytes: usize,
    ) -> Self {
        Self {
            document,
            purpose,
            references,
            schemas: Steps::new(max_schemas),
            bytes: Steps::new(max_bytes),
            definitions: BTreeMap::new(),
            names: Names::default(),
            open: Vec::new(),
            outside: 0,
            depth: 0,
            level: 0,
            chain: 0,
            hidden: HashSet::new(),
            encoding: None,
        }
    }

    pub(crate) fn document(&self) -> &'d Document {
        self.document
    }

    /// Returns the definitions that what was translated refers to, for its `$defs`.
    pub(crate) fn into_definitions(self) -> Map<String, Value> {
        let definitions = self.definitions.into_values();
        definitions
            .map(|definition| (definition.name, definition.schema))
            .collect()
    }

    /// Translates a schema. After an error nothing more can be translated.
    ///
    /// # Errors
    ///
    /// Fails if the schema is too large, or refers to what is not there.
    pub(crate) fn schema(&mut self, schema: &'d Value) -> Result<Value, Failure> {
        self.count()?;
        if self.depth >= MAX_DEPTH || self.chain >= MAX_CHAIN {
            return Err(Failure::TooLarge);
        }
        if self.chain == 0 && self.purpose == Purpose::Request {
            self.hide(schema)?;
        }
        self.depth += 1;
        self.chain += 1;
        let translated = match (schema, crate::document::reference(schema)) {
            (Value::Bool(_), _) if self.purpose == Purpose::Request => schema.clone(),
            (Value::Object(keywords), Some(reference)) => self.reference(reference, keywords)?,
            (Value::Object(keywords), None) => self.keywords(keywords)?,
            _ => json!({}),
        };
        self.chain -= 1;
        self.depth -= 1;
        Ok(translated)
    }

    /// As [`schema`](Self::schema), for that of a multipart body, some of whose properties are files.
    pub(crate) fn multipart(
        &mut self,
        schema: &'d Value,
        encoding: &'d Map<String, Value>,
    ) -> Result<Value, Failure> {
        self.encoding = Some(encoding);
        let translated = self.schema(schema);
        self.encoding = None;
        translated
    }

    /// Counts a schema, or what is read as one.
    fn count(&mut self) -> Result<(), Failure> {
        self.schemas.take(1).then_some(()).ok_or(Failure::TooLarge)
    }

    /// Counts the bytes of what is written.
    fn count_bytes(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes
            .take(bytes)
            .then_some(())
            .ok_or(Failure::TooLarge)
    }

    fn count_written(&mut self, value: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
        let value = Value::Object(value);
        let written = written(&value, self.bytes.left()).ok_or(Failure::TooLarge)?;
        self.count_bytes(written.len())?;
        match value {
            Value::Object(value) => Ok(value),
            _ => Ok(Map::new()),
        }
    }

    /// Notes the properties of a value that are the server's to decide. One part of its schema may say so of what another requires.
    fn hide(&mut self, schema: &'d Value) -> Result<(), Failure> {
        self.hidden.clear();
        let mut known = HashSet::new();
        let mut left = vec![schema];
        while let Some(schema) = left.pop() {
            // A reference to nothing is an error where it is translated.
            let Ok(schema) = self.document.resolve(schema) else {
                continue;
            };
            if !known.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            for (name, property) in schema.get("properties").map(object).into_iter().flatten() {
                if is_marked(self.document, property, "readOnly")? {
                    self.hidden.insert(name);
                }
            }
            let parts = schema.get("allOf").and_then(Value::as_array);
            for part in parts.into_iter().flatten() {
                self.count()?;
                left.push(part);
            }
        }
        Ok(())
    }

    /// Translates the schema of a value inside of the one at hand.
    fn inner(&mut self, schema: &'d Value) -> Result<Value, Failure> {
        let hidden = std::mem::take(&mut self.hidden);
        let outside = std::mem::replace(&mut self.outside, self.open.len());
        let chain = std::mem::take(&mut self.chain);
        self.level += 1;
        let translated = match self.references {
            References::Cut(levels) if self.level > levels => self.outline(schema)?,
            _ => self.schema(schema)?,
        };
        self.level -= 1;
        self.chain = chain;
        self.outside = outside;
        self.hidden = hidden;
        Ok(translated)
    }

    /// Returns what a schema says in one level.
    fn outline(&mut self, schema: &'d Value) -> Result<Value, Failure> {
        self.count()?;
        let keywords = self.document.resolve_object(schema);
        let mut outline = Map::new();
        if let Ok(keywords) = keywords {
            self.types(keywords, &mut outline);
            outline.extend(keywords::description(
                keywords,
                self.purpose == Purpose::Request,
            ));
        }
        Ok(Value::Object(self.count_written(outline)?))
    }

    fn reference(
        &mut self,
        reference: &'d str,
        keywords: &'d Map<String, Value>,
    ) -> Result<Value, Failure> {
        // A schema that is itself, or one of whose alternatives is itself, says nothing by that.
        if self.open[self.outside..].contains(&reference) {
            return Ok(json!({}));
        }
        let target = self.document.target(reference)?;
        let is_open = self.open.contains(&reference);
        let translated = match self.references {
            References::Cut(_) if is_open => self.outline(target)?,
            References::Inline if is_open => self.defined(reference, target)?,
            // Only the body itself has files.
            References::Defined if is_worth_a_definition(target) && !self.is_multipart() => {
                self.defined(reference, target)?
            }
            _ => self.opened(reference, target)?,
        };
        let is_3_1 = self.document.dialect() == Dialect::JsonSchema;
        if is_3_1
            && keywords
                .keys()
                .any(|key| !ANNOTATIONS.contains(&key.as_str()))
        {
            let mut beside = self.keywords(keywords)?;
            match beside.get_mut("allOf") {
                Some(Value::Array(all)) => all.push(translated),
                _ => beside["allOf"] = json!([translated]),
            }
            return Ok(beside);
        }
        let mut beside = keywords::description(keywords, self.purpose == Purpose::Request);
        Ok(match translated {
            Value::Object(mut translated) => {
                translated.append(&mut beside);
                Value::Object(translated)
            }
            other => other,
        })
    }

    fn opened(&mut self, reference: &'d str, target: &'d Value) -> Result<Value, Failure> {
        self.open.push(reference);
        let translated = self.schema(target);
        self.open.pop();
        translated
    }

    /// Returns a reference to the definition of `target`, which is translated once.
    fn defined(&mut self, reference: &'d str, target: &'d Value) -> Result<Value, Failure> {
        if !self.definitions.contains_key(reference) {
            let last = reference.rsplit('/').next().unwrap_or_default();
            let name = self.names.take(&[last]);
            let definition = Definition {
                name,
                schema: Value::Null,
            };
            self.definitions.insert(reference, definition);
            // What was met on the way to the same value stays open, so that no circle of references closes over it.
            let mut here = self.open[self.outside..].to_vec();
            here.push(reference);
            let open = std::mem::replace(&mut self.open, here);
            let (outside, depth) = (
                std::mem::take(&mut self.outside),
                std::mem::take(&mut self.depth),
            );
            let translated = self.schema(target);
            (self.open, self.outside, self.depth) = (open, outside, depth);
            let translated = translated?;
            if let Some(definition) = self.definitions.get_mut(reference) {
                definition.schema = translated;
            }
        }
        let name = self
            .definitions
            .get(reference)
            .map_or("", |definition| &definition.name);
        Ok(json!({"$ref": format!("#/$defs/{name}")}))
    }

    fn is_multipart(&self) -> bool {
        self.encoding.is_some() && self.level == 0
    }

    fn keywords(&mut self, keywords: &'d Map<String, Value>) -> Result<Value, Failure> {
        let is_request = self.purpose == Purpose::Request;
        let mut schema = Map::new();
        self.types(keywords, &mut schema);
        schema.extend(keywords::description(keywords, is_request));
        if is_request {
            // Before they are copied.
            let mut copied = keywords::COPIED.iter().filter_map(|key| keywords.get(*key));
            if copied.any(|value| written(value, self.bytes.left()).is_none()) {
                return Err(Failure::TooLarge);
            }
            schema.extend(keywords::validation(keywords, self.document.dialect()));
            schema.extend(keywords::examples(keywords));
        }
        let mut schema = self.count_written(schema)?;
        self.properties(keywords, &mut schema)?;
        self.items(keywords, &mut schema)?;
        self.alternatives(keywords, &mut schema)?;
        if is_request && self.document.dialect() == Dialect::JsonSchema {
            self.conditions(keywords, &mut schema)?;
        }
        Ok(Value::Object(self.nullable(keywords, schema)))
    }

    fn types(&self, keywords: &Map<String, Value>, schema: &mut Map<String, Value>) {
        let mut types = keywords::types(keywords);
        if types.is_empty() {
            return;
        }
        let may_be_null = self.purpose == Purpose::Response || self.is_nullable(keywords);
        if may_be_null && !types.contains(&"null") {
            types.push("null");
        }
        let types = match &types[..] {
            [one] => json!(one),
            several => json!(several),
        };
        schema.insert("type".to_owned(), types);
    }

    fn is_nullable(&self, keywords: &Map<String, Value>) -> bool {
        self.document.dialect() == Dialect::OpenApi30
            && keywords.get("nullable") == Some(&Value::Bool(true))
    }

    /// Lets null through where `nullable` stands beside no `type`, which has no effect by the specification and is written all the
    /// same.
    fn nullable(
        &self,
        keywords: &Map<String, Value>,
        mut schema: Map<String, Value>,
    ) -> Map<String, Value> {
        if !self.is_nullable(keywords) {
            return schema;
        }
        if let Some(Value::Array(values)) = schema.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        let parts = ["allOf", "anyOf"].map(|key| schema.remove(key).map(|parts| (key, parts)));
        if parts.iter().all(Option::is_none) {
            return schema;
        }
        let parts: Map<_, _> = parts
            .into_iter()
            .flatten()
            .map(|(key, parts)| (key.to_owned(), parts))
            .collect();
        schema.insert("anyOf".to_owned(), json!([parts, {"type": "null"}]));
        schema
    }

    fn properties(
        &mut self,
        keywords: &'d Map<String, Value>,
        schema: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let mut hidden = HashSet::new();
        if let Some(Value::Object(properties)) = keywords.get("properties") {
            let mark = match self.purpose {
                Purpose::Request => "readOnly",
                Purpose::Response => "writeOnly",
            };
            let mut translated = Map::new();
            for (name, property) in properties {
                if self.hidden.contains(name.as_str()) || is_marked(self.document, property, mark)?
                {
                    self.count()?;
                    hidden.insert(name.as_str());
                    continue;
                }
                self.count_bytes(name.len())?;
                let content = match self.encoding.filter(|_| self.level == 0) {
                    Some(encoding) => content(self.document, property, encoding.get(name))?,
                    None => Content::Value,
                };
                let property = match content {
                    Content::Value => self.inner(property)?,
                    files => file(files, property.get("description")),
                };
                translated.insert(name.clone(), property);
            }
            schema.insert("properties".to_owned(), Value::Object(translated));
        }
        let others = keywords.get("additionalProperties");
        // Patterns are not taken over, and what they allow would be among the others.
        match others.filter(|_| !keywords.contains_key("patternProperties")) {
            Some(Value::Bool(allowed)) if self.purpose == Purpose::Request => {
                schema.insert("additionalProperties".to_owned(), json!(allowed));
            }
            Some(others @ Value::Object(_)) => {
                let others = self.inner(others)?;
                schema.insert("additionalProperties".to_owned(), others);
            }
            _ => {}
        }
        if self.purpose == Purpose::Request {
            let required = keywords::required(keywords);
            let required: Vec<_> = required
                .into_iter()
                .filter(|name| !hidden.contains(name) && !self.hidden.contains(name))
                .collect();
            self.count_bytes(required.iter().map(|name| name.len()).sum())?;
            if !required.is_empty() {
                schema.insert("required".to_owned(), json!(required));
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        keywords: &'d Map<String, Value>,
        schema: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        match keywords.get("items") {
            // A tuple of older drafts.
            Some(Value::Array(items)) => {
                let items = self.each(items, Self::inner)?;
                schema.insert("prefixItems".to_owned(), items);
            }
            Some(items) => {
                let items = self.inner(items)?;
                schema.insert("items".to_owned(), items);
            }
            None => {}
        }
        if let Some(Value::Array(items)) = keywords.get("prefixItems") {
            let items = self.each(items, Self::inner)?;
            schema.insert("prefixItems".to_owned(), items);
        }
        Ok(())
    }

    /// `oneOf` becomes `anyOf`: documents rely on the discriminator, and without it one value often fits several of them.
    fn alternatives(
        &mut self,
        keywords: &'d Map<String, Value>,
        schema: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let mut parts = |key: &str| match keywords.get(key) {
            Some(Value::Array(parts)) if !parts.is_empty() => {
                self.each(parts, Self::schema).map(Some)
            }
            _ => Ok(None),
        };
        let (mut all, any, one) = (parts("allOf")?, parts("anyOf")?, parts("oneOf")?);
        match (any, one) {
            (Some(any), Some(one)) => {
                let both = [json!({"anyOf": any}), json!({"anyOf": one})];
                match &mut all {
                    Some(Value::Array(all)) => all.extend(both),
                    all => *all = Some(json!(both)),
                }
            }
            (Some(parts), None) | (None, Some(parts)) => {
                schema.insert("anyOf".to_owned(), parts);
            }
            (None, None) => {}
        }
        if let Some(all) = all {
            schema.insert("allOf".to_owned(), all);
        }
        Ok(())
    }

    /// Keywords that Schema Objects of 3.0 do not have, but for `not`, which those hardly ever have.
    fn conditions(
        &mut self,
        keywords: &'d Map<String, Value>,
        schema: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        type Translate<'d> = fn(&mut Translation<'d>, &'d Value) -> Result<Value, Failure>;
        const HERE: [&str; 4] = ["not", "if", "then", "else"];
        const INSIDE: [&str; 2] = ["contains", "propertyNames"];
        let here = HERE.map(|key| (key, Self::schema as Translate<'d>));
        let inside = INSIDE.map(|key| (key, Self::inner as Translate<'d>));
        for (key, translate) in here.into_iter().chain(inside) {
            if let Some(part @ (Value::Object(_) | Value::Bool(_))) = keywords.get(key) {
                let part = translate(self, part)?;
                schema.insert(key.to_owned(), part);
            }
        }
        if let Some(Value::Object(parts)) = keywords.get("dependentSchemas") {
            let mut translated = Map::new();
            for (name, part) in parts {
                translated.insert(name.clone(), self.schema(part)?);
            }
            schema.insert("dependentSchemas".to_owned(), Value::Object(translated));
        }
        Ok(())
    }

    fn each(
        &mut self,
        parts: &'d [Value],
        translate: impl Fn(&mut Self, &'d Value) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        let parts: Result<Vec<_>, _> = parts.iter().map(|part| translate(self, part)).collect();
        Ok(Value::Array(parts?))
    }
}

/// Keywords that, beside a reference, change nothing of what is valid.
const ANNOTATIONS: [&str; 12] = [
    "$comment",
    "$ref",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
];

/// Returns whether a schema contains others or is long, so that it is better written once.
fn is_worth_a_definition(schema: &Value) -> bool {
    const MAX_INLINE_BYTES: usize = 200;
    const COMPOSITE: [&str; 8] = [
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "items",
        "oneOf",
        "prefixItems",
        "properties",
    ];
    COMPOSITE.iter().any(|key| schema.get(key).is_some())
        || written(schema, MAX_INLINE_BYTES).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Translated {
        schema: Value,
        definitions: Value,
    }

    fn translate_as(
        version: &str,
        (purpose, references): (Purpose, References),
        schema: &Value,
    ) -> Result<Translated, Failure> {
        let document = json!({
            "openapi": version,
            "components": {"schemas": {
                "Name": {"type": "string", "description": "A name", "maxLength": 9},
                "Pet": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Name"}}},
                "Node": {"type": "object", "properties": {
                    "name": {"$ref": "#/components/schemas/Name"},
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
                }},
                "A": {"allOf": [{"$ref": "#/components/schemas/B"}], "minProperties": 1},
                "B": {"allOf": [{"$ref": "#/components/schemas/A"}], "maxProperties": 5},
                "Endless": {"$ref": "#/components/schemas/Endless"},
            }},
            "schema": schema,
        });
        let document = Document::read(&document.to_string(), None).unwrap();
        let mut translation = Translation::new(&document, purpose, references, 1000, 64 * 1024);
        let schema = translation.schema(document.get("schema").unwrap())?;
        Ok(Translated {
            schema,
            definitions: Value::Object(translation.into_definitions()),
        })
    }

    const REQUEST: (Purpose, References) = (Purpose::Request, References::Inline);

    fn translate(version: &str, schema: Value) -> Value {
        translate_as(version, REQUEST, &schema).unwrap().schema
    }

    #[test]
    fn nullable_of_3_0_becomes_a_type_or_an_alternative() {
        for (written, expected) in [
            (
                json!({"type": "string", "nullable": true}),
                json!({"type": ["string", "null"]}),
            ),
            (
                json!({"type": "string", "nullable": false}),
                json!({"type": "string"}),
            ),
            (
                json!({"type": "string", "nullable": true, "enum": ["a"]}),
                json!({"type": ["string", "null"], "enum": ["a", null]}),
            ),
            (json!({"nullable": true}), json!({})),
            (
                json!({"nullable": true, "allOf": [{"type": "string"}], "description": "x"}),
                json!({"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}], "description": "x"}),
            ),
            (
                json!({"nullable": true, "oneOf": [{"type": "string"}]}),
                json!({"anyOf": [{"anyOf": [{"type": "string"}]}, {"type": "null"}]}),
            ),
        ] {
            assert_eq!(translate("3.0.3", written.clone()), expected, "{written}");
        }
        // No keyword of 3.1.
        assert_eq!(
            translate("3.1.0", json!({"type": "string", "nullable": true})),
            json!({"type": "string"})
        );
    }

    #[test]
    fn keywords_that_are_not_known_are_left_out() {
        let written = json!({
            "type": "object", "x-mcp-header": "Name", "xml": {}, "externalDocs": {}, "discriminator": {"propertyName": "a"},
            "$id": "https://example.com/", "$anchor": "a", "$dynamicRef": "#a", "unknown": 1, "example": {"a": 1},
            "properties": {"x-b": {"type": "string", "x-c": 1}},
        });
        let expected = json!({
            "type": "object", "examples": [{"a": 1}], "properties": {"x-b": {"type": "string"}},
        });
        assert_eq!(translate("3.1.0", written), expected);
    }

    #[test]
    fn what_only_the_other_side_decides_is_left_out() {
        let written = json!({
            "type": "object",
            "properties": {
                "id": {"type": "integer", "readOnly": true},
                "password": {"type": "string", "writeOnly": true},
                "name": {"type": "string", "minLength": 1, "enum": ["a"]},
            },
            "required": ["id", "password", "name"],
            "additionalProperties": false,
        });
        let request = translate("3.1.0", written.clone());
        assert_eq!(
            request,
            json!({
                "type": "object",
                "properties": {"password": {"type": "string"}, "name": {"type": "string", "minLength": 1, "enum": ["a"]}},
                "required": ["password", "name"],
                "additionalProperties": false,
            })
        );
        let response = translate_as("3.1.0", (Purpose::Response, References::Inline), &written)
            .unwrap()
            .schema;
        assert_eq!(
            response,
            json!({
                "type": ["object", "null"],
                "properties": {"id": {"type": ["integer", "null"]}, "name": {"type": ["string", "null"]}},
            })
        );
    }

    #[test]
    fn what_one_part_says_is_the_servers_no_other_part_requires() {
        let written = json!({"allOf": [
            {"properties": {"id": {"readOnly": true}, "name": {}}},
            {"required": ["id", "name"], "properties": {"inner": {"required": ["id"]}}},
        ]});
        assert_eq!(
            translate("3.1.0", written),
            json!({"allOf": [
                {"properties": {"name": {}}},
                {"required": ["name"], "properties": {"inner": {"required": ["id"]}}},
            ]})
        );
    }

    #[test]
    fn one_of_becomes_any_of() {
        let written = json!({"oneOf": [{"type": "string"}], "anyOf": [{"minLength": 1}], "allOf": [{"maxLength": 2}]});
        assert_eq!(
            translate("3.1.0", written),
            json!({"allOf": [
                {"maxLength": 2}, {"anyOf": [{"minLength": 1}]}, {"anyOf": [{"type": "string"}]},
            ]})
        );
        assert_eq!(
            translate("3.0.0", json!({"oneOf": [{}], "anyOf": []})),
            json!({"anyOf": [{}]})
        );
    }

    #[test]
    fn a_reference_is_replaced_by_what_it_leads_to() {
        let pet = json!({"$ref": "#/components/schemas/Pet", "description": "Mine"});
        let expected = json!({
            "type": "object", "description": "Mine",
            "properties": {"name": {"type": "string", "description": "A name", "maxLength": 9}},
        });
        let translated = translate_as("3.0.0", REQUEST, &pet).unwrap();
        assert_eq!(
            (translated.schema, translated.definitions),
            (expected, json!({}))
        );
        let restricted = json!({"$ref": "#/components/schemas/Name", "minLength": 2});
        let name = json!({"type": "string", "description": "A name", "maxLength": 9});
        assert_eq!(
            translate("3.1.0", restricted.clone()),
            json!({"minLength": 2, "allOf": [name]})
        );
        assert_eq!(translate("3.0.0", restricted), name);
    }

    #[test]
    fn a_schema_that_contains_itself_keeps_a_definition() {
        let node = json!({"$ref": "#/components/schemas/Node"});
        let name = json!({"type": "string", "description": "A name", "maxLength": 9});
        let definition = json!({"type": "object", "properties": {
            "name": name, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        }});
        let inline = translate_as("3.1.0", REQUEST, &node).unwrap();
        assert_eq!(inline.schema, definition);
        assert_eq!(inline.definitions, json!({"Node": definition}));
        let defined =
            translate_as("3.1.0", (Purpose::Request, References::Defined), &node).unwrap();
        assert_eq!(defined.schema, json!({"$ref": "#/$defs/Node"}));
        assert_eq!(defined.definitions, json!({"Node": definition}));
        let cut = translate_as("3.1.0", (Purpose::Request, References::Cut(1)), &node).unwrap();
        let outline = json!({"type": "object", "properties": {
            "name": name, "children": {"type": "array", "items": {"type": "object"}},
        }});
        assert_eq!((cut.schema, cut.definitions), (outline, json!({})));
    }

    #[test]
    fn a_circle_of_references_says_nothing() {
        for references in [References::Inline, References::Defined, References::Cut(3)] {
            for name in ["A", "B", "Endless"] {
                let circle = json!({"$ref": format!("#/components/schemas/{name}")});
                let translated =
                    translate_as("3.1.0", (Purpose::Request, references), &circle).unwrap();
                let whole = json!({"allOf": [translated.schema], "$defs": translated.definitions});
                let schema = schema::Schema::read(&whole.to_string()).expect(name);
                assert_eq!(schema.compile(), Ok(()), "{whole}");
            }
        }
    }

    #[test]
    fn growth_is_bounded() {
        let mut schemas = Map::new();
        for n in 0..40 {
            let next = json!({"$ref": format!("#/components/schemas/S{}", n + 1)});
            schemas.insert(
                format!("S{n}"),
                json!({"properties": {"a": next, "b": next}}),
            );
        }
        schemas.insert("S40".to_owned(), json!({"type": "string"}));
        let document = json!({"openapi": "3.1.0", "components": {"schemas": schemas}}).to_string();
        let document = Document::read(&document, None).unwrap();
        let first = document.at(&["components", "schemas", "S0"]).unwrap();
        let translate = |references| {
            Translation::new(&document, Purpose::Request, references, 500, 64 * 1024)
                .schema(first)
                .map(|_| ())
        };
        assert_eq!(translate(References::Inline), Err(Failure::TooLarge));
        assert_eq!(translate(References::Defined), Ok(()));
        assert_eq!(translate(References::Cut(4)), Ok(()));
    }

    #[test]
    fn growth_is_bounded_in_bytes_too() {
        let words: Vec<_> = (0..200).map(|n| format!("word {n}")).collect();
        let described = json!({"type": "string", "description": "x".repeat(500)});
        let properties = (0..400).map(|n| (format!("p{n}"), described.clone()));
        for (large, bytes) in [
            (json!({"enum": words}), 3000),
            (json!({"required": words}), 3000),
            (json!({"properties": Map::from_iter(properties)}), 300_000),
        ] {
            let twice = [json!({"$ref": "#/a"}), json!({"$ref": "#/a"})];
            let document = json!({"openapi": "3.1.0", "a": large}).to_string();
            let document = Document::read(&document, None).unwrap();
            for (references, is_written_twice) in [
                (References::Inline, true),
                (References::Defined, false),
                (References::Cut(1), true),
                (References::Cut(0), false),
            ] {
                let translate = |bytes| {
                    let mut translation =
                        Translation::new(&document, Purpose::Request, references, 2000, bytes);
                    twice
                        .iter()
                        .try_for_each(|schema| translation.inner(schema).map(|_| ()))
                };
                assert_eq!(translate(2 * bytes), Ok(()), "{references:?}");
                let expected = if is_written_twice {
                    Err(Failure::TooLarge)
                } else {
                    Ok(())
                };
                assert_eq!(translate(bytes), expected, "{references:?}");
            }
        }
    }

    #[test]
    fn tuples_and_conditions_are_translated() {
        let written = json!({
            "prefixItems": [{"type": "string", "x-a": 1}], "items": false,
            "if": {"x-a": 1}, "then": {"not": {"const": 1}}, "patternProperties": {"^a": {"x-a": 1}}, "additionalProperties": false,
            "dependentRequired": {"a": ["b"]},
        });
        assert_eq!(
            translate("3.1.0", written),
            json!({
                "prefixItems": [{"type": "string"}], "items": false,
                "if": {}, "then": {"not": {"const": 1}},
                "dependentRequired": {"a": ["b"]},
            })
        );
        assert_eq!(
            translate(
                "3.0.0",
                json!({"type": "array", "items": [{"type": "string"}], "if": {}})
            ),
            json!({"type": "array", "prefixItems": [{"type": "string"}]})
        );
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let failure = translate_as("3.0.0", REQUEST, &json!({"items": {"$ref": "#/none"}})).err();
        let missing = ReferenceError::Missing("#/none".to_owned());
        assert_eq!(failure, Some(Failure::Reference(missing)));
    }
}

//! The schemas of a tool: its arguments as one object, and what it gives.

mod conforms;
mod file;
mod keywords;
mod translate;

use crate::body::{Body, BodyKind, is_any_json, json_rank};
use crate::document::{Document, ReferenceError, object};
use crate::input::{Content, Input, Source};
use crate::parameter::Parameter;
use crate::steps::Steps;
use crate::unusable::Unusable;
use file::{described, file};
use serde_json::{Map, Value, json};
use translate::{Failure, Purpose, References, Translation};

pub(crate) use conforms::conforms;
pub(crate) use keywords::{bounded, text};

/// Bytes of an input schema. The contract takes four times as much, but a model pays for each of them.
const MAX_INPUT_BYTES: usize = 64 * 1024;

/// Bytes of an output schema.
const MAX_OUTPUT_BYTES: usize = 16 * 1024;

/// Bytes of an input schema in which every reference is replaced by what it leads to.
const MAX_INLINE_BYTES: usize = 24 * 1024;

/// Attempts at an input schema: references, schemas in it, bytes.
const INPUT_ATTEMPTS: [(References, usize, usize); 4] = [
    (References::Inline, 400, MAX_INLINE_BYTES),
    (References::Defined, 3000, MAX_INPUT_BYTES),
    (References::Cut(4), 3000, MAX_INPUT_BYTES),
    (References::Cut(1), 3000, MAX_INPUT_BYTES),
];

const OUTPUT_ATTEMPTS: [(References, usize, usize); 3] = [
    (References::Inline, 300, MAX_OUTPUT_BYTES),
    (References::Cut(3), 300, MAX_OUTPUT_BYTES),
    (References::Cut(1), 300, MAX_OUTPUT_BYTES),
];

/// Returns the schema of the arguments. The larger the schemas of the document are, the less of them it says.
///
/// # Errors
///
/// Fails with [`Unusable::TooLarge`] or [`Unusable::Reference`].
pub(crate) fn input_schema(
    document: &Document,
    inputs: &[Input<'_>],
    body: Option<&Body<'_>>,
) -> Result<Value, Unusable> {
    for (references, budget, max_bytes) in INPUT_ATTEMPTS {
        let mut translation =
            Translation::new(document, Purpose::Request, references, budget, max_bytes);
        let properties: Result<Map<_, _>, Failure> = inputs
            .iter()
            .map(|input| Ok((input.name.clone(), property(&mut translation, input, body)?)))
            .collect();
        let properties = match properties {
            Ok(properties) => properties,
            Err(Failure::TooLarge) => continue,
            Err(Failure::Reference(error)) => return Err(error.into()),
        };
        let required: Vec<_> = inputs
            .iter()
            .filter(|input| input.required)
            .map(|input| &input.name)
            .collect();
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        put_definitions(&mut schema, translation);
        if fits(&schema, max_bytes) {
            return Ok(schema);
        }
    }
    Err(Unusable::TooLarge(MAX_INPUT_BYTES))
}

fn property<'d>(
    translation: &mut Translation<'d>,
    input: &Input<'d>,
    body: Option<&Body<'d>>,
) -> Result<Value, Failure> {
    match &input.source {
        Source::PathVariable(_) => Ok(json!({"type": "string"})),
        Source::Parameter(parameter) => {
            let mut schema = match parameter.schema {
                Some(schema) => translation.schema(schema)?,
                None => json!({"type": "string"}),
            };
            if let Value::Object(schema) = &mut schema {
                schema.extend(keywords::description(
                    &said_of(translation, parameter)?,
                    true,
                ));
                schema.extend(keywords::examples(parameter.object));
            }
            Ok(schema)
        }
        Source::Property {
            schema,
            content: Content::Value,
            ..
        } => translation.schema(schema),
        Source::Property {
            schema, content, ..
        } => Ok(file(*content, schema.get("description"))),
        Source::Body {
            content: Content::Value,
            ..
        } => {
            let Some(body) = body else {
                return Ok(json!({}));
            };
            let schema = match (body.kind, body.schema) {
                (BodyKind::Text, _) => json!({
                    "type": "string",
                    "description": format!("The body of the request, as {}.", bounded(body.media_type, 100)),
                }),
                (BodyKind::Form | BodyKind::Multipart, schema) => {
                    let translated = schema
                        .map(|schema| match body.kind {
                            BodyKind::Multipart => translation.multipart(schema, body.encoding),
                            _ => translation.schema(schema),
                        })
                        .transpose()?;
                    let mut members = match translated {
                        Some(Value::Object(members)) => members,
                        _ => Map::new(),
                    };
                    members.insert("type".to_owned(), json!("object"));
                    Value::Object(members)
                }
                (_, Some(schema)) => translation.schema(schema)?,
                (_, None) => json!({}),
            };
            Ok(described(schema, body.description))
        }
        Source::Body { content, .. } => {
            let description = body.and_then(|body| body.description);
            Ok(described(file(*content, None), description))
        }
    }
}

/// Returns what a parameter says to people in place of its schema: with the schema's default, if it describes itself.
fn said_of(
    translation: &Translation<'_>,
    parameter: &Parameter<'_>,
) -> Result<Map<String, Value>, ReferenceError> {
    let mut said = Map::new();
    let description = text(parameter.object.get("description").and_then(Value::as_str));
    if let Some(description) = description {
        let description = bounded(description, keywords::MAX_DESCRIPTION_CHARS);
        said.insert("description".to_owned(), description.into());
        let schema = parameter
            .schema
            .map(|schema| translation.document().resolve(schema));
        let default = schema.transpose()?.and_then(|schema| schema.get("default"));
        let default = default.filter(|default| keywords::is_short(default));
        said.extend(default.map(|default| ("default".to_owned(), default.clone())));
    }
    if parameter.object.get("deprecated") == Some(&Value::Bool(true)) {
        said.insert("deprecated".to_owned(), true.into());
    }
    Ok(said)
}

/// Schemas that are read to find out whether a response is an object.
const MAX_STEPS: usize = 2000;

/// Returns the schema of what the operation gives; `None` if it may give something else than a JSON object when it succeeds, or
/// the document does not say what.
pub(crate) fn output_schema(document: &Document, operation: &Value) -> Option<Value> {
    let responses = operation.get("responses").map(object)?;
    let successes = responses
        .iter()
        .filter(|(status, _)| status.starts_with('2'));
    let mut steps = Steps::new(MAX_STEPS);
    let schemas: Option<Vec<_>> = successes
        .map(|(_, response)| success_schema(document, response, &mut steps).ok()?)
        .collect();
    let schemas = schemas.filter(|schemas| !schemas.is_empty())?;
    OUTPUT_ATTEMPTS
        .into_iter()
        .find_map(|(references, budget, max_bytes)| {
            let mut translation =
                Translation::new(document, Purpose::Response, references, budget, max_bytes);
            let translated: Result<Vec<_>, _> = schemas
                .iter()
                .map(|schema| translation.schema(schema))
                .collect();
            let mut schema = match <[Value; 1]>::try_from(translated.ok()?) {
                Ok([schema]) => schema,
                Err(schemas) => json!({"anyOf": schemas}),
            };
            // Clients of older revisions want this one word.
            *schema.as_object_mut()?.entry("type").or_insert(Value::Null) = json!("object");
            put_definitions(&mut schema, translation);
            fits(&schema, max_bytes).then_some(schema)
        })
}

/// Returns whether a schema is small enough, and the contract takes its levels.
fn fits(schema: &Value, max_bytes: usize) -> bool {
    /// Levels of objects and arrays; the contract takes 64.
    const MAX_LEVELS: usize = 60;
    fn is_within(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => {
                levels > 0 && items.iter().all(|item| is_within(item, levels - 1))
            }
            Value::Object(members) => {
                levels > 0 && members.values().all(|member| is_within(member, levels - 1))
            }
            _ => true,
        }
    }
    is_within(schema, MAX_LEVELS) && schema.to_string().len() <= max_bytes
}

fn put_definitions(schema: &mut Value, translation: Translation<'_>) {
    let definitions = translation.into_definitions();
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
}

/// Returns the schema of a response in JSON; `None` if it is in another format or is no object.
fn success_schema<'d>(
    document: &'d Document,
    response: &'d Value,
    steps: &mut Steps,
) -> Result<Option<&'d Value>, ReferenceError> {
    let content = document
        .resolve_object(response)?
        .get("content")
        .map(object);
    let json = content
        .into_iter()
        .flatten()
        .filter(|(media_type, _)| is_any_json(media_type))
        .min_by_key(|(media_type, _)| json_rank(media_type));
    let Some((_, json)) = json else {
        return Ok(None);
    };
    let Some(schema) = document.resolve_object(json)?.get("schema") else {
        return Ok(None);
    };
    Ok(is_object(document, schema, 8, steps)?.then_some(schema))
}

/// Returns whether every valid instance of a schema is an object; false if that takes more steps than are left.
fn is_object(
    document: &Document,
    schema: &Value,
    depth: usize,
    steps: &mut Steps,
) -> Result<bool, ReferenceError> {
    let keywords = document.resolve(schema)?.as_object();
    let Some(keywords) = keywords.filter(|_| depth > 0 && steps.take(1)) else {
        return Ok(false);
    };
    if keywords.contains_key("type") {
        return Ok(keywords::types(keywords) == ["object"]);
    }
    if keywords.contains_key("properties") {
        return Ok(true);
    }
    // One part of `allOf` is enough; of the others it takes all.
    for (key, enough) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
        let parts = keywords.get(key).and_then(Value::as_array);
        let parts = parts.map_or(&[][..], Vec::as_slice);
        let mut is = !enough && !parts.is_empty();
        for part in parts {
            is = is_object(document, part, depth - 1, steps)?;
            if is == enough {
                break;
            }
        }
        if is {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::body;
    use crate::input::inputs;
    use crate::parameter::parameters;
    use schema::{Instance, Schema};

    fn document(schemas: &Value) -> Document {
        let document = json!({"openapi": "3.1.0", "components": {"schemas": schemas}});
        Document::read(&document.to_string(), None).unwrap()
    }

    fn input_schema(document: &Document, operation: &Value) -> Result<Value, Unusable> {
        let parameters = parameters(document, &Value::Null, operation)?;
        let body = body(document, operation)?;
        let inputs = inputs(document, parameters, std::iter::empty(), body.as_ref())?;
        let schema = super::input_schema(document, &inputs, body.as_ref())?;
        let read = Schema::read(&schema.to_string()).unwrap();
        assert_eq!(read.compile(), Ok(()), "{schema}");
        Ok(schema)
    }

    #[test]
    fn parameters_and_body_are_one_object() {
        let document = document(&json!({"Pet": {
            "type": "object",
            "properties": {"id": {"type": "integer", "readOnly": true}, "name": {"type": "string"}},
            "required": ["id", "name"],
        }}));
        let operation = json!({
            "parameters": [
                {"name": "id", "in": "path", "description": "Which", "schema": {"type": "integer", "description": "A number"}, "example": 7},
                {"name": "dry", "in": "query", "schema": {"type": "boolean", "default": false}},
                {"name": "page", "in": "query", "description": "Which page", "schema": {"type": "integer", "default": 1}},
            ],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
        });
        assert_eq!(
            input_schema(&document, &operation).unwrap(),
            json!({
                "type": "object",
                "properties": {
                    "id": {"type": "integer", "description": "Which", "examples": [7]},
                    "dry": {"type": "boolean", "description": "(default: false)"},
                    "page": {"type": "integer", "description": "Which page (default: 1)"},
                    "name": {"type": "string"},
                },
                "required": ["id", "name"],
                "additionalProperties": false,
            })
        );
    }

    #[test]
    fn what_is_read_only_in_one_argument_stays_in_the_others() {
        let of =
            |read_only| json!({"properties": {"id": {"readOnly": read_only}}, "required": ["id"]});
        let operation = json!({"parameters": [
            {"name": "a", "in": "query", "schema": of(true)},
            {"name": "b", "in": "query", "schema": of(false)},
        ]});
        let schema = input_schema(&document(&json!({})), &operation).unwrap();
        let expected =
            json!({"a": {"properties": {}}, "b": {"properties": {"id": {}}, "required": ["id"]}});
        assert_eq!(schema["properties"], expected);
    }

    #[test]
    fn a_file_is_text_or_base64() {
        let document = document(&json!({}));
        let upload = json!({"requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {
            "properties": {"file": {"type": "string", "format": "binary", "description": "A picture"}},
        }}}}});
        let schema = input_schema(&document, &upload).unwrap();
        assert_eq!(schema["properties"]["file"]["description"], "A picture");
        let schema = Schema::read(&schema.to_string()).unwrap();
        let fits = |file: Value| {
            let arguments = Instance::read(&json!({"file": file}).to_string()).unwrap();
            schema.check(&arguments, "it").is_ok()
        };
        assert!(fits(json!({"text": "a", "filename": "a.txt"})));
        assert!(fits(json!({"base64": "YQ=="})));
        for wrong in [
            json!({}),
            json!({"text": "a", "base64": ""}),
            json!("YQ=="),
            json!({"filename": "a"}),
        ] {
            assert!(!fits(wrong));
        }
        let raw = json!({"requestBody": {"content": {"image/png": {}}}});
        let schema = input_schema(&document, &raw).unwrap();
        assert_eq!(schema["properties"]["body"]["type"], "object");
    }

    #[test]
    fn large_schemas_say_less_and_huge_ones_are_refused() {
        let wide = |properties: usize, text: usize| {
            let property = json!({"type": "string", "description": "x".repeat(text)});
            let named = (0..properties).map(|n| (format!("p{n}"), property.clone()));
            json!({"type": "object", "properties": Map::from_iter(named)})
        };
        let schemas = json!({"Wide": wide(60, 300), "Holder": {"type": "object", "properties": {
            "a": {"$ref": "#/components/schemas/Wide"}, "b": {"$ref": "#/components/schemas/Wide"},
        }}, "Huge": wide(400, 300)});
        let document = document(&schemas);
        let of = |name: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            input_schema(
                &document,
                &json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}),
            )
        };
        let holder = of("Holder").unwrap();
        assert_eq!(holder["properties"]["a"], json!({"$ref": "#/$defs/Wide"}));
        assert_eq!(of("Huge"), Err(Unusable::TooLarge(MAX_INPUT_BYTES)));
    }

    #[test]
    fn parts_that_multiply_are_read_in_a_bounded_number_of_steps() {
        let mut schemas = Map::new();
        for n in 0..15 {
            let next = json!({"$ref": format!("#/components/schemas/S{}", n + 1)});
            schemas.insert(format!("S{n}"), json!({"allOf": vec![next.clone(); 20]}));
            let next = json!({"$ref": format!("#/components/schemas/T{}", n + 1)});
            schemas.insert(format!("T{n}"), json!({"anyOf": vec![next; 100]}));
        }
        schemas.insert("S15".to_owned(), json!({"required": ["a"]}));
        schemas.insert("T15".to_owned(), json!({"anyOf": [{}]}));
        let document = document(&Value::Object(schemas));
        for media_type in ["application/json", "multipart/form-data"] {
            let schema = json!({"$ref": "#/components/schemas/S0"});
            let body = json!({"required": true, "content": {media_type: {"schema": schema}}});
            let refused = input_schema(&document, &json!({"requestBody": body}));
            assert_eq!(refused, Err(Unusable::TooLarge(MAX_INPUT_BYTES)));
        }
        for name in ["S0", "T0"] {
            let response = json_response(json!({"$ref": format!("#/components/schemas/{name}")}));
            let operation = json!({"responses": {"200": response}});
            assert_eq!(output_schema(&document, &operation), None);
        }
    }

    #[test]
    fn a_long_list_of_values_is_written_once() {
        let words: Vec<_> = (0..1000).map(|n| format!("the word {n}")).collect();
        let document = document(&json!({"Word": {"type": "string", "enum": words}}));
        let word = json!({"$ref": "#/components/schemas/Word"});
        let named: Map<_, _> = (0..6).map(|n| (format!("w{n}"), word.clone())).collect();
        let schema = json!({"properties": named});
        let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        let schema = input_schema(&document, &json!({"requestBody": body})).unwrap();
        assert_eq!(schema["properties"]["w5"], json!({"$ref": "#/$defs/Word"}));
    }

    #[test]
    fn a_file_of_a_multipart_body_that_may_be_absent_is_a_file() {
        let document = document(&json!({"Upload": {
            "properties": {"file": {"type": "string", "format": "binary"}, "id": {"type": "integer"}},
            "required": ["file"],
        }}));
        let upload = json!({"$ref": "#/components/schemas/Upload"});
        for schema in [upload.clone(), json!({"oneOf": [upload]})] {
            let body = json!({"content": {"multipart/form-data": {"schema": schema}}});
            let schema = input_schema(&document, &json!({"requestBody": body})).unwrap();
            let schema = Schema::read(&schema.to_string()).unwrap();
            let check = |file: Value| {
                let arguments = json!({"body": {"file": file, "id": 1}}).to_string();
                schema.check(&Instance::read(&arguments).unwrap(), "it")
            };
            assert_eq!(check(json!({"base64": "YQ=="})), Ok(()));
            assert!(check(json!("YQ==")).is_err());
        }
    }

    fn output(responses: Value) -> Option<Value> {
        let document = document(&json!({
            "Pet": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
        }));
        let schema = output_schema(&document, &json!({"responses": responses}))?;
        let read = Schema::read(&schema.to_string()).unwrap();
        assert_eq!(read.compile(), Ok(()), "{schema}");
        // What an API gives in spite of its document.
        for instance in [r#"{}"#, r#"{"name":null,"next":null,"more":1}"#] {
            assert_eq!(
                read.check(&Instance::read(instance).unwrap(), "it"),
                Ok(()),
                "{schema}"
            );
        }
        Some(schema)
    }

    fn json_response(schema: Value) -> Value {
        json!({"content": {"application/json": {"schema": schema}}})
    }

    #[test]
    fn an_output_schema_describes_the_object_that_comes_back() {
        let pet = || json_response(json!({"$ref": "#/components/schemas/Pet"}));
        let expected =
            json!({"type": "object", "properties": {"name": {"type": ["string", "null"]}}});
        assert_eq!(
            output(json!({"200": pet(), "404": {}, "default": {}})),
            Some(expected.clone())
        );
        let node = || json_response(json!({"$ref": "#/components/schemas/Node"}));
        let both = output(json!({"200": pet(), "201": node()})).unwrap();
        assert_eq!(both["type"], "object");
        assert_eq!(both["anyOf"].as_array().unwrap().len(), 2);
        assert!(output(json!({"2XX": node()})).unwrap()["$defs"]["Node"].is_object());
        assert!(
            output(json!({"200": json_response(json!({"oneOf": [{"type": "object"}]}))})).is_some()
        );
    }

    #[test]
    fn what_may_be_no_object_has_no_output_schema() {
        let object = || json_response(json!({"type": "object"}));
        for responses in [
            json!({}),
            json!({"default": object()}),
            json!({"200": object(), "204": {"description": "Nothing"}}),
            json!({"200": json_response(json!({"type": "array"}))}),
            json!({"200": json_response(json!({"type": ["object", "null"]}))}),
            json!({"200": json_response(json!({}))}),
            json!({"200": json_response(json!({"anyOf": [{"type": "object"}, {"type": "string"}]}))}),
            json!({"200": {"content": {"text/plain": {"schema": {"type": "object"}}}}}),
            json!({"200": json_response(json!({"$ref": "#/none"}))}),
        ] {
            assert_eq!(output(responses.clone()), None, "{responses}");
        }
    }
}

//! The schemas of a tool: its arguments as one object, and what it gives.

mod keywords;
mod translate;

use crate::body::{Body, BodyKind, is_json};
use crate::document::{Document, ReferenceError, object};
use crate::input::{Content, Input, Source};
use crate::parameter::Parameter;
use crate::unusable::Unusable;
use serde_json::{Map, Value, json};
use translate::{Failure, Purpose, References, Translation};

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
        let mut translation = Translation::new(document, Purpose::Request, references, budget);
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
        Source::Body(Content::Value) => {
            let Some(body) = body else {
                return Ok(json!({}));
            };
            let schema = match (body.kind, body.schema) {
                (BodyKind::Text, _) => json!({
                    "type": "string",
                    "description": format!("The body of the request, as {}.", body.media_type),
                }),
                (BodyKind::Form | BodyKind::Multipart, schema) => {
                    let translated = schema
                        .map(|schema| translation.schema(schema))
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
        Source::Body(content) => {
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
    for key in ["description", "deprecated"] {
        said.extend(
            parameter
                .object
                .get(key)
                .map(|value| (key.to_owned(), value.clone())),
        );
    }
    if text(parameter.object.get("description").and_then(Value::as_str)).is_some()
        && let Some(schema) = parameter.schema
    {
        let default = translation.document().resolve(schema)?.get("default");
        said.extend(default.map(|default| ("default".to_owned(), default.clone())));
    }
    Ok(said)
}

/// Returns a schema with this description, unless it has one.
fn described(mut schema: Value, description: Option<&str>) -> Value {
    if let (Value::Object(schema), Some(description)) = (&mut schema, text(description)) {
        schema
            .entry("description")
            .or_insert_with(|| bounded(description, 600).into());
    }
    schema
}

/// Returns the schema of a file, which is written as text or in base64.
fn file(content: Content, description: Option<&Value>) -> Value {
    let one = json!({
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "What the file contains, if that is text."},
            "base64": {"type": "string", "contentEncoding": "base64", "description": "What the file contains, in base64."},
            "filename": {"type": "string"},
        },
        "oneOf": [{"required": ["text"]}, {"required": ["base64"]}],
        "additionalProperties": false,
    });
    let schema = match content {
        Content::Files => json!({"type": "array", "items": one}),
        Content::Value | Content::File => one,
    };
    described(schema, description.and_then(Value::as_str))
}

/// Returns the schema of what the operation gives; `None` if it may give something else than a JSON object when it succeeds, or
/// the document does not say what.
pub(crate) fn output_schema(document: &Document, operation: &Value) -> Option<Value> {
    let responses = operation.get("responses").map(object)?;
    let successes = responses
        .iter()
        .filter(|(status, _)| status.starts_with('2'));
    let schemas: Option<Vec<_>> = successes
        .map(|(_, response)| success_schema(document, response).ok()?)
        .collect();
    let schemas = schemas.filter(|schemas| !schemas.is_empty())?;
    OUTPUT_ATTEMPTS
        .into_iter()
        .find_map(|(references, budget, max_bytes)| {
            let mut translation = Translation::new(document, Purpose::Response, references, budget);
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
) -> Result<Option<&'d Value>, ReferenceError> {
    let content = document
        .resolve_object(response)?
        .get("content")
        .map(object);
    let json = content
        .into_iter()
        .flatten()
        .find(|(media_type, _)| is_json(media_type));
    let Some((_, json)) = json else {
        return Ok(None);
    };
    let Some(schema) = document.resolve_object(json)?.get("schema") else {
        return Ok(None);
    };
    Ok(is_object(document, schema, 8)?.then_some(schema))
}

/// Returns whether every valid instance of a schema is an object.
fn is_object(document: &Document, schema: &Value, depth: usize) -> Result<bool, ReferenceError> {
    let Some(keywords) = document.resolve(schema)?.as_object().filter(|_| depth > 0) else {
        return Ok(false);
    };
    if keywords.contains_key("type") {
        return Ok(keywords::types(keywords) == ["object"]);
    }
    let parts = |key: &str| {
        let parts = keywords
            .get(key)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        parts
            .iter()
            .map(|part| is_object(document, part, depth - 1))
            .collect::<Result<Vec<_>, _>>()
    };
    let all = |parts: Vec<bool>| !parts.is_empty() && parts.into_iter().all(|is| is);
    Ok(keywords.contains_key("properties")
        || parts("allOf")?.contains(&true)
        || all(parts("anyOf")?)
        || all(parts("oneOf")?))
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

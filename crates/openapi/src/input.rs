//! The arguments of a tool: an operation's parameters and its body as one object.

use crate::body::{Body, BodyKind};
use crate::document::{Document, ReferenceError, object};
use crate::flat::flat;
use crate::location::Location;
use crate::name::Names;
use crate::parameter::Parameter;
use crate::steps::Steps;
use serde_json::Value;
use std::collections::BTreeMap;

/// An argument.
#[derive(Clone, Debug)]
pub(crate) struct Input<'d> {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) source: Source<'d>,
}

/// What an argument is of the request.
#[derive(Clone, Debug)]
pub(crate) enum Source<'d> {
    Parameter(Parameter<'d>),
    /// A variable of the path that the document does not describe.
    PathVariable(&'d str),
    /// A property of the body.
    Property {
        name: &'d str,
        schema: &'d Value,
        content: Content,
    },
    /// The body as a whole.
    Body {
        content: Content,
        /// Of a form, what each property is that its schema names.
        members: BTreeMap<&'d str, Content>,
    },
}

/// What a value of the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// What its schema says.
    Value,
    /// A file.
    File,
    /// Several files.
    Files,
}

impl Source<'_> {
    /// The part of the request, for a name that tells two arguments apart.
    fn part(&self) -> &'static str {
        match self {
            Self::Parameter(parameter) => parameter.location.name(),
            Self::PathVariable(_) => Location::Path.name(),
            Self::Property { .. } | Self::Body { .. } => "body",
        }
    }
}

/// Returns the arguments of an operation, in the order in which they keep their names: path, query, headers, cookies, body.
///
/// # Errors
///
/// See [`ReferenceError`].
pub(crate) fn inputs<'d>(
    document: &'d Document,
    parameters: Vec<Parameter<'d>>,
    undescribed: impl Iterator<Item = &'d str>,
    body: Option<&Body<'d>>,
) -> Result<Vec<Input<'d>>, ReferenceError> {
    let mut sources = Vec::new();
    for location in [
        Location::Path,
        Location::Query,
        Location::Header,
        Location::Cookie,
    ] {
        let here = parameters
            .iter()
            .filter(|parameter| parameter.location == location);
        sources.extend(here.map(|parameter| {
            (
                parameter.name,
                parameter.required,
                Source::Parameter(parameter.clone()),
            )
        }));
    }
    sources.extend(undescribed.map(|name| (name, true, Source::PathVariable(name))));
    if let Some(body) = body {
        sources.extend(of_body(document, body)?);
    }
    let mut names = Names::default();
    let input = |(name, required, source): (&str, bool, Source<'d>)| {
        let other = format!("{name} {}", source.part());
        let name = names.take(&[name, &other]);
        Input {
            name,
            required,
            source,
        }
    };
    Ok(sources.into_iter().map(input).collect())
}

/// Returns the properties of a body, or the body as a whole: where it is no plain object, and where it may be left out but not
/// some of its properties without the others. A body of which nothing can be said is no argument.
fn of_body<'d>(
    document: &'d Document,
    body: &Body<'d>,
) -> Result<Vec<(&'d str, bool, Source<'d>)>, ReferenceError> {
    let whole = |content, members| {
        let source = Source::Body { content, members };
        vec![("body", body.required, source)]
    };
    let is_form = matches!(body.kind, BodyKind::Form | BodyKind::Multipart);
    let schema = match (body.kind, body.schema) {
        (BodyKind::Binary, _) => return Ok(whole(Content::File, BTreeMap::new())),
        (BodyKind::Text, _) | (_, None) => return Ok(whole(Content::Value, BTreeMap::new())),
        (_, Some(schema)) => schema,
    };
    if let Some(flat) = flat(document, schema)? {
        let mut properties = Vec::new();
        for (name, schema) in &flat.properties {
            if is_read_only(document, schema)? {
                continue;
            }
            let content = match body.kind {
                BodyKind::Multipart => content(document, schema, body.encoding.get(*name))?,
                _ => Content::Value,
            };
            let source = Source::Property {
                name,
                schema,
                content,
            };
            properties.push((*name, flat.required.contains(name), source));
        }
        let is_closed =
            flat.is_closed || is_form && document.resolve(schema)?.get("properties").is_some();
        let says_something = !flat.properties.is_empty() || is_closed;
        let needs_others = properties.iter().any(|(_, required, _)| *required);
        if says_something && (body.required || !needs_others) {
            return Ok(properties);
        }
    }
    let mut members = BTreeMap::new();
    if is_form {
        let mut steps = Steps::new(MAX_MEMBER_STEPS);
        collect_members(
            document,
            body,
            schema,
            MAX_MEMBER_DEPTH,
            &mut steps,
            &mut members,
        )?;
    }
    Ok(whole(Content::Value, members))
}

/// Schemas and properties that are read to find the properties of a form.
const MAX_MEMBER_STEPS: usize = 4000;

/// Parts and alternatives of a form's schema, one in the other.
const MAX_MEMBER_DEPTH: usize = 16;

fn collect_members<'d>(
    document: &'d Document,
    body: &Body<'d>,
    schema: &'d Value,
    depth: usize,
    steps: &mut Steps,
    members: &mut BTreeMap<&'d str, Content>,
) -> Result<(), ReferenceError> {
    if depth == 0 || !steps.take(1) {
        return Ok(());
    }
    let keywords = document.resolve_object(schema)?;
    for (name, property) in keywords.get("properties").map(object).into_iter().flatten() {
        if !steps.take(1) {
            return Ok(());
        }
        members.insert(name, content(document, property, body.encoding.get(name))?);
    }
    let parts = ["allOf", "anyOf", "oneOf"].map(|key| keywords.get(key).and_then(Value::as_array));
    for part in parts.into_iter().flatten().flatten() {
        collect_members(document, body, part, depth - 1, steps, members)?;
    }
    Ok(())
}

/// Returns whether a property is the server's to decide (Schema Object, `readOnly`).
pub(crate) fn is_read_only(document: &Document, schema: &Value) -> Result<bool, ReferenceError> {
    is_marked(document, schema, "readOnly")
}

/// Returns whether `schema`, or what it refers to, has a keyword that is true.
pub(crate) fn is_marked(
    document: &Document,
    schema: &Value,
    keyword: &str,
) -> Result<bool, ReferenceError> {
    let is_set = |schema: &Value| schema.get(keyword) == Some(&Value::Bool(true));
    Ok(is_set(schema) || is_set(document.resolve(schema)?))
}

/// Returns whether a part of a multipart body is a file, or an array of files (section 4.8.15.4 of 3.1).
pub(crate) fn content(
    document: &Document,
    schema: &Value,
    encoding: Option<&Value>,
) -> Result<Content, ReferenceError> {
    let encoded_as = encoding.and_then(|encoding| encoding.get("contentType")?.as_str());
    let is_file = |schema: &Value| {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        text("format") == Some("binary")
            || text("contentMediaType").is_some() && text("contentEncoding").is_none()
            || encoded_as.is_some_and(|media_type| {
                let first = media_type.split(',').next().unwrap_or_default();
                !crate::body::is_any_json(first) && !crate::body::is_text(first)
            })
    };
    let schema = document.resolve(schema)?;
    match schema.get("items") {
        Some(items) if is_file(document.resolve(items)?) => Ok(Content::Files),
        None if is_file(schema) => Ok(Content::File),
        _ => Ok(Content::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::body;
    use crate::parameter::parameters;
    use serde_json::json;

    fn names(operation: &Value) -> Vec<(String, bool)> {
        let document = json!({"openapi": "3.1.0", "components": {"schemas": {
            "Id": {"type": "integer", "readOnly": true},
        }}});
        let document = Document::read(&document.to_string(), None).unwrap();
        let parameters = parameters(&document, &Value::Null, operation).unwrap();
        let body = body(&document, operation).unwrap();
        let inputs = inputs(&document, parameters, ["free"].into_iter(), body.as_ref()).unwrap();
        inputs
            .into_iter()
            .map(|input| (input.name, input.required))
            .collect()
    }

    fn expected(names: &[(&str, bool)]) -> Vec<(String, bool)> {
        names
            .iter()
            .map(|(name, required)| ((*name).to_owned(), *required))
            .collect()
    }

    fn json_body(required: bool, schema: &Value) -> Value {
        json!({"required": required, "content": {"application/json": {"schema": schema}}})
    }

    #[test]
    fn parameters_and_properties_of_one_name_are_told_apart() {
        let operation = json!({
            "parameters": [
                {"name": "id", "in": "query"},
                {"name": "id", "in": "path"},
                {"name": "page[size]", "in": "query", "required": true},
                {"name": "X-Trace", "in": "header"},
                {"name": "id", "in": "cookie"},
            ],
            "requestBody": json_body(true, &json!({
                "properties": {"id": {}, "id_body": {}, "free": {}},
                "required": ["id"],
            })),
        });
        assert_eq!(
            names(&operation),
            expected(&[
                ("id", true),
                ("id_query", false),
                ("page_size", true),
                ("X-Trace", false),
                ("id_cookie", false),
                ("free", true),
                ("free_body", false),
                ("id_body", true),
                ("id_body_body", false),
            ])
        );
    }

    #[test]
    fn what_is_read_only_is_no_argument() {
        let schema = json!({"properties": {
            "id": {"$ref": "#/components/schemas/Id"},
            "at": {"type": "string", "readOnly": true},
            "name": {"type": "string"},
        }});
        let operation = json!({"requestBody": json_body(false, &schema)});
        assert_eq!(
            names(&operation),
            expected(&[("free", true), ("name", false)])
        );
    }

    #[test]
    fn a_body_is_one_argument_unless_it_is_a_plain_object() {
        for (schema, required) in [
            (json!({"type": "array"}), true),
            (json!({"oneOf": [{}]}), false),
            // It may be left out, but not its name alone.
            (
                json!({"properties": {"name": {}}, "required": ["name"]}),
                false,
            ),
        ] {
            let operation = json!({"requestBody": json_body(required, &schema)});
            assert_eq!(
                names(&operation),
                expected(&[("free", true), ("body", required)])
            );
        }
        let text = json!({"requestBody": {"content": {"text/plain": {"schema": {"properties": {"a": {}}}}}}});
        assert_eq!(names(&text), expected(&[("free", true), ("body", false)]));
    }

    #[test]
    fn a_body_that_says_nothing_is_no_argument() {
        let form = "application/x-www-form-urlencoded";
        let closed = json!({"type": "object", "additionalProperties": false});
        let empty = json!({"type": "object", "properties": {}});
        for (media_type, schema, is_argument) in [
            (form, &closed, false),
            (form, &empty, false),
            (form, &json!({"type": "object"}), true),
            ("application/json", &closed, false),
            ("application/json", &empty, true),
        ] {
            let operation = json!({"requestBody": {"content": {media_type: {"schema": schema}}}});
            assert_eq!(names(&operation).len() == 2, is_argument, "{operation}");
        }
    }

    #[test]
    fn what_is_required_and_read_only_keeps_no_body_whole() {
        let schema = json!({
            "properties": {"id": {"$ref": "#/components/schemas/Id"}, "name": {}},
            "required": ["id"],
        });
        let operation = json!({"requestBody": json_body(false, &schema)});
        let expected = expected(&[("free", true), ("name", false)]);
        assert_eq!(names(&operation), expected);
    }

    #[test]
    fn parts_of_a_multipart_body_are_files_by_their_schema_or_encoding() {
        let document = Document::read(r#"{"openapi":"3.1.0"}"#, None).unwrap();
        let content_of = |schema: Value, encoding: Value| {
            content(&document, &schema, encoding.as_object().map(|_| &encoding)).unwrap()
        };
        let none = || Value::Null;
        assert_eq!(
            content_of(json!({"type": "string", "format": "binary"}), none()),
            Content::File
        );
        assert_eq!(
            content_of(json!({"items": {"format": "binary"}}), none()),
            Content::Files
        );
        assert_eq!(
            content_of(json!({"contentMediaType": "image/png"}), none()),
            Content::File
        );
        assert_eq!(
            content_of(
                json!({"contentMediaType": "image/png", "contentEncoding": "base64"}),
                none()
            ),
            Content::Value
        );
        assert_eq!(
            content_of(json!({"type": "string", "format": "byte"}), none()),
            Content::Value
        );
        assert_eq!(
            content_of(json!({}), json!({"contentType": "image/png, image/jpeg"})),
            Content::File
        );
        assert_eq!(
            content_of(json!({}), json!({"contentType": "application/json"})),
            Content::Value
        );
    }
}

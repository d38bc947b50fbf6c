//! The body of an operation's requests (Request Body Object, Media Type Object).

use crate::document::{Document, ReferenceError, object};
use http::HeaderValue;
use serde_json::{Map, Value};

/// A body, in the media type that is sent.
#[derive(Clone, Debug)]
pub(crate) struct Body<'d> {
    pub(crate) required: bool,
    /// With its parameters; no range.
    pub(crate) media_type: &'d str,
    pub(crate) kind: BodyKind,
    /// Anything fits if it is absent.
    pub(crate) schema: Option<&'d Value>,
    /// How each property is written, in forms.
    pub(crate) encoding: &'d Map<String, Value>,
    pub(crate) description: Option<&'d str>,
}

/// How a body is written. Of several that an operation takes the first here is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BodyKind {
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// A text as it is, such as plain text or XML.
    Text,
    /// Bytes.
    Binary,
}

/// Returns the body of an operation; `None` if it has none.
///
/// # Errors
///
/// See [`ReferenceError`].
pub(crate) fn body<'d>(
    document: &'d Document,
    operation: &'d Value,
) -> Result<Option<Body<'d>>, ReferenceError> {
    let Some(request_body) = operation.get("requestBody") else {
        return Ok(None);
    };
    let request_body = document.resolve_object(request_body)?;
    let content = request_body
        .get("content")
        .map(object)
        .into_iter()
        .flatten();
    let best = content
        .map(|(media_type, described)| {
            let (kind, media_type) = classify(media_type);
            // Of 3.2, where a Media Type Object may be a reference.
            let described = document.resolve_object(described)?;
            let schema = described.get("schema").unwrap_or(&Value::Null);
            // Documents name JSON Patch, which is a list, for objects too.
            let is_wrong = json_rank(media_type) == JSON_PATCH
                && !may_be_array(document.resolve_object(schema)?);
            let rank = (is_wrong, kind, json_rank(media_type));
            Ok((rank, kind, media_type, described))
        })
        .collect::<Result<Vec<_>, ReferenceError>>()?
        .into_iter()
        .min_by_key(|(rank, ..)| *rank);
    let Some((_, kind, media_type, described)) = best else {
        return Ok(None);
    };
    Ok(Some(Body {
        required: request_body.get("required").and_then(Value::as_bool) == Some(true),
        media_type,
        kind,
        schema: described.get("schema"),
        encoding: object(described.get("encoding").unwrap_or(&Value::Null)),
        description: request_body.get("description").and_then(Value::as_str),
    }))
}

/// Bytes of a media type.
pub(crate) const MAX_MEDIA_TYPE_BYTES: usize = 200;

/// Returns how a media type is written, and which is sent: a range stands for JSON or for bytes.
fn classify(media_type: &str) -> (BodyKind, &str) {
    let essence = essence(media_type);
    let is = |known: &str| essence.eq_ignore_ascii_case(known);
    if HeaderValue::from_str(media_type).is_err() || media_type.len() > MAX_MEDIA_TYPE_BYTES {
        (BodyKind::Binary, "application/octet-stream")
    } else if is("*/*") || is("application/*") || is("application/*+json") {
        (BodyKind::Json, "application/json")
    } else if is_any_json(media_type) {
        (BodyKind::Json, media_type)
    } else if is("application/x-www-form-urlencoded") {
        (BodyKind::Form, "application/x-www-form-urlencoded")
    } else if is("multipart/form-data") {
        (BodyKind::Multipart, "multipart/form-data")
    } else if is("text/*") {
        (BodyKind::Text, "text/plain")
    } else if is_text(media_type) {
        (BodyKind::Text, media_type)
    } else if essence.ends_with("/*") {
        (BodyKind::Binary, "application/octet-stream")
    } else {
        (BodyKind::Binary, media_type)
    }
}

/// Returns a media type without its parameters.
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Returns whether a media type is JSON by any name that APIs give it: with the suffix `+json` (RFC 6839 section 3.1), whatever
/// its type, and by names from before `application/json`. What this server itself takes as JSON is `http_fields`'s matter.
pub(crate) fn is_any_json(media_type: &str) -> bool {
    let essence = essence(media_type).to_ascii_lowercase();
    ["application/json", "text/json", "application/x-json"].contains(&essence.as_str())
        || essence.ends_with("+json")
}

/// The rank of JSON Patch (RFC 6902).
const JSON_PATCH: u8 = 3;

/// Returns which of several media types of JSON is used: the lowest.
pub(crate) fn json_rank(media_type: &str) -> u8 {
    match essence(media_type).to_ascii_lowercase().as_str() {
        "application/json" => 0,
        "application/merge-patch+json" => 1,
        "application/json-patch+json" => JSON_PATCH,
        _ => 2,
    }
}

fn may_be_array(schema: &Map<String, Value>) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|name| name == "array"),
        Some(name) => name == "array",
        None => !schema.contains_key("properties"),
    }
}

/// Returns whether a media type is a text.
pub(crate) fn is_text(media_type: &str) -> bool {
    let essence = essence(media_type).to_ascii_lowercase();
    const TEXTS: [&str; 11] = [
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/jsonl",
        "application/sql",
        "application/toml",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/x-yaml",
        "application/xml",
        "application/yaml",
    ];
    essence.starts_with("text/")
        || essence.ends_with("+xml")
        || essence.ends_with("+yaml")
        || TEXTS.contains(&essence.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chosen(media_types: &[&str]) -> Option<(BodyKind, String)> {
        let content: Map<_, _> = media_types
            .iter()
            .map(|name| ((*name).to_owned(), json!({})))
            .collect();
        let operation = json!({"requestBody": {"$ref": "#/b"}});
        let document = json!({"openapi": "3.0.0", "b": {"content": content}}).to_string();
        let document = Document::read(&document, None).unwrap();
        let body = body(&document, &operation).unwrap()?;
        Some((body.kind, body.media_type.to_owned()))
    }

    #[test]
    fn json_is_sent_where_an_operation_takes_it_then_forms_then_text() {
        for (media_types, kind, sent) in [
            (
                &["application/xml", "application/json", "multipart/form-data"][..],
                BodyKind::Json,
                "application/json",
            ),
            (
                &["application/vnd.api+json; v=1"],
                BodyKind::Json,
                "application/vnd.api+json; v=1",
            ),
            (&["*/*"], BodyKind::Json, "application/json"),
            (&["application/*+json"], BodyKind::Json, "application/json"),
            (
                &["application/hal+json", "application/json; charset=utf-8"],
                BodyKind::Json,
                "application/json; charset=utf-8",
            ),
            (
                &[
                    "application/json-patch+json",
                    "application/merge-patch+json",
                    "application/x+json",
                ],
                BodyKind::Json,
                "application/merge-patch+json",
            ),
            (
                &["application/json-patch+json", "application/x+json"],
                BodyKind::Json,
                "application/x+json",
            ),
            (
                &["multipart/form-data", "application/x-www-form-urlencoded"],
                BodyKind::Form,
                "application/x-www-form-urlencoded",
            ),
            (
                &["multipart/form-data; boundary=x", "text/plain"],
                BodyKind::Multipart,
                "multipart/form-data",
            ),
            (
                &["application/octet-stream", "text/csv"],
                BodyKind::Text,
                "text/csv",
            ),
            (&["application/xml"], BodyKind::Text, "application/xml"),
            (&["text/*"], BodyKind::Text, "text/plain"),
            (&["image/*"], BodyKind::Binary, "application/octet-stream"),
            (&["image/png"], BodyKind::Binary, "image/png"),
            (&["a\r\nb: c"], BodyKind::Binary, "application/octet-stream"),
        ] {
            assert_eq!(
                chosen(media_types),
                Some((kind, sent.to_owned())),
                "{media_types:?}"
            );
        }
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn json_patch_is_sent_where_the_body_may_be_a_list() {
        for (schema, expected) in [
            (json!({"type": "array"}), "application/json-patch+json"),
            (json!({}), "application/json-patch+json"),
            (json!({"type": "object"}), "text/plain"),
            (json!({"$ref": "#/pet"}), "text/plain"),
        ] {
            let content =
                json!({"application/json-patch+json": {"schema": schema}, "text/plain": {}});
            let operation = json!({"requestBody": {"content": content}});
            let document = r#"{"openapi":"3.0.0","pet":{"properties":{}}}"#;
            let document = Document::read(document, None).unwrap();
            let body = body(&document, &operation).unwrap().unwrap();
            assert_eq!(body.media_type, expected, "{schema}");
        }
    }
}

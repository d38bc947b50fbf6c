//! The parameters of an operation (Parameter Object).

use crate::document::{Document, object};
use crate::location::Location;
use crate::request::style::Style;
use crate::unusable::Unusable;
use http::HeaderName;
use http::header;
use serde_json::{Map, Value};
use strict_json::excerpt;

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter<'d> {
    pub(crate) name: &'d str,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) format: Format,
    /// The schema of its value; anything fits if it is absent.
    pub(crate) schema: Option<&'d Value>,
    /// The Parameter Object, for what it says to people.
    pub(crate) object: &'d Map<String, Value>,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// By a style (section 4.8.12.3 of 3.1).
    Styled {
        style: Style,
        explode: bool,
        allow_reserved: bool,
    },
    /// As JSON, since the parameter has `content`.
    Json,
}

/// Parameters of an operation.
const MAX_PARAMETERS: usize = 200;

/// Returns the parameters of an operation: its own, and those of its path that it does not replace. Headers that HTTP or
/// the security schemes decide are left out.
///
/// # Errors
///
/// Fails if one that is required cannot be written, or there are more than [`MAX_PARAMETERS`].
pub(crate) fn parameters<'d>(
    document: &'d Document,
    path_item: &'d Value,
    operation: &'d Value,
) -> Result<Vec<Parameter<'d>>, Unusable> {
    let mut parameters: Vec<Parameter<'d>> = Vec::new();
    for holder in [path_item, operation] {
        for object in holder
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(parameter) = read(document.resolve_object(object)?)? else {
                continue;
            };
            let mut known = parameters.iter_mut();
            let same = known
                .find(|other| other.name == parameter.name && other.location == parameter.location);
            if let Some(replaced) = same {
                *replaced = parameter;
                continue;
            }
            if parameters.len() == MAX_PARAMETERS {
                return Err(Unusable::Parameters(MAX_PARAMETERS));
            }
            parameters.push(parameter);
        }
    }
    Ok(parameters)
}

fn read(object: &Map<String, Value>) -> Result<Option<Parameter<'_>>, Unusable> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let name = text("name").unwrap_or_default();
    let wrong = || Unusable::Parameter(excerpt(name));
    let location = match text("in") {
        Some("path") => Location::Path,
        Some("query") => Location::Query,
        Some("header") => Location::Header,
        Some("cookie") => Location::Cookie,
        _ => return Err(wrong()),
    };
    if name.is_empty() {
        return Err(wrong());
    }
    let is_set = |key: &str| object.get(key).and_then(Value::as_bool);
    let required = location == Location::Path || is_set("required") == Some(true);
    if location == Location::Header {
        match name.parse() {
            Ok(header) if is_reserved(&header) => return Ok(None),
            Ok(header) if !is_forbidden(&header) => {}
            _ if required => return Err(Unusable::Header(excerpt(name))),
            _ => return Ok(None),
        }
    }
    let (schema, format) = match object.get("content") {
        Some(content) => {
            let media_type = self::object(content).values().next();
            (
                media_type.and_then(|media_type| media_type.get("schema")),
                Format::Json,
            )
        }
        None => {
            let style = match (text("style"), location) {
                (None, _) => Style::default_of(location),
                // Of 3.2; it differs in what need not be encoded.
                (Some("cookie"), Location::Cookie) => Style::Form,
                (Some(name), _) => Style::read(name)
                    .filter(|style| style.may_be_in(location))
                    .ok_or_else(wrong)?,
            };
            let format = Format::Styled {
                style,
                explode: is_set("explode").unwrap_or(style == Style::Form),
                allow_reserved: location == Location::Query
                    && is_set("allowReserved") == Some(true),
            };
            (object.get("schema"), format)
        }
    };
    Ok(Some(Parameter {
        name,
        location,
        required,
        format,
        schema,
        object,
    }))
}

/// Returns whether the specification says to ignore a header parameter of this name, or the tool sends the header itself.
fn is_reserved(name: &HeaderName) -> bool {
    [
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::AUTHORIZATION,
        header::USER_AGENT,
    ]
    .contains(name)
}

/// Returns whether a header decides where a request goes or where it ends (RFC 9110 section 7.6.1, RFC 9112 section 6).
fn is_forbidden(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 12] = [
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::COOKIE,
        header::EXPECT,
        header::HOST,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    NAMES.contains(name) || ["keep-alive", "proxy-connection"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_all(
        path: &Value,
        operation: &Value,
    ) -> Result<Vec<(String, Location, bool)>, Unusable> {
        let document = json!({
            "openapi": "3.0.0",
            "components": {"parameters": {"Page": {"name": "page", "in": "query", "schema": {}}}},
        });
        let document = Document::read(&document.to_string(), None).unwrap();
        let (path, operation) = (
            json!({"parameters": path}),
            json!({"parameters": operation}),
        );
        let parameters = parameters(&document, &path, &operation)?;
        Ok(parameters
            .into_iter()
            .map(|parameter| {
                (
                    parameter.name.to_owned(),
                    parameter.location,
                    parameter.required,
                )
            })
            .collect())
    }

    #[test]
    fn an_operation_has_the_parameters_of_its_path_and_replaces_some() {
        let path = json!([
            {"name": "id", "in": "path"},
            {"name": "limit", "in": "query"},
            {"$ref": "#/components/parameters/Page"},
        ]);
        let operation = json!([
            {"name": "limit", "in": "query", "required": true},
            {"name": "id", "in": "query"},
        ]);
        let expected = [
            ("id", Location::Path, true),
            ("limit", Location::Query, true),
            ("page", Location::Query, false),
            ("id", Location::Query, false),
        ];
        let read = read_all(&path, &operation).unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|(name, at, required)| (name.as_str(), *at, *required))
            .collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn headers_that_others_decide_are_no_arguments() {
        let header = |name: &str, required: bool| json!([{"name": name, "in": "header", "required": required}]);
        for name in ["Accept", "content-type", "AUTHORIZATION", "User-Agent"] {
            assert_eq!(read_all(&json!([]), &header(name, true)), Ok(Vec::new()));
        }
        for name in [
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Cookie",
            "Keep-Alive",
            "a b",
            "a\n",
        ] {
            assert_eq!(read_all(&json!([]), &header(name, false)), Ok(Vec::new()));
            let required = read_all(&json!([]), &header(name, true));
            assert!(matches!(required, Err(Unusable::Header(_))), "{name}");
        }
        assert_eq!(
            read_all(&json!([]), &header("X-Any", true)).unwrap().len(),
            1
        );
    }

    #[test]
    fn a_parameter_has_a_place_and_a_style_of_that_place() {
        for (wrong, is_good) in [
            (json!({"name": "a", "in": "body"}), false),
            (json!({"in": "query"}), false),
            (json!({"name": "a", "in": "querystring"}), false),
            (json!({"name": "a", "in": "path", "style": "form"}), false),
            (
                json!({"name": "a", "in": "query", "style": "matrix"}),
                false,
            ),
            (
                json!({"name": "a", "in": "header", "style": "deepObject"}),
                false,
            ),
            (
                json!({"name": "a", "in": "query", "style": "unknown"}),
                false,
            ),
            (
                json!({"name": "a", "in": "query", "style": "deepObject"}),
                true,
            ),
            (
                json!({"name": "a", "in": "cookie", "style": "cookie"}),
                true,
            ),
            (json!({"name": "a", "in": "path", "style": "label"}), true),
        ] {
            assert_eq!(
                read_all(&json!([]), &json!([wrong])).is_ok(),
                is_good,
                "{wrong}"
            );
        }
    }
}

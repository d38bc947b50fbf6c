//! Tool parameters in `Mcp-Param-*` headers (2026-07-28, Streamable HTTP, Custom Headers from Tool
//! Parameters).
//!
//! A client repeats in a header the argument that the input schema marks with `x-mcp-header`, so that a proxy
//! can act on it without reading the body. The header and the body must not differ, because the proxy acts on
//! one and the tool on the other.

use crate::headers::{decode, encode};
use http::{HeaderMap, HeaderName, HeaderValue};
use schema::{Applies, subschemas};
use serde_json::{Number, Value};

/// The prefix of every such header.
const PREFIX: &str = "mcp-param-";

/// A parameter that clients repeat in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParam {
    header: HeaderName,
    /// The properties that lead to the parameter.
    path: Vec<String>,
}

/// A header differs from the body, or cannot be decoded.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Mismatch {
    /// The body has a value, and the header is absent.
    #[error("the header {0} is missing, and the body has a value for it")]
    Missing(HeaderName),
    /// The header is present, and the body has no value.
    #[error("the header {0} has a value that the body does not have")]
    Unexpected(HeaderName),
    /// Both are present and differ.
    #[error("the header {0} does not have the value that the body has")]
    Different(HeaderName),
    /// The header is repeated, has invalid characters, or has invalid Base64.
    #[error("the header {0} cannot be read")]
    Unreadable(HeaderName),
}

/// Why an `x-mcp-header` of an input schema is invalid. Clients leave its tool out.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("its x-mcp-header {0}")]
pub struct InvalidHeaderParam(&'static str);

impl HeaderParam {
    /// The name of the header, in lower case.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Returns the value that the header has with these `arguments`; `None` if there is no such header.
    pub fn value(&self, arguments: &Value) -> Option<HeaderValue> {
        match self.argument(arguments)? {
            Value::String(text) => Some(encode(text)),
            value @ (Value::Bool(_) | Value::Number(_)) => Some(encode(&value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn argument<'a>(&self, arguments: &'a Value) -> Option<&'a Value> {
        self.path
            .iter()
            .try_fold(arguments, |value, step| value.get(step))
    }

    /// Checks that the header has the value that `arguments` have.
    ///
    /// # Errors
    ///
    /// Fails if it does not.
    pub fn check(&self, headers: &HeaderMap, arguments: &Value) -> Result<(), Mismatch> {
        let name = || self.header.clone();
        let value = self.argument(arguments).filter(|value| !value.is_null());
        let mut sent = headers.get_all(&self.header).iter();
        let (value, sent) = match (value, sent.next(), sent.next()) {
            (_, Some(_), Some(_)) => return Err(Mismatch::Unreadable(name())),
            (None, None, None) => return Ok(()),
            (None, Some(_), None) => return Err(Mismatch::Unexpected(name())),
            // A header cannot carry these, and the schema does not allow them.
            (Some(Value::Array(_) | Value::Object(_)), None, None) => return Ok(()),
            (Some(_), None, _) => return Err(Mismatch::Missing(name())),
            (Some(value), Some(sent), None) => (value, sent),
            (None, None, Some(_)) => unreachable!("there is no second without a first"),
        };
        let sent = decode(sent).ok_or_else(|| Mismatch::Unreadable(name()))?;
        if is_same(value, &sent) {
            Ok(())
        } else {
            Err(Mismatch::Different(name()))
        }
    }
}

fn is_same(value: &Value, sent: &str) -> bool {
    match value {
        Value::String(text) => text == sent,
        Value::Bool(true) => sent == "true",
        Value::Bool(false) => sent == "false",
        Value::Number(number) => {
            serde_json::from_str(sent).is_ok_and(|sent: Number| is_equal(number, &sent))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Returns whether two numbers are equal, in any notation: `42.0` is `42`.
fn is_equal(one: &Number, other: &Number) -> bool {
    // Large integers that differ can be equal as floating-point numbers.
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => one == other,
        _ => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => one == other && one.abs() < 9_007_199_254_740_992.0,
            _ => false,
        },
    }
}

/// Returns every parameter that an input schema marks with `x-mcp-header`, by the name of the header.
///
/// # Errors
///
/// Fails if a mark breaks a rule.
pub fn header_params(schema: &Value) -> Result<Vec<HeaderParam>, InvalidHeaderParam> {
    let mut found = Vec::new();
    walk(schema, Some(Vec::new()), &mut found)?;
    found.sort_by(|one, other| one.header.as_str().cmp(other.header.as_str()));
    // A `HeaderName` is in lower case, so the comparison ignores case.
    if found.windows(2).any(|two| two[0].header == two[1].header) {
        return Err(InvalidHeaderParam("is the same for two arguments"));
    }
    Ok(found)
}

/// Finds the marks in `schema`. `path` is `None` where `properties` alone do not lead.
fn walk(
    schema: &Value,
    path: Option<Vec<String>>,
    found: &mut Vec<HeaderParam>,
) -> Result<(), InvalidHeaderParam> {
    let Value::Object(keywords) = schema else {
        return Ok(());
    };
    if let Some(mark) = keywords.get("x-mcp-header") {
        let path = path
            .clone()
            .filter(|path| !path.is_empty())
            .ok_or(InvalidHeaderParam(
                "is on something that `properties` alone do not lead to",
            ))?;
        if !is_primitive(keywords.get("type")) {
            return Err(InvalidHeaderParam(
                "is on an argument whose `type` is none of string, integer and boolean",
            ));
        }
        let header = mark
            .as_str()
            .filter(|mark| !mark.is_empty())
            .and_then(|mark| HeaderName::try_from(format!("{PREFIX}{mark}")).ok())
            .ok_or(InvalidHeaderParam("is not a name that headers can have"))?;
        found.push(HeaderParam { header, path });
    }
    for subschema in subschemas(keywords) {
        let path = match (&path, subschema.applies) {
            (Some(path), Applies::Property(name)) => {
                Some([path.as_slice(), &[name.to_owned()]].concat())
            }
            _ => None,
        };
        walk(subschema.schema, path, found)?;
    }
    Ok(())
}

/// Returns whether a `type` allows exactly one type that a header can carry, and possibly null.
fn is_primitive(kind: Option<&Value>) -> bool {
    let is = |kind: &str| matches!(kind, "string" | "integer" | "boolean");
    match kind {
        Some(Value::String(kind)) => is(kind),
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            let others = kinds.by_ref().filter(|kind| *kind != "null");
            let others: Vec<_> = others.collect();
            matches!(others[..], [kind] if is(kind))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"},
                "where": {"type": "object", "properties": {
                    "shelf": {"type": "integer", "x-mcp-header": "Shelf"},
                    "top": {"type": ["boolean", "null"], "x-mcp-header": "Top"},
                }},
                "query": {"type": "string"},
            },
        })
    }

    fn check(sent: &[(&'static str, &str)], arguments: &Value) -> Result<(), Mismatch> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        header_params(&schema())
            .unwrap()
            .iter()
            .try_for_each(|param| param.check(&headers, arguments))
    }

    fn name(header: &'static str) -> HeaderName {
        HeaderName::from_static(header)
    }

    #[test]
    fn a_header_that_a_client_makes_is_one_that_a_server_takes() {
        let arguments = json!({
            "region": " Zürich ",
            "where": {"shelf": -7, "top": true},
            "query": "any",
        });
        let mut headers = HeaderMap::new();
        for param in header_params(&schema()).unwrap() {
            headers.append(param.header(), param.value(&arguments).unwrap());
        }
        assert_eq!(headers["mcp-param-shelf"], "-7");
        assert_eq!(headers["mcp-param-top"], "true");
        let params = header_params(&schema()).unwrap();
        let mut checked = params.iter().map(|param| param.check(&headers, &arguments));
        assert!(checked.all(|checked| checked == Ok(())));
        let nothing = json!({"where": {"shelf": null}});
        assert!(params.iter().all(|param| param.value(&nothing).is_none()));
    }

    #[test]
    fn marks_are_found_where_properties_lead() {
        let found = header_params(&schema()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.header.as_str(), one.path.join("/")))
            .collect();
        let expected = [
            ("mcp-param-region", "region".to_owned()),
            ("mcp-param-shelf", "where/shelf".to_owned()),
            ("mcp-param-top", "where/top".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_mark_that_breaks_a_rule_is_refused() {
        let mark = json!({"type": "string", "x-mcp-header": "A"});
        let on = |kind: Value, name: Value| json!({"properties": {"a": {"type": kind, "x-mcp-header": name}}});
        for schema in [
            // On nothing that `properties` alone lead to.
            mark.clone(),
            json!({"items": mark}),
            json!({"properties": {"a": {"items": mark}}}),
            json!({"anyOf": [{"properties": {"a": mark}}]}),
            json!({"properties": {"a": {"if": mark}}}),
            json!({"$defs": {"a": mark}, "properties": {"a": {"$ref": "#/$defs/a"}}}),
            json!({"additionalProperties": mark}),
            json!({"patternProperties": {"a": mark}}),
            // Twice.
            json!({"properties": {"a": mark, "b": {"type": "string", "x-mcp-header": "a"}}}),
            // Not on one primitive type.
            on(json!("number"), json!("A")),
            on(json!("object"), json!("A")),
            on(json!(["string", "integer"]), json!("A")),
            on(json!("null"), json!("A")),
            json!({"properties": {"a": {"x-mcp-header": "A"}}}),
            // No name.
            on(json!("string"), json!("")),
            on(json!("string"), json!("a b")),
            on(json!("string"), json!("a\r\nb")),
            on(json!("string"), json!("ä")),
            on(json!("string"), json!(1)),
        ] {
            let refused = header_params(&schema);
            assert!(matches!(refused, Err(InvalidHeaderParam(_))), "{schema}");
        }
    }

    #[test]
    fn a_mark_in_an_example_is_none() {
        let schema = json!({
            "default": {"x-mcp-header": "A"},
            "properties": {"x-mcp-header": {"type": "string"}},
        });
        assert_eq!(header_params(&schema), Ok(Vec::new()));
    }

    #[test]
    fn header_and_body_say_the_same_or_neither_says_anything() {
        let arguments = json!({"region": "eu", "where": {"shelf": 42, "top": false}});
        let all = |region, shelf, top| {
            check(
                &[
                    ("mcp-param-region", region),
                    ("mcp-param-shelf", shelf),
                    ("mcp-param-top", top),
                ],
                &arguments,
            )
        };
        assert_eq!(all("eu", "42", "false"), Ok(()));
        assert_eq!(all(" eu\t", "42.0", "=?base64?ZmFsc2U=?="), Ok(()));
        assert_eq!(all("=?base64?ZXU=?=", "4.2e1", "false"), Ok(()));
        let different = |header| Err(Mismatch::Different(name(header)));
        assert_eq!(all("EU", "42", "false"), different("mcp-param-region"));
        assert_eq!(all("eu", "43", "false"), different("mcp-param-shelf"));
        assert_eq!(all("eu", "0x2a", "false"), different("mcp-param-shelf"));
        assert_eq!(all("eu", "42", "False"), different("mcp-param-top"));
        for arguments in [
            json!({}),
            json!({"region": null, "where": null}),
            json!({"where": {"top": null}}),
            json!({"where": []}),
        ] {
            assert_eq!(check(&[], &arguments), Ok(()));
            let unexpected = Err(Mismatch::Unexpected(name("mcp-param-region")));
            assert_eq!(check(&[("mcp-param-region", "eu")], &arguments), unexpected);
        }
        let missing = Err(Mismatch::Missing(name("mcp-param-region")));
        assert_eq!(check(&[], &json!({"region": ""})), missing);
    }

    #[test]
    fn a_header_that_cannot_be_read_is_refused() {
        let arguments = json!({"region": "Hello"});
        let unreadable = Err(Mismatch::Unreadable(name("mcp-param-region")));
        for sent in [
            "=?base64?SGVsbG8?=",
            "=?base64?SGVs!!!bG8=?=",
            "=?base64?/w==?=",
            "Héllo",
        ] {
            assert_eq!(check(&[("mcp-param-region", sent)], &arguments), unreadable);
        }
        let twice = [("mcp-param-region", "Hello"), ("mcp-param-region", "Hello")];
        assert_eq!(check(&twice, &arguments), unreadable);
        // These are no Base64 but what they say.
        for literal in ["SGVsbG8=", "=?base64?SGVsbG8=", "=?BASE64?SGVsbG8=?="] {
            let arguments = json!({"region": literal});
            assert_eq!(check(&[("mcp-param-region", literal)], &arguments), Ok(()));
        }
    }

    #[test]
    fn large_integers_do_not_run_into_each_other() {
        let shelf = |sent| {
            check(
                &[("mcp-param-shelf", sent)],
                &json!({"where": {"shelf": 9_007_199_254_740_993_u64}}),
            )
        };
        assert_eq!(shelf("9007199254740993"), Ok(()));
        assert!(shelf("9007199254740992").is_err());
        assert!(shelf("9007199254740993.0").is_err());
    }

    #[test]
    fn whatever_a_client_encodes_is_what_is_read() {
        let random = &mut StdRng::seed_from_u64(1);
        for _ in 0..2000 {
            let length = random.random_range(0..12);
            let text: String = (0..length)
                .map(|_| match random.random_range(0..4) {
                    0 => ' ',
                    1 => random.random_range('\0'..'\u{80}'),
                    2 => random.random_range('a'..='z'),
                    _ => random.random(),
                })
                .collect();
            let is_plain = !text.starts_with(' ')
                && !text.ends_with(' ')
                && !text.starts_with("=?base64?")
                && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let sent = if is_plain {
                text.clone()
            } else {
                format!("=?base64?{}?=", STANDARD.encode(&text))
            };
            let header = HeaderValue::from_str(&sent).unwrap();
            assert_eq!(decode(&header).as_deref(), Some(&*text));
        }
    }
}

//! What a request of 2026-07-28 says of itself: in the headers, in `_meta`, and beside its parameters.

use crate::capabilities::ClientAbilities;
use crate::headers::{PROTOCOL_VERSION, decode};
use crate::jsonrpc::Text;
use crate::notification::LogLevel;
use crate::{Error, ErrorCode, Revision};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where `_meta` names the revision.
pub(crate) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// Repeats the method of the message.
pub const METHOD: &str = "mcp-method";

/// Repeats what a request is about: the name of a tool or prompt, the URI of a resource, or the id of
/// a task.
pub const NAME: &str = "mcp-name";

/// What a request says of itself.
#[derive(Debug, Default)]
pub struct Metadata<'a> {
    /// What the client can be asked.
    pub abilities: ClientAbilities,
    /// The least level of log messages that it wants.
    pub log_level: Option<LogLevel>,
    /// What it answers to questions that it was asked: JSON objects by the questions' ids.
    pub answers: Vec<(String, &'a str)>,
    /// What came with those questions, as it was.
    pub state: Option<Cow<'a, str>>,
}

impl<'a> Metadata<'a> {
    /// Reads it, and holds the headers against the body.
    ///
    /// # Errors
    ///
    /// An error, to be answered with 400: the headers and the body disagree, the revision is not
    /// spoken here, or something is missing or of another shape.
    pub fn read(
        headers: &HeaderMap,
        method: &str,
        params: Option<&'a RawValue>,
    ) -> Result<Self, Error> {
        let named = named(headers)?;
        let wire: Wire<'a> = crate::params::read(params)?;
        let meta: Meta<'a> = match wire.meta {
            None => Meta::default(),
            // Or an array would do as well, its items taken for the fields in their order.
            Some(meta) if !meta.get().starts_with('{') => {
                return Err(Error::invalid_params("The `_meta` is an object."));
            }
            meta => crate::params::read(meta)?,
        };
        match &meta.version {
            Some(version) if version.0 != named => return Err(mismatch(PROTOCOL_VERSION)),
            version => {
                check_spoken(named)?;
                if version.is_none() {
                    return Err(missing(VERSION));
                }
            }
        }
        let capabilities = meta.capabilities.filter(Value::is_object);
        let capabilities =
            capabilities.ok_or_else(|| missing("io.modelcontextprotocol/clientCapabilities"))?;
        if header(headers, METHOD)?.as_bytes().trim_ascii() != method.as_bytes() {
            return Err(mismatch(METHOD));
        }
        let subject = match method {
            "tools/call" | "prompts/get" => Some(wire.name),
            "resources/read" => Some(wire.uri),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(wire.task_id),
            _ => None,
        };
        if let Some(subject) = subject {
            check_name(headers, subject)?;
        }
        Ok(Self {
            abilities: ClientAbilities::read(&capabilities),
            log_level: meta.log_level,
            answers: answers(wire.input_responses)?,
            state: wire.request_state.map(|state| state.0),
        })
    }
}

/// Whether the revision that the header names is spoken here, without sessions.
///
/// # Errors
///
/// An error, to be answered with 400.
pub fn check_version(headers: &HeaderMap) -> Result<(), Error> {
    check_spoken(named(headers)?)
}

fn named(headers: &HeaderMap) -> Result<&str, Error> {
    let named = header(headers, PROTOCOL_VERSION)?.to_str();
    Ok(named.map_err(|_| mismatch(PROTOCOL_VERSION))?.trim())
}

fn check_spoken(named: &str) -> Result<(), Error> {
    match Revision::parse(named) {
        Some(revision) if revision.is_stateless() => Ok(()),
        _ => Err(unsupported(named)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
    #[serde(borrow)]
    task_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    input_responses: Option<&'a RawValue>,
    #[serde(borrow)]
    request_state: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Text<'a>>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<Value>,
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<LogLevel>,
}

/// Tells `null` from an absent field.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn answers(responses: Option<&RawValue>) -> Result<Vec<(String, &str)>, Error> {
    const SHAPE: &str = "The `inputResponses` are an object of objects.";
    let Some(responses) = responses else {
        return Ok(Vec::new());
    };
    let responses: BTreeMap<String, &RawValue> =
        serde_json::from_str(responses.get()).map_err(|_| Error::invalid_params(SHAPE))?;
    responses
        .into_iter()
        .map(|(id, response)| match response.get() {
            response if response.starts_with('{') => Ok((id, response)),
            _ => Err(Error::invalid_params(SHAPE)),
        })
        .collect()
}

fn check_name(headers: &HeaderMap, subject: Option<&RawValue>) -> Result<(), Error> {
    // A request that says nothing there is refused for that, by whoever reads its parameters.
    let Some(subject) = subject.and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok())
    else {
        return Ok(());
    };
    match decode(header(headers, NAME)?) {
        Some(name) if name == subject.0 => Ok(()),
        _ => Err(mismatch(NAME)),
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h HeaderValue, Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(Error::header_mismatch(format!(
            "The header {name} is missing."
        ))),
        (Some(_), Some(_)) => Err(mismatch(name)),
    }
}

fn mismatch(name: &str) -> Error {
    Error::header_mismatch(format!(
        "The header {name} does not say what the body says."
    ))
}

fn missing(key: &str) -> Error {
    Error::invalid_params(format!("The `_meta` of the parameters needs {key}."))
}

/// `requested` is not spoken here.
fn unsupported(requested: &str) -> Error {
    let newest_first: Vec<_> = Revision::ALL.iter().rev().collect();
    let requested: String = requested.chars().take(64).collect();
    Error::new(
        ErrorCode::UnsupportedProtocolVersion,
        "This server does not speak that revision of the protocol.",
    )
    .with_data(serde_json::json!({ "supported": newest_first, "requested": requested }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"sampling":{}}"#;

    fn read(
        headers: &[(&'static str, &str)],
        method: &str,
        params: &str,
    ) -> Result<Vec<String>, i32> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let params: &RawValue = serde_json::from_str(params).unwrap();
        let read = Metadata::read(&map, method, Some(params));
        let read = read.map_err(|error| error.code.number())?;
        assert!(read.abilities.samples);
        Ok(read.answers.into_iter().map(|(id, _)| id).collect())
    }

    fn call(named: &str, method: &str, name: &str, params: &str) -> Result<Vec<String>, i32> {
        let headers = [(PROTOCOL_VERSION, named), (METHOD, method), (NAME, name)];
        read(&headers, "tools/call", params)
    }

    fn params(more: &str) -> String {
        format!(r#"{{"name":"add","_meta":{{{META}}}{more}}}"#)
    }

    #[test]
    fn headers_and_body_say_the_same() {
        let params = params("");
        assert_eq!(call("2026-07-28", "tools/call", "add", &params), Ok(vec![]));
        assert_eq!(
            call(" 2026-07-28", " tools/call", " add ", &params),
            Ok(vec![])
        );
        assert_eq!(
            call("2026-07-28", "tools/call", "=?base64?YWRk?=", &params),
            Ok(vec![])
        );
        for (version, method, name) in [
            ("2027-01-01", "tools/call", "add"),
            ("2025-11-25", "tools/call", "add"),
            ("2026-07-28", "TOOLS/CALL", "add"),
            ("2026-07-28", "tools/list", "add"),
            ("2026-07-28", "tools/call", "Add"),
            ("2026-07-28", "tools/call", "=?base64?YWR?="),
        ] {
            assert_eq!(
                call(version, method, name, &params),
                Err(-32020),
                "{version} {method} {name}"
            );
        }
        let all = [
            (PROTOCOL_VERSION, "2026-07-28"),
            (METHOD, "tools/call"),
            (NAME, "add"),
        ];
        for left_out in 0..3 {
            let mut headers = all.to_vec();
            headers.remove(left_out);
            assert_eq!(read(&headers, "tools/call", &params), Err(-32020));
            headers.push(all[(left_out + 1) % 3]);
            assert_eq!(read(&headers, "tools/call", &params), Err(-32020));
        }
    }

    #[test]
    fn a_revision_that_is_not_spoken_is_named_with_those_that_are() {
        let params = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01"}}"#;
        let params: &RawValue = serde_json::from_str(params).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(PROTOCOL_VERSION, HeaderValue::from_static("2030-01-01"));
        let error = Metadata::read(&headers, "tools/list", Some(params)).unwrap_err();
        assert_eq!(error.code.number(), -32022);
        let data = error.data.unwrap();
        assert_eq!(data["requested"], "2030-01-01");
        assert_eq!(data["supported"][0], "2026-07-28");
        assert_eq!(
            data["supported"].as_array().map(Vec::len),
            Some(Revision::ALL.len())
        );
    }

    #[test]
    fn what_is_missing_or_of_another_shape_is_invalid() {
        for params in [
            "{}",
            r#"{"_meta":{}}"#,
            r#"{"_meta":1}"#,
            r#"{"name":"add","_meta":["2026-07-28",{},null]}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}}"#,
            &params(r#","inputResponses":null"#),
            &params(r#","inputResponses":[]"#),
            &params(r#","inputResponses":{"a":1}"#),
            &params(r#","requestState":1"#),
            &params(r#","_meta":{}"#),
        ] {
            assert_eq!(
                call("2026-07-28", "tools/call", "add", params),
                Err(-32602),
                "{params}"
            );
        }
        let level = format!(
            r#"{{"name":"add","_meta":{{{META},"io.modelcontextprotocol/logLevel":"loud"}}}}"#
        );
        assert_eq!(call("2026-07-28", "tools/call", "add", &level), Err(-32602));
    }

    #[test]
    fn answers_are_objects_by_the_ids_of_their_questions() {
        let params = params(r#","inputResponses":{"b":{},"a":{"x":1}},"requestState":"s""#);
        let read = call("2026-07-28", "tools/call", "add", &params);
        assert_eq!(read, Ok(vec!["a".to_owned(), "b".to_owned()]));
    }
}

//! Stateless requests (2026-07-28): the headers, the `_meta` and the members of the parameters that every
//! method has.

use crate::capabilities::{ClientCapabilities, is_object};
use crate::headers::{PROTOCOL_VERSION, decode};
use crate::json::Text;
use crate::members::Members;
use crate::notification::LogLevel;
use crate::{Error, ErrorCode, Revision};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The key of the revision in `_meta`.
pub(crate) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The header that repeats the method of the message.
pub const METHOD: &str = "mcp-method";

/// The header that repeats the name of a tool or prompt, the URI of a resource, or the id of a task.
pub const NAME: &str = "mcp-name";

/// The metadata of a stateless request.
#[derive(Debug, Default)]
pub struct Metadata<'a> {
    /// `io.modelcontextprotocol/clientCapabilities`; a request without them is refused.
    pub capabilities: ClientCapabilities,
    /// The minimum level of log messages to send (`io.modelcontextprotocol/logLevel`).
    pub log_level: Option<LogLevel>,
    /// JSON objects by the ids of the input requests that they answer.
    pub input_responses: Vec<(String, &'a str)>,
    /// The `requestState` of the result with those input requests, repeated unchanged.
    pub request_state: Option<Cow<'a, str>>,
}

impl<'a> Metadata<'a> {
    /// Reads the metadata from `headers` and `params`.
    ///
    /// # Errors
    ///
    /// Fails, with an error for status 400, if the headers and the body disagree, the revision is not
    /// supported, or a member is missing or malformed.
    pub fn read(
        headers: &HeaderMap,
        method: &str,
        params: Option<&'a RawValue>,
    ) -> Result<Self, Error> {
        let named = named(headers)?;
        let members = Members::of_params(params)?;
        let meta = members.object("_meta")?;
        let meta = match meta {
            Some(meta) => Meta::read(&meta)?,
            None => Meta::default(),
        };
        match &meta.version {
            Some(version) if version != named => return Err(mismatch(PROTOCOL_VERSION)),
            version => {
                check_spoken(named)?;
                if version.is_none() {
                    return Err(missing(VERSION));
                }
            }
        }
        let capabilities = meta.capabilities.filter(is_object);
        let capabilities =
            capabilities.ok_or_else(|| missing("io.modelcontextprotocol/clientCapabilities"))?;
        if header(headers, METHOD)?.as_bytes().trim_ascii() != method.as_bytes() {
            return Err(mismatch(METHOD));
        }
        let subject = match method {
            "tools/call" | "prompts/get" => Some("name"),
            "resources/read" => Some("uri"),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
            _ => None,
        };
        if let Some(subject) = subject {
            check_name(headers, members.get(subject)?)?;
        }
        // `null` is not an absent one.
        let input_responses = match members.present("inputResponses")? {
            None => Vec::new(),
            Some(_) => members
                .required_object("inputResponses")?
                .into_object_texts()?,
        };
        Ok(Self {
            capabilities: ClientCapabilities::read(&capabilities),
            log_level: meta.log_level,
            input_responses,
            request_state: members.text("requestState")?,
        })
    }
}

/// Checks that the header names a supported stateless revision.
///
/// # Errors
///
/// Fails, with an error for status 400, if it does not.
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

/// The members of `_meta` that are used.
#[derive(Default)]
struct Meta<'a> {
    version: Option<Cow<'a, str>>,
    capabilities: Option<Value>,
    log_level: Option<LogLevel>,
}

impl<'a> Meta<'a> {
    fn read(members: &Members<'a>) -> Result<Self, Error> {
        const LEVEL: &str = "io.modelcontextprotocol/logLevel";
        let capabilities = members.get("io.modelcontextprotocol/clientCapabilities")?;
        let level = members.text(LEVEL)?;
        Ok(Self {
            version: members.text(VERSION)?,
            capabilities: capabilities.and_then(|raw| serde_json::from_str(raw.get()).ok()),
            log_level: match level {
                None => None,
                Some(level) => {
                    Some(LogLevel::parse(&level).ok_or_else(|| Error::unknown_level(LEVEL))?)
                }
            },
        })
    }
}

fn check_name(headers: &HeaderMap, subject: Option<&RawValue>) -> Result<(), Error> {
    // The reader of the method's parameters refuses a request without it.
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
    Error::invalid_params(format!("The `_meta` of the parameters must have {key}."))
}

/// Returns the error for a revision that is not supported (2026-07-28,
/// `UnsupportedProtocolVersionError`).
fn unsupported(requested: &str) -> Error {
    let newest_first: Vec<_> = Revision::ALL.iter().rev().collect();
    let requested: String = requested.chars().take(64).collect();
    Error::new(
        ErrorCode::UnsupportedProtocolVersion,
        "Unsupported protocol version.",
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
        assert!(read.capabilities.samples);
        Ok(read.input_responses.into_iter().map(|(id, _)| id).collect())
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
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[1]}}"#,
            r#"{"name":"add","_meta":[]}"#,
            r#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}}"#,
            &params(r#","inputResponses":null"#),
            &params(r#","inputResponses":[1]"#),
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

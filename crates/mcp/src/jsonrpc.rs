//! JSON-RPC 2.0 messages: a parser for requests, notifications and responses, and a writer.

use crate::json::Text;
use crate::members::is_empty_array;
use crate::{Error, ErrorCode, Revision};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Messages of one batch.
const MAX_BATCH: usize = 100;

/// The id of a request: the text of a JSON string or number, as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// Reads an id; `None` if the JSON is not a string or a number.
    pub fn read(raw: &RawValue) -> Option<Self> {
        read_id(raw)
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Returns a string without its quotes, if it has no escapes.
    pub fn as_plain_text(&self) -> Option<&str> {
        let text = self.0.strip_prefix('"')?.strip_suffix('"')?;
        (!text.contains('\\')).then_some(text)
    }
}

/// One message from a client.
#[derive(Debug)]
pub enum Message<'a> {
    /// Wants an answer.
    Request {
        /// To be repeated in the answer.
        id: Id,
        /// What to do.
        method: Cow<'a, str>,
        /// A JSON object.
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        /// What happened.
        method: Cow<'a, str>,
        /// A JSON object.
        params: Option<&'a RawValue>,
    },
    /// Answers a request of ours.
    Response {
        /// That request's.
        id: Id,
        /// The result, or else the error.
        outcome: Result<&'a RawValue, &'a RawValue>,
    },
    /// JSON, but no message.
    Invalid {
        /// Its id, if it has a good one.
        id: Option<Id>,
        /// What to answer.
        error: Error,
    },
}

/// What a body holds.
#[derive(Debug)]
pub enum Body<'a> {
    /// One message.
    Single(Message<'a>),
    /// An array of them, never empty.
    Batch(Vec<Message<'a>>),
}

/// Reads the body of a request in a session of this `revision`. The caller bounds its size.
///
/// # Errors
///
/// The [`Error`] to answer, without an id, when the body is not JSON, or an array that may not be:
/// only 2025-03-26 has batches.
pub fn parse(body: &[u8], revision: Revision) -> Result<Body<'_>, Error> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Error::new(ErrorCode::ParseError, "The body is not UTF-8."))?;
    if !text.trim_ascii_start().starts_with('[') {
        return serde_json::from_str(text)
            .map(|wire: Wire<'_>| Body::Single(wire.into_message()))
            .or_else(|error| match not_json(&error) {
                Some(error) => Err(error),
                None => Ok(Body::Single(invalid(
                    None,
                    "The body is not a JSON-RPC message.",
                ))),
            });
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| not_json(&error).unwrap_or_else(Error::internal))?;
    let refused = |message: &'static str| Err(Error::new(ErrorCode::InvalidRequest, message));
    if !revision.has_batches() {
        return refused("This revision of the protocol has no batches.");
    }
    if items.is_empty() || items.len() > MAX_BATCH {
        return refused("A batch has from 1 to 100 messages.");
    }
    let messages = items
        .into_iter()
        .map(|item| {
            serde_json::from_str(item.get()).map_or_else(
                |_| invalid(None, "An item of the batch is not a JSON-RPC message."),
                Wire::into_message,
            )
        })
        .collect();
    Ok(Body::Batch(messages))
}

/// A request of ours. `id` holds nothing that JSON would have to escape, and `params` are JSON.
pub fn request(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#)
}

/// A response that carries `result`, which is JSON.
pub fn response(id: &Id, result: &str) -> String {
    [
        r#"{"jsonrpc":"2.0","id":"#,
        id.as_json(),
        r#","result":"#,
        result,
        "}",
    ]
    .concat()
}

/// A response that carries `error`. Without an `id` it belongs to no request that could be told.
pub fn error_response(id: Option<&Id>, error: &Error, revision: Revision) -> String {
    let id = match id {
        Some(id) => format!(r#""id":{},"#, id.as_json()),
        None if revision.omits_unknown_id() => String::new(),
        None => r#""id":null,"#.to_owned(),
    };
    let error = serde_json::to_string(error)
        .unwrap_or_else(|_| r#"{"code":-32603,"message":"The server failed."}"#.to_owned());
    format!(r#"{{"jsonrpc":"2.0",{id}"error":{error}}}"#)
}

/// The JSON text of a result, or the error in its place (JSON-RPC 2.0 section 5).
pub type Outcome = Result<String, Error>;

/// A response that is not yet written.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The id of the request; `None` if it could not be read.
    pub id: Option<Id>,
    /// The result or the error.
    pub outcome: Outcome,
}

impl Reply {
    /// The reply to the request with this id.
    pub fn new(id: Id, outcome: Outcome) -> Self {
        Self {
            id: Some(id),
            outcome,
        }
    }

    /// Writes the response as `revision` has it.
    pub fn to_json(&self, revision: Revision) -> String {
        match (&self.id, &self.outcome) {
            (Some(id), Ok(result)) => response(id, result),
            (id, Err(error)) => error_response(id.as_ref(), error, revision),
            // Without an id there is no request that could have a result.
            (None, Ok(_)) => error_response(None, &Error::internal(), revision),
        }
    }
}

/// Several responses in one array.
pub fn batch_response(responses: &[String]) -> String {
    format!("[{}]", responses.join(","))
}

/// A message before it is known to be one. Raw, so that a wrong type in one field does not hide
/// the id in another.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Tells `null` from an absent field.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Wire<'a> {
    fn into_message(self) -> Message<'a> {
        let id = self.id.and_then(read_id);
        if self
            .jsonrpc
            .is_none_or(|version| version.get() != r#""2.0""#)
        {
            return invalid(id, "The message has no `jsonrpc` of \"2.0\".");
        }
        if self.id.is_some() && id.is_none() {
            return invalid(None, "An `id` is a string or a number.");
        }
        let Some(method) = self.method else {
            let outcome = match (self.result, self.error) {
                (Some(result), None) => Some(Ok(result)),
                (None, Some(error)) => Some(Err(error)),
                _ => None,
            };
            return match (id, outcome) {
                (Some(id), Some(outcome)) => Message::Response { id, outcome },
                (id, _) => invalid(id, "The message has no `method`."),
            };
        };
        let Ok(method) = serde_json::from_str::<Text<'_>>(method.get()) else {
            return invalid(id, "A `method` is a string.");
        };
        // PHP writes an object without members as `[]`.
        let params = self
            .params
            .filter(|params| params.get() != "null" && !is_empty_array(params));
        if params.is_some_and(|params| !params.get().starts_with('{')) {
            return invalid(id, "The `params` are an object.");
        }
        match id {
            Some(id) => Message::Request {
                id,
                method: method.0,
                params,
            },
            None => Message::Notification {
                method: method.0,
                params,
            },
        }
    }
}

fn read_id(raw: &RawValue) -> Option<Id> {
    const MAX_BYTES: usize = 1024;
    let text = raw.get();
    let first = text.bytes().next()?;
    let is_id = first == b'"' || first == b'-' || first.is_ascii_digit();
    // A string may have an escape that is not a character, which a response could not repeat.
    let is_text = first != b'"' || serde_json::from_str::<Text<'_>>(text).is_ok();
    (is_id && is_text && text.len() <= MAX_BYTES).then(|| Id(text.into()))
}

fn invalid(id: Option<Id>, message: &'static str) -> Message<'static> {
    Message::Invalid {
        id,
        error: Error::new(ErrorCode::InvalidRequest, message),
    }
}

/// The error for a text that is not JSON; `None` when it is JSON of another shape.
fn not_json(error: &serde_json::Error) -> Option<Error> {
    (!error.is_data()).then(|| Error::new(ErrorCode::ParseError, "The body is not JSON."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(text: &str) -> Message<'_> {
        match parse(text.as_bytes(), Revision::NEWEST) {
            Ok(Body::Single(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    fn code(body: &[u8], revision: Revision) -> i32 {
        parse(body, revision).unwrap_err().code.number()
    }

    #[test]
    fn an_id_is_repeated_as_it_was_written() {
        for id in [
            r#""a""#,
            "1",
            "-7",
            r#""\u00e9\"x""#,
            "1.5",
            "9007199254740993",
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            let Message::Request { id: read, .. } = single(&text) else {
                panic!("{id} is an id");
            };
            assert_eq!(
                response(&read, "{}"),
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
            );
        }
    }

    #[test]
    fn an_id_of_another_type_makes_the_message_invalid() {
        for id in ["null", "true", "[]", "{}", r#""\ud800""#] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            let Message::Invalid { id, error } = single(&text) else {
                panic!("{text} is invalid");
            };
            assert_eq!((id, error.code), (None, ErrorCode::InvalidRequest));
        }
    }

    #[test]
    fn without_an_id_it_is_a_notification() {
        let message = single(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert!(
            matches!(message, Message::Notification { method, .. } if method == "notifications/initialized")
        );
    }

    #[test]
    fn a_result_or_an_error_without_a_method_is_a_response() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        ] {
            assert!(matches!(single(text), Message::Response { .. }));
        }
    }

    #[test]
    fn an_invalid_message_is_answered_under_its_own_id() {
        for text in [
            r#"{"id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":1}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[[]]}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":"{}"}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":1,"error":2}"#,
        ] {
            let Message::Invalid { id: Some(id), .. } = single(text) else {
                panic!("{text} is invalid");
            };
            assert_eq!(id.as_json(), "7");
        }
        for text in ["1", "\"x\"", "null", "{}"] {
            assert!(matches!(single(text), Message::Invalid { id: None, .. }));
        }
    }

    #[test]
    fn params_of_an_empty_array_are_absent() {
        for params in ["[]", "[ ]", "null"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{params}}}"#);
            let message = single(&text);
            assert!(matches!(message, Message::Request { params: None, .. }));
        }
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for body in [
            b"".as_slice(),
            b"{",
            b"[",
            b"{}{}",
            b"\xff\xfe",
            b"{\"jsonrpc\":\"2.0\",",
        ] {
            assert_eq!(code(body, Revision::V2025_03_26), -32700, "{body:?}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(code(deep.as_bytes(), Revision::V2025_03_26), -32700);
    }

    #[test]
    fn only_2025_03_26_has_batches() {
        let body = br#"[{"jsonrpc":"2.0","id":1,"method":"ping"},1]"#;
        for revision in Revision::ALL {
            match parse(body, revision) {
                Ok(Body::Batch(messages)) => {
                    assert_eq!(revision, Revision::V2025_03_26);
                    assert!(matches!(messages[0], Message::Request { .. }));
                    assert!(matches!(messages[1], Message::Invalid { id: None, .. }));
                }
                Err(error) => assert_eq!(error.code, ErrorCode::InvalidRequest),
                Ok(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(code(b"[]", Revision::V2025_03_26), -32600);
        let many = format!("[{}1]", "1,".repeat(MAX_BATCH));
        assert_eq!(code(many.as_bytes(), Revision::V2025_03_26), -32600);
    }

    #[test]
    fn an_error_without_a_request_has_the_id_its_revision_allows() {
        let error = Error::internal();
        let old = error_response(None, &error, Revision::V2025_06_18);
        assert!(old.contains(r#""id":null"#));
        let new = error_response(None, &error, Revision::V2025_11_25);
        assert!(!new.contains("\"id\""));
    }
}

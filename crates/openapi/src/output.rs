//! The output of a tool, made of the API's response.

use crate::body::{essence, is_any_json, is_text};
use crate::schema::conforms;
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use serde_json::{Value, json};
use strict_json::excerpt;
use tool_adapters::redaction::{remove, without};

/// What a call gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// For the model.
    pub content: Vec<Content>,
    /// An object.
    pub structured: Option<Value>,
    /// Whether the content tells of an error.
    pub is_error: bool,
}

/// A part of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text, JSON among it.
    Text(String),
    /// A picture.
    Image(Media),
    /// A sound.
    Audio(Media),
    /// Any other bytes.
    Blob {
        /// What they are called; nothing can be read there.
        uri: String,
        /// The bytes.
        media: Media,
    },
}

/// Bytes and their media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The bytes.
    pub data: Bytes,
    /// Without parameters.
    pub mime_type: String,
}

impl Output {
    /// Returns an error for the model.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            content: vec![Content::Text(text.into())],
            structured: None,
            is_error: true,
        }
    }
}

/// Characters of what the API says of an error.
const MAX_ERROR_CHARS: usize = 4000;

/// What the contract takes as structured content (`schema::Instance`): levels and values.
const MAX_DEPTH: usize = 60;
const MAX_VALUES: usize = 90_000;

/// Returns the output of the tool `name` for a response. `traces` are the texts of the credentials, which are taken out of what comes
/// back: some APIs repeat the request in their responses. An output schema asks for structured content whatever came, and for one that
/// fits it.
pub(crate) fn output(
    name: &str,
    response: &Response<Bytes>,
    traces: &[String],
    output_schema: Option<&Value>,
) -> Output {
    let status = response.status();
    let mut body = Body::read(response);
    body.remove(traces);
    if !status.is_success() {
        return Output::error(error_text(status, response.headers(), body, traces));
    }
    let structured = match &body {
        Body::Json(value)
            if value.is_object()
                && fits(value)
                && output_schema.is_none_or(|schema| conforms(schema, value)) =>
        {
            Some(value.clone())
        }
        // No output schema requires anything.
        _ => output_schema.map(|_| json!({})),
    };
    let content = match body {
        Body::Empty => Content::Text(empty_text(status, response.headers(), traces)),
        Body::Json(value) => Content::Text(value.to_string()),
        Body::Text(text) => Content::Text(text),
        Body::Bytes(media) if media.is("image") => Content::Image(media),
        Body::Bytes(media) if media.is("audio") => Content::Audio(media),
        Body::Bytes(media) => Content::Blob {
            uri: uri(name, response.headers()),
            media,
        },
    };
    Output {
        content: vec![content],
        structured,
        is_error: false,
    }
}

impl Media {
    fn is(&self, kind: &str) -> bool {
        self.mime_type.split('/').next() == Some(kind)
    }
}

/// The body of a response.
enum Body {
    Empty,
    Json(Value),
    Text(String),
    Bytes(Media),
}

impl Body {
    fn read(response: &Response<Bytes>) -> Self {
        let bytes = response.body();
        if bytes.is_empty() {
            return Self::Empty;
        }
        let media_type = header(response.headers(), &CONTENT_TYPE).unwrap_or_default();
        let text = || match is_latin1(&media_type) {
            true => bytes.iter().map(|byte| char::from(*byte)).collect(),
            false => String::from_utf8_lossy(bytes)
                .trim_start_matches('\u{feff}')
                .to_owned(),
        };
        if media_type.is_empty() || is_any_json(&media_type) {
            if let Ok(value) = serde_json::from_slice(bytes) {
                return Self::Json(value);
            }
            if !media_type.is_empty() || std::str::from_utf8(bytes).is_ok() {
                return Self::Text(text());
            }
        } else if is_text(&media_type) {
            return Self::Text(text());
        }
        let essence = essence(&media_type).to_ascii_lowercase();
        let mime_type = match essence.contains('/') {
            true => essence,
            false => "application/octet-stream".to_owned(),
        };
        Self::Bytes(Media {
            data: bytes.clone(),
            mime_type,
        })
    }

    /// Takes the credentials out of what is read by a model.
    fn remove(&mut self, traces: &[String]) {
        match self {
            Self::Json(value) => remove(value, traces),
            Self::Text(text) => *text = without(text, traces),
            Self::Empty | Self::Bytes(_) => {}
        }
    }
}

/// Returns whether the contract takes a value as structured content.
fn fits(value: &Value) -> bool {
    fn count(value: &Value, depth: usize, values: &mut usize) -> bool {
        *values += 1;
        if depth > MAX_DEPTH || *values > MAX_VALUES {
            return false;
        }
        match value {
            Value::Array(items) => items.iter().all(|item| count(item, depth + 1, values)),
            Value::Object(members) => members.values().all(|item| count(item, depth + 1, values)),
            _ => true,
        }
    }
    count(value, 0, &mut 0)
}

fn error_text(status: StatusCode, headers: &HeaderMap, body: Body, traces: &[String]) -> String {
    let mut text = format!("The API answered {}", in_words(status));
    let location = header(headers, &LOCATION).filter(|_| status.is_redirection());
    if let Some(location) = location {
        let location: String = without(&location, traces).chars().take(2000).collect();
        text.push_str(&format!(" to {location}, which is not followed"));
    }
    // Seconds, or a date.
    if let Some(after) = header(headers, &RETRY_AFTER).filter(|after| after.len() <= 40) {
        text.push_str(&format!(" (Retry-After: {})", excerpt(&after)));
    }
    let said = match body {
        Body::Empty => return text + ".",
        Body::Json(value) => value.to_string(),
        Body::Text(text) => text,
        Body::Bytes(media) => format!(
            "{} bytes of {}",
            media.data.len(),
            excerpt(&media.mime_type)
        ),
    };
    let said = crate::schema::bounded(&said, MAX_ERROR_CHARS);
    format!("{text}: {said}")
}

fn empty_text(status: StatusCode, headers: &HeaderMap, traces: &[String]) -> String {
    let text = format!("The API answered {}", in_words(status));
    match header(headers, &LOCATION) {
        // Of what was made.
        Some(location) => format!("{text}, at {}", without(&location, traces)),
        None => text + ".",
    }
}

fn in_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_str()),
        None => status.as_str().to_owned(),
    }
}

/// Returns what a response is called that is neither text nor picture: `response:`, the tool, and the name of the file if there is
/// one.
fn uri(tool: &str, headers: &HeaderMap) -> String {
    let filename = header(headers, &CONTENT_DISPOSITION).and_then(|value| {
        let (_, name) = value.split_once("filename=")?;
        let name = name.split(';').next()?.trim().trim_matches('"').to_owned();
        (!name.is_empty() && name.len() <= 200).then_some(name)
    });
    match filename {
        Some(name) => format!(
            "response:{tool}/{}",
            crate::request::style::encode(&name, crate::request::style::STRICT)
        ),
        None => format!("response:{tool}"),
    }
}

/// Returns a header's value as text.
fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    Some(text.trim().to_owned())
}

fn is_latin1(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    ["iso-8859-1", "latin1", "windows-1252"]
        .iter()
        .any(|charset| {
            media_type
                .split_once("charset=")
                .is_some_and(|(_, value)| value.trim_matches('"').starts_with(charset))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(body.into()).unwrap()
    }

    fn of(status: u16, media_type: &str, body: impl Into<Bytes>) -> Output {
        output(
            "getPet",
            &response(status, &[("content-type", media_type)], body),
            &[],
            None,
        )
    }

    fn text(output: &Output) -> &str {
        match &output.content[..] {
            [Content::Text(text)] => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_object_is_structured_and_text() {
        let output = of(
            200,
            "application/vnd.api+json; charset=utf-8",
            " { \"a\" : 1 }\n",
        );
        assert_eq!(text(&output), r#"{"a":1}"#);
        assert_eq!(output.structured, Some(json!({"a": 1})));
        assert!(!output.is_error);
        let list = of(200, "application/json", "[1]");
        assert_eq!((text(&list), &list.structured), ("[1]", &None));
        // What only claims to be JSON.
        assert_eq!(text(&of(200, "application/json", "oops")), "oops");
        assert_eq!(of(200, "", "{\"a\":1}").structured, Some(json!({"a": 1})));
    }

    #[test]
    fn an_output_schema_always_has_its_structured_content() {
        let schema = json!({"type": "object", "properties": {"id": {"type": ["integer", "null"]}}});
        let with_schema = |status, body: String| {
            let response = response(status, &[("content-type", "application/json")], body);
            output("getPet", &response, &[], Some(&schema))
        };
        assert_eq!(
            with_schema(200, "[1]".to_owned()).structured,
            Some(json!({}))
        );
        assert_eq!(with_schema(204, String::new()).structured, Some(json!({})));
        let misfit = with_schema(200, r#"{"id":"17"}"#.to_owned());
        assert_eq!(misfit.structured, Some(json!({})));
        assert_eq!(text(&misfit), r#"{"id":"17"}"#);
        let fitting = with_schema(200, r#"{"id":17}"#.to_owned());
        assert_eq!(fitting.structured, Some(json!({"id": 17})));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(80), "]".repeat(80));
        assert_eq!(with_schema(200, deep).structured, Some(json!({})));
        let long = format!("{{\"a\":[{}0]}}", "0,".repeat(100_000));
        assert_eq!(with_schema(200, long).structured, Some(json!({})));
        assert_eq!(with_schema(404, "{}".to_owned()).structured, None);
    }

    #[test]
    fn text_is_text_in_its_charset() {
        assert_eq!(text(&of(200, "text/csv", "a,b")), "a,b");
        assert_eq!(text(&of(200, "application/xml", "\u{feff}<a/>")), "<a/>");
        assert_eq!(text(&of(200, "image/svg+xml", "<svg/>")), "<svg/>");
        assert_eq!(
            text(&of(200, "text/plain; charset=ISO-8859-1", &b"\xe9"[..])),
            "é"
        );
        assert_eq!(text(&of(200, "text/plain", &b"\xe9"[..])), "\u{fffd}");
        assert_eq!(text(&of(200, "", "plain")), "plain");
    }

    #[test]
    fn pictures_sounds_and_other_bytes_are_kept() {
        let bytes = || Bytes::from_static(b"\x89PNG");
        let media = |mime_type: &str| Media {
            data: bytes(),
            mime_type: mime_type.to_owned(),
        };
        assert_eq!(
            of(200, "Image/PNG; x=1", bytes()).content,
            [Content::Image(media("image/png"))]
        );
        assert_eq!(
            of(200, "audio/mpeg", bytes()).content,
            [Content::Audio(media("audio/mpeg"))]
        );
        let blob = |uri: &str, mime_type: &str| {
            [Content::Blob {
                uri: uri.to_owned(),
                media: media(mime_type),
            }]
        };
        assert_eq!(
            of(200, "application/pdf", bytes()).content,
            blob("response:getPet", "application/pdf")
        );
        assert_eq!(
            of(200, "", bytes()).content,
            blob("response:getPet", "application/octet-stream")
        );
        let headers = [
            ("content-type", "application/zip"),
            (
                "content-disposition",
                "attachment; filename=\"a b.zip\"; x=1",
            ),
        ];
        let named = output("getPet", &response(200, &headers, bytes()), &[], None);
        assert_eq!(
            named.content,
            blob("response:getPet/a%20b.zip", "application/zip")
        );
    }

    #[test]
    fn an_error_says_what_the_api_said_and_not_more() {
        let output = of(404, "application/problem+json", "{ \"title\": \"No pet\" }");
        assert_eq!(
            text(&output),
            "The API answered 404 Not Found: {\"title\":\"No pet\"}"
        );
        assert!(output.is_error);
        assert_eq!(
            text(&of(500, "text/plain", "")),
            "The API answered 500 Internal Server Error."
        );
        assert!(text(&of(500, "text/html", "x".repeat(100_000))).len() < 5000);
        let bytes = of(502, "image/png", &b"\x89"[..]);
        assert_eq!(
            text(&bytes),
            "The API answered 502 Bad Gateway: 1 bytes of image/png"
        );
        let busy = response(429, &[("retry-after", "7")], "");
        let busy = super::output("x", &busy, &[], None);
        assert_eq!(
            text(&busy),
            "The API answered 429 Too Many Requests (Retry-After: 7)."
        );
    }

    #[test]
    fn an_empty_success_says_so_and_where() {
        assert_eq!(text(&of(204, "", "")), "The API answered 204 No Content.");
        let made = response(201, &[("location", "/pets/7")], "");
        assert_eq!(
            text(&output("x", &made, &[], None)),
            "The API answered 201 Created, at /pets/7"
        );
    }

    #[test]
    fn a_redirect_elsewhere_is_an_error_that_says_where() {
        let away = response(302, &[("location", "https://files.example/x?sig=1")], "");
        let output = output("x", &away, &[], None);
        assert!(output.is_error);
        assert_eq!(
            text(&output),
            "The API answered 302 Found to https://files.example/x?sig=1, which is not followed."
        );
    }

    #[test]
    fn credentials_that_come_back_are_taken_out() {
        let traces = ["s3cret-key".to_owned(), "1".to_owned()];
        let echo = r#"{"headers":{"x-key":"s3cret-key"},"s3cret-key":[1,"a s3cret-key b"]}"#;
        for (status, media_type) in [
            (200, "application/json"),
            (200, "text/plain"),
            (400, "application/json"),
            (500, "text/html"),
        ] {
            let headers = [("content-type", media_type)];
            let output = output("x", &response(status, &headers, echo), &traces, None);
            let all = format!("{output:?}");
            assert!(!all.contains("s3cret"), "{all}");
            assert!(all.contains("[credential]") && all.contains('1'));
        }
        let away = response(
            302,
            &[("location", "https://x.example/?key=s3cret-key")],
            "",
        );
        assert!(!text(&output("x", &away, &traces, None)).contains("s3cret"));
    }
}

//! Bodies in `multipart/form-data` (RFC 7578, section 4.8.15.4 of 3.1).

use super::argument_error::ArgumentError;
use super::file::File;
use super::member::Member;
use super::scalar::scalar;
use crate::input::Content;
use http::HeaderValue;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Returns the media type and the body.
///
/// # Errors
///
/// Fails with [`ArgumentError::File`].
pub(super) fn encoded(
    members: &[Member<'_>],
    encoding: &Map<String, Value>,
) -> Result<(String, Vec<u8>), ArgumentError> {
    let mut parts = Vec::new();
    for &Member {
        name,
        argument,
        content,
        value,
    } in members
    {
        let media_type = encoding
            .get(name)
            .and_then(|encoding| encoding.get("contentType")?.as_str());
        // Several that are allowed, or a range, are none to send.
        let media_type = media_type
            .filter(|name| !name.contains(['*', ',']) && HeaderValue::from_str(name).is_ok());
        match (content, value) {
            (Content::Files, Value::Array(files)) => {
                for file in files {
                    parts.push(Part::file(name, File::read(argument, file)?, media_type));
                }
            }
            (Content::Files, _) => {
                return Err(ArgumentError::Kind(argument.to_owned(), "a list of files"));
            }
            (Content::File, file) => {
                parts.push(Part::file(name, File::read(argument, file)?, media_type))
            }
            (Content::Value, value) => Part::values(name, value, media_type, &mut parts),
        }
    }
    Ok(join(&parts))
}

struct Part {
    head: String,
    content: Vec<u8>,
}

impl Part {
    fn file(name: &str, file: File<'_>, media_type: Option<&str>) -> Self {
        // Most servers take a part for a file only if it has a file's name.
        let filename = file.name.filter(|name| !name.is_empty()).unwrap_or(name);
        let media_type = media_type.unwrap_or(match file.is_text {
            true => "text/plain; charset=utf-8",
            false => "application/octet-stream",
        });
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {media_type}\r\n",
            quoted(name),
            quoted(filename),
        );
        Self {
            head,
            content: file.bytes,
        }
    }

    /// A list of scalars is a part each, and what is nested is JSON.
    fn values(name: &str, value: &Value, media_type: Option<&str>, parts: &mut Vec<Self>) {
        let part = |value: &Value| {
            let is_nested = value.is_object() || value.is_array();
            let media_type = media_type.or(is_nested.then_some("application/json"));
            let media_type =
                media_type.map_or(String::new(), |name| format!("Content-Type: {name}\r\n"));
            Self {
                head: format!(
                    "Content-Disposition: form-data; name=\"{}\"\r\n{media_type}",
                    quoted(name)
                ),
                content: scalar(value).into_bytes(),
            }
        };
        match value {
            Value::Null => {}
            Value::Array(items) => {
                parts.extend(items.iter().filter(|item| !item.is_null()).map(part))
            }
            value => parts.push(part(value)),
        }
    }
}

/// Returns a name without what would end it (HTML, section 4.10.21.8; RFC 7578 section 4.2).
fn quoted(name: &str) -> String {
    let mut quoted = String::new();
    for c in name.chars() {
        match c {
            '"' => quoted.push_str("%22"),
            '\r' => quoted.push_str("%0D"),
            '\n' => quoted.push_str("%0A"),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
    }
    quoted
}

/// Joins parts with a boundary that none of them has in it.
fn join(parts: &[Part]) -> (String, Vec<u8>) {
    let used: HashSet<u64> = parts
        .iter()
        .flat_map(|part| numbers(&part.content))
        .collect();
    // One of the first, as there are more numbers than places for them.
    let free = (1..).find(|number| !used.contains(number)).unwrap_or(0);
    let boundary = format!("{PREFIX}{free}-");
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// What a boundary begins with; behind it come a number and a hyphen.
const PREFIX: &str = "gatehouse-";

/// Returns the numbers that stand behind [`PREFIX`] in a content. One of more digits than a content has bytes is not one of them.
fn numbers(content: &[u8]) -> impl Iterator<Item = u64> {
    const MAX_DIGITS: usize = 18;
    let starts = content.windows(PREFIX.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == PREFIX.as_bytes());
    starts.filter_map(|(start, _)| {
        let digits: String = content[start + PREFIX.len()..]
            .iter()
            .take(MAX_DIGITS + 1)
            .take_while(|c| c.is_ascii_digit())
            .map(|c| char::from(*c))
            .collect();
        digits.parse().ok().filter(|_| digits.len() <= MAX_DIGITS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn member<'a>(name: &'a str, content: Content, value: &'a Value) -> Member<'a> {
        Member {
            name,
            argument: "it",
            content,
            value,
        }
    }

    fn body(name: &str, content: Content, value: &Value, encoding: Value) -> (String, String) {
        let (media_type, body) = encoded(
            &[member(name, content, value)],
            encoding.as_object().unwrap(),
        )
        .unwrap();
        (media_type, String::from_utf8(body).unwrap())
    }

    #[test]
    fn values_and_files_are_parts() {
        let file = json!({"base64": "aGk=", "filename": "a.txt"});
        let (media_type, text) = body("f", Content::File, &file, json!({}));
        assert_eq!(media_type, "multipart/form-data; boundary=gatehouse-1-");
        assert_eq!(
            text,
            "--gatehouse-1-\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\
             Content-Type: application/octet-stream\r\n\r\nhi\r\n--gatehouse-1---\r\n"
        );
        let (_, text) = body("v", Content::Value, &json!([1, {"a": 1}, null]), json!({}));
        assert_eq!(
            text,
            "--gatehouse-1-\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n1\r\n\
             --gatehouse-1-\r\nContent-Disposition: form-data; name=\"v\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n\
             --gatehouse-1---\r\n"
        );
        let files = json!([{"text": "a"}, {"text": "b"}]);
        let (_, text) = body(
            "f",
            Content::Files,
            &files,
            json!({"f": {"contentType": "image/png"}}),
        );
        assert_eq!(
            text.matches("filename=\"f\"\r\nContent-Type: image/png")
                .count(),
            2
        );
        let (_, text) = body(
            "f",
            Content::File,
            &json!({"text": "a"}),
            json!({"f": {"contentType": "image/*"}}),
        );
        assert!(text.contains("Content-Type: text/plain; charset=utf-8\r\n"));
    }

    #[test]
    fn no_content_has_the_boundary_in_it() {
        for (content, boundary) in [
            ("gatehouse-1-", "gatehouse-2-"),
            ("--gatehouse-2-\r\ngatehouse-1-", "gatehouse-3-"),
            ("gatehouse-01", "gatehouse-2-"),
            ("gatehouse-", "gatehouse-1-"),
            ("gatehouse-99999999999999999999-", "gatehouse-1-"),
        ] {
            let (media_type, text) = body("v", Content::Value, &json!(content), json!({}));
            assert_eq!(
                media_type,
                format!("multipart/form-data; boundary={boundary}")
            );
            assert!(!content.contains(boundary), "{text}");
        }
    }

    #[test]
    fn no_name_begins_a_header_of_its_own() {
        let file = json!({"text": "", "filename": "a\"\r\nX-Evil: 1\0"});
        let (_, text) = body(
            "n\"\r\nm",
            Content::File,
            &file,
            json!({"n\"\r\nm": {"contentType": "a\r\nb"}}),
        );
        assert!(
            text.contains("name=\"n%22%0D%0Am\"; filename=\"a%22%0D%0AX-Evil: 1\"\r\n"),
            "{text}"
        );
        assert!(text.contains("Content-Type: text/plain; charset=utf-8\r\n"));
    }

    #[test]
    fn a_file_is_text_or_base64() {
        for wrong in [
            json!("text"),
            json!({}),
            json!({"base64": "*"}),
            json!({"text": "", "base64": ""}),
            json!(null),
        ] {
            let refused = encoded(&[member("f", Content::File, &wrong)], &Map::new());
            assert_eq!(
                refused,
                Err(ArgumentError::File("it".to_owned())),
                "{wrong}"
            );
        }
    }
}

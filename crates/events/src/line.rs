//! The log line of an event: one JSON object.

use crate::{Event, TraceContext};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use time::UtcDateTime;

/// Bytes of a line: what `log_line` takes without cutting it.
const MAX_LINE_BYTES: usize = 4000;

/// Characters that a string keeps in a line that is too long, tried one after the other until it fits.
const MAX_CHARACTERS: [usize; 3] = [512, 128, 32];

/// What a string that was too long ends with.
const CUT: char = '\u{2026}';

/// An event, and whom it is about.
pub(crate) struct EventLine<'a> {
    pub(crate) now: u64,
    pub(crate) event: &'a Event<'a>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) grant_id: Option<&'a str>,
    pub(crate) trace: Option<&'a TraceContext>,
}

#[derive(Serialize)]
struct Members<'a> {
    time: String,
    #[serde(flatten)]
    event: &'a Event<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
}

impl EventLine<'_> {
    /// Returns a JSON object on one line, which fits into one write of the log, and has no character that
    /// commands a terminal or that the log would escape in another way than JSON does.
    pub(crate) fn to_json(&self) -> String {
        let members = Members {
            time: timestamp(self.now),
            event: self.event,
            client_id: self.client_id,
            subject: self.subject,
            grant_id: self.grant_id,
            trace_id: self.trace.map(|trace| trace.trace_id.as_str()),
            parent_id: self.trace.map(|trace| trace.parent_id.as_str()),
        };
        let line = serde_json::to_string(&members).map(|json| escaped(&json));
        let line = line.unwrap_or_default();
        if line.len() <= MAX_LINE_BYTES {
            return line;
        }
        let Ok(Value::Object(members)) = serde_json::to_value(&members) else {
            return String::new();
        };
        let shorter = MAX_CHARACTERS
            .into_iter()
            .map(|max| shortened(&members, max));
        let mut lines = shorter.map(|members| escaped(&Value::Object(members).to_string()));
        lines
            .find(|line| line.len() <= MAX_LINE_BYTES)
            .unwrap_or_default()
    }
}

fn shortened(members: &Map<String, Value>, max: usize) -> Map<String, Value> {
    let shorten = |value: &Value| match value {
        Value::String(text) if text.chars().count() > max => {
            Value::String(text.chars().take(max).chain([CUT]).collect())
        }
        value => value.clone(),
    };
    let shortened = members.iter();
    shortened
        .map(|(name, value)| (name.clone(), shorten(value)))
        .collect()
}

/// JSON in which every character that a log line must not have is escaped as RFC 8259 section 7 says.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if log_line::needs_escape(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// RFC 3339, in UTC and whole seconds.
fn timestamp(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| UtcDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(UtcDateTime::MAX);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.as_hms();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests;

//! Responses, and the checks of them.

use super::issued_ids::IssuedIds;
use super::people::{PEOPLE, assert_own};
use futures::future::{Either, select};
use http::response::Parts as Head;
use http_body_util::BodyExt;
use mcpserver::{Body, Environment, TestEnvironment};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::pin::pin;
use std::time::Duration;

/// Everything that the endpoint may answer with, as long as what it depends on works.
const STATUSES: [u16; 13] = [
    200, 202, 204, 400, 401, 403, 404, 405, 406, 413, 415, 421, 429,
];

/// What is to be known of a request.
pub(super) struct Sent {
    pub(super) person: usize,
    /// The ids of its requests, as they are in JSON.
    pub(super) ids: Vec<String>,
    /// Nothing about it is odd.
    pub(super) is_sound: bool,
    /// A refusal of it has to say which request it refuses.
    pub(super) is_stateless: bool,
    /// It names a session that is another person's, or invalid.
    pub(super) is_foreign: bool,
    /// Messages that belong to other requests of this person may come for it.
    pub(super) may_be_of_others: bool,
}

/// A JSON-RPC message, and nothing besides; what is there twice is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    params: Option<Map<String, Value>>,
    result: Option<Map<String, Value>>,
    error: Option<Error>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Error {
    #[serde(rename = "code")]
    _code: i64,
    message: String,
    #[serde(rename = "data")]
    _data: Option<Value>,
}

/// # Panics
///
/// If the endpoint may not give the status, or a header tells of another person.
pub(super) fn check_head(head: &Head, sent: &Sent, known: &mut IssuedIds) {
    assert!(STATUSES.contains(&head.status.as_u16()), "{head:?}");
    assert!(
        !sent.is_foreign || head.status.is_client_error(),
        "a session of another person: {head:?}"
    );
    for value in head.headers.values() {
        let value = value.to_str().expect("visible characters");
        assert_own(sent.person, value, "a header");
    }
    if let Some(session) = head.headers.get("mcp-session-id") {
        let session = session.to_str().expect("visible characters");
        known.sessions.push(session.to_owned());
        known.owners.insert(session.to_owned(), sent.person);
    }
}

/// A response's body, as far as it was read.
pub(super) struct Stream {
    body: Body,
    sent: Sent,
    form: Form,
    /// It has to have a response to the request.
    has_response: bool,
    read: String,
    /// Responses to the request.
    responses: usize,
    is_over: bool,
}

/// What a body consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Events,
    Else,
}

impl Stream {
    pub(super) fn new(head: &Head, body: Body, sent: Sent) -> Self {
        let kind = head.headers.get("content-type");
        let kind = kind.map_or("", |kind| kind.to_str().unwrap_or_default());
        let form = match kind {
            // A misdirected request is answered by no protocol.
            _ if head.status == 421 => Form::Else,
            "application/json" => Form::Json,
            "text/event-stream" => Form::Events,
            kind => {
                assert!(
                    kind.is_empty() || kind.starts_with("text/plain"),
                    "{head:?}"
                );
                Form::Else
            }
        };
        if sent.is_sound && form == Form::Else {
            assert!(matches!(head.status.as_u16(), 202 | 204), "{head:?}");
        }
        let is_answered = head.status == 200 || sent.is_stateless;
        Self {
            body,
            has_response: form == Form::Json && sent.is_sound && is_answered && sent.ids.len() == 1,
            sent,
            form,
            read: String::new(),
            responses: 0,
            is_over: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads on until it is over, or nothing came for so long.
    pub(super) async fn read(
        &mut self,
        environment: &TestEnvironment,
        patience: Duration,
        known: &mut IssuedIds,
    ) {
        loop {
            let silence = pin!(environment.sleep(patience));
            let frame = match select(self.body.frame(), silence).await {
                Either::Left((Some(Ok(frame)), _)) => frame,
                Either::Left((None, _)) => break,
                Either::Left((Some(Err(never)), _)) => match never {},
                Either::Right(_) => return,
            };
            let data = frame.into_data().expect("data");
            let text = std::str::from_utf8(&data).expect("text");
            assert_own(self.sent.person, text, "an answer");
            self.read.push_str(text);
            if self.form == Form::Events {
                while let Some((event, rest)) = self.read.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.event(&event, known);
                    self.read = rest;
                }
            }
        }
        self.is_over = true;
        match self.form {
            Form::Events => assert!(self.read.is_empty(), "half an event: {}", self.read),
            Form::Json => {
                let text = std::mem::take(&mut self.read);
                self.messages(&text, known);
                assert!(
                    self.responses == 1 || !self.has_response,
                    "no response: {text}"
                );
            }
            Form::Else => {}
        }
    }

    fn event(&mut self, event: &str, known: &mut IssuedIds) {
        let (mut name, mut data) = ("message", None);
        for line in event.lines() {
            match line.split_once(": ") {
                Some(("event", value)) => name = value,
                Some(("data", value)) => assert!(data.replace(value).is_none(), "{event}"),
                Some(("id", value)) => known.events.push(value.to_owned()),
                Some(("retry", value)) => assert!(value.parse::<u32>().is_ok(), "{event}"),
                Some(("", _)) => {}
                field => panic!("{field:?} in {event}"),
            }
        }
        match (name, data) {
            ("endpoint", Some(path)) => {
                known.mailboxes.push(path.to_owned());
                known.owners.insert(path.to_owned(), self.sent.person);
            }
            ("message", Some(message)) if !message.is_empty() => self.messages(message, known),
            ("message", _) => {}
            _ => panic!("{event}"),
        }
    }

    /// A message, or a batch of them.
    fn messages(&mut self, text: &str, known: &mut IssuedIds) {
        if text.starts_with('[') {
            let batch: Vec<&RawValue> = serde_json::from_str(text).expect("a batch");
            assert!(!batch.is_empty(), "an empty batch");
            for message in batch {
                self.message(message.get(), known);
            }
        } else {
            self.message(text, known);
        }
    }

    fn message(&mut self, text: &str, known: &mut IssuedIds) {
        let message: Message<'_> =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(message.jsonrpc, "2.0", "{text}");
        let id = message.id.map(RawValue::get);
        if message.method.is_some() {
            assert!(
                message.result.is_none() && message.error.is_none(),
                "{text}"
            );
            known.questions.extend(id.map(str::to_owned));
        } else {
            let is_one = message.result.is_some() != message.error.is_some();
            assert!(is_one && message.params.is_none(), "{text}");
            let error = message.error.as_ref();
            assert!(
                error.is_none_or(|error| !error.message.is_empty()),
                "{text}"
            );
            match id {
                Some(id) => self.response(id, text, known),
                None => assert!(error.is_some(), "{text}"),
            }
        }
        for content in [&message.params, &message.result].into_iter().flatten() {
            learn(content, known);
        }
    }

    fn response(&mut self, id: &str, text: &str, known: &IssuedIds) {
        if self.sent.ids.iter().any(|asked| is_same(asked, id)) {
            self.responses += 1;
            let most = self.sent.ids.len();
            assert!(self.responses <= most, "one response too many: {text}");
            return;
        }
        // Of an earlier request, whose answer this stream brings.
        let mut asked = known.asked.iter();
        let is_theirs = asked.any(|(asked, person)| {
            is_same(asked, id) && *person == self.sent.person && self.sent.may_be_of_others
        });
        assert!(
            is_theirs,
            "{} did not ask for {text}",
            PEOPLE[self.sent.person]
        );
    }
}

/// Whether two ids are the same, however they are written.
fn is_same(one: &str, other: &str) -> bool {
    let text = |id: &str| serde_json::from_str::<String>(id).ok();
    one == other || text(one).is_some_and(|one| text(other) == Some(one))
}

/// Takes note of what is handed out.
fn learn(content: &Map<String, Value>, known: &mut IssuedIds) {
    for (name, value) in content {
        match (name.as_str(), value) {
            ("requestState", Value::String(state)) => known.states.push(state.clone()),
            ("nextCursor", Value::String(cursor)) => known.cursors.push(cursor.clone()),
            ("taskId", Value::String(task)) => known.tasks.push(task.clone()),
            ("inputRequests", Value::Object(questions)) => {
                known.keys.extend(questions.keys().cloned());
            }
            (_, Value::Object(content)) => learn(content, known),
            _ => {}
        }
    }
}

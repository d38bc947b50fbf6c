//! A client with a session at `/mcp`.

use super::*;

pub(super) struct Client<'f> {
    pub(super) fixture: &'f Fixture,
    pub(super) token: String,
    pub(super) session: String,
}

/// A stream, event by event.
pub(super) struct Events {
    body: Body,
    text: String,
}

/// An event that is no comment.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) retry: Option<String>,
    pub(super) data: Option<String>,
}

impl<'f> Client<'f> {
    /// Initializes with a client that can be asked everything.
    pub(super) async fn initialize(fixture: &'f Fixture, token: &str, revision: &str) -> Self {
        let capabilities = r#"{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}"#;
        let body = initialize(revision).replace(
            r#""capabilities":{}"#,
            &format!(r#""capabilities":{capabilities}"#),
        );
        let answer = fixture.post(token, &[], &body).await;
        assert_eq!(answer.status, 200);
        Self {
            fixture,
            token: token.to_owned(),
            session: answer.header("mcp-session-id").to_owned(),
        }
    }

    pub(super) async fn send(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        let mut all = vec![
            ("authorization", authorization.as_str()),
            ("mcp-session-id", self.session.as_str()),
        ];
        all.extend(headers);
        self.fixture.send(method, "/mcp", &all, body).await
    }

    pub(super) async fn post(&self, body: impl Into<Bytes>) -> Answer {
        self.send("POST", &[], body).await
    }

    /// The stream that answers a message.
    pub(super) async fn stream(&self, body: impl Into<Bytes>) -> Events {
        let answer = self.post(body).await;
        assert_eq!(answer.status, 200);
        answer.stream()
    }

    /// The stream that goes on after an event.
    pub(super) async fn resume(&self, id: &str) -> Answer {
        self.send("GET", &[("last-event-id", id)], "").await
    }
}

impl Answer {
    pub(super) fn stream(self) -> Events {
        assert_eq!(self.header("content-type"), "text/event-stream");
        Events {
            body: self.body,
            text: String::new(),
        }
    }
}

impl Events {
    /// The next event; `None` when the stream is over.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                };
                let event = Event {
                    id: field("id").map(str::to_owned),
                    retry: field("retry").map(str::to_owned),
                    data: field("data").map(str::to_owned),
                };
                self.text = rest.to_owned();
                if event != Event::default() {
                    return Some(event);
                }
            }
            let frame = self.body.frame().await?.unwrap();
            let data = frame.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next message; `None` when the stream is over.
    pub(super) async fn message(&mut self) -> Option<Value> {
        loop {
            let data = self.next().await?.data.unwrap_or_default();
            if !data.is_empty() {
                return Some(serde_json::from_str(&data).unwrap());
            }
        }
    }
}

/// An answer to a question.
pub(super) fn answer_to(question: &Value, result: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
        question["id"]
    )
}

/// A notification that cancels the request with this id.
pub(super) fn cancelled(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
    )
}

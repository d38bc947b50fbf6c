//! Structured audit events: one JSON object a line on standard error.
//!
//! The names of events and of their members are an interface: docs/events.md lists them, and a test
//! holds that list against [`Event`]. No event has a member for a token, a code, a cookie, a secret,
//! or the arguments of a tool.

mod event;
mod kinds;
mod line;
mod trace;

pub use event::{
    Action, Decision, EndedBy, Event, Outcome, PresentedCredential, RegistrationChange,
    SignInPurpose,
};
pub use kinds::{Kind, Kinds, UnknownKind};
pub use trace::TraceContext;

use std::sync::OnceLock;

/// Writes the events of one request, and knows whom they are about.
///
/// What is learned about the client, the person and the grant in the course of the request stands in
/// every later event of it.
pub struct Events<'a> {
    kinds: Kinds,
    now: u64,
    trace: Option<TraceContext>,
    client_id: OnceLock<String>,
    subject: OnceLock<String>,
    grant_id: OnceLock<String>,
    write: &'a (dyn Fn(&str) + Send + Sync),
}

impl<'a> Events<'a> {
    /// Events of these kinds, written by `write`, which gets one line without its end. `now` is in
    /// seconds since the Unix epoch.
    pub fn new(
        kinds: Kinds,
        now: u64,
        trace: Option<TraceContext>,
        write: &'a (dyn Fn(&str) + Send + Sync),
    ) -> Self {
        Self {
            kinds,
            now,
            trace,
            client_id: OnceLock::new(),
            subject: OnceLock::new(),
            grant_id: OnceLock::new(),
            write,
        }
    }

    /// Notes the client: from then on as it authenticated, or as an unauthenticated request named it.
    /// The first note stays.
    pub fn client(&self, client_id: &str) -> &Self {
        self.client_id.get_or_init(|| client_id.to_owned());
        self
    }

    /// Notes the subject at the identity provider. The first note stays.
    pub fn subject(&self, subject: &str) -> &Self {
        self.subject.get_or_init(|| subject.to_owned());
        self
    }

    /// Notes the grant, by its identifier. The first note stays.
    pub fn grant(&self, grant_id: &str) -> &Self {
        self.grant_id.get_or_init(|| grant_id.to_owned());
        self
    }

    /// Writes an event, if its kind is to be written.
    pub fn record(&self, event: &Event<'_>) {
        if !self.kinds.contains(event.kind()) {
            return;
        }
        let line = line::EventLine {
            now: self.now,
            event,
            client_id: self.client_id.get().map(String::as_str),
            subject: self.subject.get().map(String::as_str),
            grant_id: self.grant_id.get().map(String::as_str),
            trace: self.trace.as_ref(),
        };
        (self.write)(&line.to_json());
    }
}

/// Writes a line to standard error, for [`Events::new`].
pub fn to_log(line: &str) {
    log_line::write(line);
}

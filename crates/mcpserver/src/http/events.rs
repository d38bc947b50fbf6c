//! The events of the MCP endpoint (docs/events.md): refused requests, and calls of tools.

use crate::http::authenticator::{Authenticated, Source, token_hash};
use crate::http::rejection::Rejection;
use crate::{Environment, Parts, Server};
use events::{Event, Events, Outcome, TraceContext};
use grants::GrantEnd;
use http::HeaderMap;
use http::request::Parts as Head;
use std::sync::Arc;
use std::time::Duration;

impl<P: Parts> Server<P> {
    /// Writes the event of a refused request.
    pub(crate) fn record_rejection(&self, head: &Head, rejection: &Rejection) {
        let Some((error, reason)) = rejection.description() else {
            return;
        };
        let event = Event::Refusal {
            endpoint: head.uri.path(),
            error,
            reason: &reason,
        };
        self.record(&self.sender(&head.headers), &event);
    }

    /// Writes the event of a grant that was ended because its person may no longer come in.
    pub(crate) fn record_end(&self, authenticated: &Authenticated, end: GrantEnd) {
        let event = Event::Revocation {
            by: end.into(),
            grants: 1,
        };
        self.record(&Actor::of(authenticated), &event);
    }

    /// Returns the sender of a request as its token names it, if this instance has verified that token;
    /// a refused request costs no second verification.
    fn sender(&self, headers: &HeaderMap) -> Actor {
        let unknown = Actor {
            trace: TraceContext::of(headers),
            ..Actor::default()
        };
        let Some(hash) = token_hash(headers) else {
            return unknown;
        };
        if let Some(claims) = self.claims.get(&hash) {
            return Actor {
                client_id: Some(claims.client_id.clone()),
                subject: Some(claims.sub.clone()),
                grant_id: Some(claims.grant.clone()),
                ..unknown
            };
        }
        let presented = self.presented.get(&hash);
        Actor {
            subject: presented.map(|presented| presented.subject().to_owned()),
            ..unknown
        }
    }

    fn record(&self, actor: &Actor, event: &Event<'_>) {
        let write = |line: &str| self.context.environment.log(line);
        let (kinds, now) = (self.context.config.events, self.context.environment.now());
        let events = Events::new(kinds, now, actor.trace.clone(), &write);
        if let Some(client_id) = &actor.client_id {
            events.client(client_id);
        }
        if let Some(subject) = &actor.subject {
            events.subject(subject);
        }
        if let Some(grant_id) = &actor.grant_id {
            events.grant(grant_id);
        }
        events.record(event);
    }
}

/// Whom an event is about.
#[derive(Default)]
struct Actor {
    client_id: Option<String>,
    subject: Option<String>,
    grant_id: Option<String>,
    trace: Option<TraceContext>,
}

impl Actor {
    fn of(authenticated: &Authenticated) -> Self {
        Self {
            client_id: authenticated.caller.client_id.clone(),
            subject: Some(authenticated.subject().to_owned()),
            grant_id: match &authenticated.source {
                Source::Grant { id, .. } => Some(id.clone()),
                Source::Presented(_) => None,
            },
            trace: authenticated.trace.clone(),
        }
    }
}

/// A call of a tool, whose event is written once: when it has ended, or, as cancelled, when this is
/// dropped before.
pub(crate) struct CallEvent<P: Parts> {
    server: Arc<Server<P>>,
    actor: Actor,
    tool: String,
    began: Duration,
    has_ended: bool,
}

impl<P: Parts> CallEvent<P> {
    /// Begins the call. A `trace` of its own comes before that of the HTTP request.
    pub(crate) fn begin(
        server: &Arc<Server<P>>,
        authenticated: &Authenticated,
        tool: &str,
        trace: Option<TraceContext>,
    ) -> Self {
        let mut actor = Actor::of(authenticated);
        actor.trace = trace.or(actor.trace);
        Self {
            server: Arc::clone(server),
            actor,
            tool: tool.to_owned(),
            began: server.context.environment.elapsed(),
            has_ended: false,
        }
    }

    /// Writes the event, unless it was written before.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let duration = self
            .server
            .context
            .environment
            .elapsed()
            .saturating_sub(self.began);
        let event = Event::ToolCall {
            tool: &self.tool,
            outcome,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        };
        self.server.record(&self.actor, &event);
    }
}

impl<P: Parts> Drop for CallEvent<P> {
    fn drop(&mut self) {
        self.end(Outcome::Cancelled);
    }
}

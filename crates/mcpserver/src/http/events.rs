//! The events of the MCP endpoint (docs/events.md), with the client and the person of each.

use crate::context::Context;
use crate::http::authenticated::{Authenticated, Source};
use crate::{Environment, Parts};
use events::{Event, Events, TraceContext};
use grants::GrantEnd;

/// The client and the person of an event.
#[derive(Default)]
pub(crate) struct Actor {
    pub(crate) client_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) grant_id: Option<String>,
    pub(crate) trace: Option<TraceContext>,
}

impl Actor {
    pub(crate) fn of(authenticated: &Authenticated) -> Self {
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

impl<P: Parts> Context<P> {
    /// Writes an event.
    pub(crate) fn record(&self, actor: &Actor, event: &Event<'_>) {
        let (kinds, now) = (self.config.events, self.environment.now());
        let events = Events::new(kinds, now, actor.trace.clone(), &events::to_log);
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

    /// Writes the event of a grant that was ended because its person lost the access.
    pub(crate) fn record_grant_end(&self, authenticated: &Authenticated, end: GrantEnd) {
        let event = Event::Revocation {
            by: end.into(),
            grants: 1,
        };
        self.record(&Actor::of(authenticated), &event);
    }
}

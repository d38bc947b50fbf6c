//! The event of a tool call (docs/events.md).

use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::events::Actor;
use crate::{Environment, Parts};
use events::{Event, Outcome, TraceContext};
use std::sync::Arc;
use std::time::Duration;

/// A call of a tool, whose event is written once: when it has ended, or, as cancelled, when this is
/// dropped before.
pub(crate) struct CallEvent<P: Parts> {
    context: Arc<Context<P>>,
    actor: Actor,
    tool: String,
    began: Duration,
    has_ended: bool,
}

impl<P: Parts> CallEvent<P> {
    /// Begins the call. A `trace` of its own comes before that of the HTTP request.
    pub(crate) fn begin(
        context: &Arc<Context<P>>,
        authenticated: &Authenticated,
        tool: &str,
        trace: Option<TraceContext>,
    ) -> Self {
        let mut actor = Actor::of(authenticated);
        actor.trace = trace.or(actor.trace);
        Self {
            context: Arc::clone(context),
            actor,
            tool: tool.to_owned(),
            began: context.environment.elapsed(),
            has_ended: false,
        }
    }

    /// Writes the event, unless it was written before.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let duration = self
            .context
            .environment
            .elapsed()
            .saturating_sub(self.began);
        let event = Event::ToolCall {
            tool: &self.tool,
            outcome,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        };
        self.context.record(&self.actor, &event);
    }
}

impl<P: Parts> Drop for CallEvent<P> {
    fn drop(&mut self) {
        self.end(Outcome::Cancelled);
    }
}

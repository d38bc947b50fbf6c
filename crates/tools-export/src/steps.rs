//! A call of a tool that has begun, event by event.

use crate::bindings::contract::{Event, Failure, InputRequired, Output};

/// A call of a tool that has begun. Dropping it cancels the call.
pub trait Steps: 'static {
    /// Waits for the next event. [`Event::Done`], [`Event::InputRequired`] and a failure are the last: nothing is asked
    /// for after them. Dropping the wait loses nothing: the next one goes on with it.
    ///
    /// # Errors
    ///
    /// If the call cannot go on. Before the first wait it is the failure of the call; later the client is told no more
    /// than that the call failed, and the text is in the operator's log.
    fn next(&mut self) -> impl Future<Output = Result<Event, Failure>>;
}

/// A call that is over as soon as it has begun.
#[derive(Debug)]
pub struct AtOnce(Option<Event>);

impl From<Output> for AtOnce {
    fn from(output: Output) -> Self {
        Self(Some(Event::Done(output)))
    }
}

impl From<InputRequired> for AtOnce {
    fn from(input_required: InputRequired) -> Self {
        Self(Some(Event::InputRequired(input_required)))
    }
}

impl Steps for AtOnce {
    async fn next(&mut self) -> Result<Event, Failure> {
        let event = self.0.take();
        event.ok_or_else(|| Failure::Internal("the call is over".to_owned()))
    }
}

/// Returns the event of a call that has already reported something, or writes to the log why there is none.
pub(crate) fn logged(step: Result<Event, Failure>) -> Option<Event> {
    step.inspect_err(|failure| {
        log_line::write(format_args!("a call of a tool failed: {failure:?}"));
    })
    .ok()
}

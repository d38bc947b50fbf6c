//! The component: `gatehouse:tools-portable`, over a [`Provider`]. Each function runs to its end, or to its next event, in
//! the event loop of the instance.

use crate::bindings::contract::{
    Call, CallResult, Caller, Completion, Event, EventStream, Failure, Guest, GuestEventStream,
    Offer, PromptRequest, Prompting, Read, Reading, ResourcePage, Suggestions,
};
use crate::provider::{Instance, Provider, provider};
use crate::steps::{Steps, logged};
use platform::block_on;
use std::cell::RefCell;
use std::marker::PhantomData;

/// The component of a provider.
#[derive(Debug)]
pub struct Component<I>(PhantomData<I>);

impl<I: Instance> Guest for Component<I> {
    type EventStream = Events;

    fn describe() -> Result<Offer, Failure> {
        block_on(async { provider::<I>().await.describe().await })
    }

    fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let mut steps = block_on(async { provider::<I>().await.call_tool(call).await })?;
        Ok(match block_on(steps.next())? {
            Event::Done(output) => CallResult::Done(output),
            Event::InputRequired(input_required) => CallResult::InputRequired(input_required),
            first => CallResult::Running(EventStream::new(Events::new(first, steps))),
        })
    }

    fn list_resources(caller: Caller, cursor: Option<String>) -> Result<ResourcePage, Failure> {
        block_on(async { provider::<I>().await.list_resources(caller, cursor).await })
    }

    fn read_resource(read: Read) -> Result<Reading, Failure> {
        block_on(async { provider::<I>().await.read_resource(read).await })
    }

    fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        block_on(async { provider::<I>().await.get_prompt(request).await })
    }

    fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        block_on(async { provider::<I>().await.complete(completion).await })
    }
}

/// The events that are left of a call: what gives the next one, until the last.
pub struct Events(RefCell<Option<NextEvent>>);

/// Gives the next event, and then `None`.
type NextEvent = Box<dyn FnMut() -> Option<Event>>;

impl Events {
    fn new(first: Event, mut steps: impl Steps) -> Self {
        let mut first = Some(first);
        Self(RefCell::new(Some(Box::new(move || {
            first.take().or_else(|| logged(block_on(steps.next())))
        }))))
    }
}

impl GuestEventStream for Events {
    fn next(&self) -> Option<Event> {
        let mut next = self.0.take()?;
        let event = next()?;
        if !matches!(event, Event::Done(_) | Event::InputRequired(_)) {
            self.0.replace(Some(next));
        }
        Some(event)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.0.take().is_some() {
            // The call is cancelled: what that spawned goes out now, or never.
            block_on(std::future::ready(()));
        }
    }
}

//! The component: `gatehouse:tools-portable`, over a [`Server`]. Each function runs to its end, or to its next event, in
//! the event loop of the instance.

use crate::bindings::contract::{
    Call, CallResult, Caller, Completion, Event, EventStream, Failure, Guest, GuestEventStream,
    Offer, PromptRequest, Prompting, Read, Reading, ResourcePage, Suggestions,
};
use crate::executor::block_on;
use crate::running::Step;
use crate::server::{RunningCall, Server, at_once, at_the_end};
use std::cell::RefCell;
use std::marker::PhantomData;

/// What is exported.
pub trait Exported: 'static {
    /// Returns the server.
    fn server() -> &'static Server;
}

/// The component of a server.
#[derive(Debug)]
pub struct Component<S>(PhantomData<S>);

impl<S: Exported> Guest for Component<S> {
    type EventStream = Events;

    fn describe() -> Result<Offer, Failure> {
        Ok(S::server().offer())
    }

    fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let mut call = S::server().begin(call)?;
        match block_on(call.next()) {
            Step::Ended(ended) => at_once(ended),
            Step::InputRequired(input_required) => Ok(CallResult::InputRequired(input_required)),
            Step::Event(first) => {
                let state = RefCell::new(State::Reported(first, call));
                Ok(CallResult::Running(EventStream::new(Events(state))))
            }
        }
    }

    fn list_resources(_caller: Caller, _cursor: Option<String>) -> Result<ResourcePage, Failure> {
        S::server().resource_page()
    }

    fn read_resource(read: Read) -> Result<Reading, Failure> {
        block_on(S::server().read(read))
    }

    fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        block_on(S::server().prompt(request))
    }

    fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        block_on(S::server().complete(completion))
    }
}

/// The events that are left of a call.
pub struct Events(RefCell<State>);

enum State {
    /// With an event that was not yet taken.
    Reported(Event, RunningCall),
    Running(RunningCall),
    Ended,
}

impl GuestEventStream for Events {
    fn next(&self) -> Option<Event> {
        let mut call = match self.0.replace(State::Ended) {
            State::Reported(event, call) => {
                self.0.replace(State::Running(call));
                return Some(event);
            }
            State::Running(call) => call,
            State::Ended => return None,
        };
        match block_on(call.next()) {
            Step::Event(event) => {
                self.0.replace(State::Running(call));
                Some(event)
            }
            Step::InputRequired(input_required) => Some(Event::InputRequired(input_required)),
            Step::Ended(ended) => at_the_end(ended).map(Event::Done),
        }
    }
}

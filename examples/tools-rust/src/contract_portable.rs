//! The contract `wit/portable/tools.wit` behind the functions of `wit/tools`, for hosts of WASI 0.2: a call that goes on is
//! a resource.

wit_bindgen::generate!({ path: "../../wit/portable/tools.wit", world: "tools-component" });

use crate::Units;
export!(Units with_types_in self);

pub use exports::gatehouse::tools_portable::tools::*;
use exports::gatehouse::tools_portable::tools::{self as portable, GuestEventStream};
use std::cell::RefCell;
use std::pin::pin;
use std::task::{self, Poll, Waker};

/// Functions of `wit/tools`.
pub trait Guest {
    async fn describe() -> Result<Offer, Failure>;
    async fn call_tool(call: Call) -> Result<CallResult, Failure>;
    async fn list_resources(
        caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure>;
    async fn read_resource(read: Read) -> Result<Reading, Failure>;
    async fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure>;
    async fn complete(completion: Completion) -> Result<Suggestions, Failure>;
}

impl<T: Guest> portable::Guest for T {
    type EventStream = Events;

    fn describe() -> Result<Offer, Failure> {
        finish(T::describe())
    }

    fn call_tool(call: Call) -> Result<CallResult, Failure> {
        finish(T::call_tool(call))
    }

    fn list_resources(caller: Caller, cursor: Option<String>) -> Result<ResourcePage, Failure> {
        finish(T::list_resources(caller, cursor))
    }

    fn read_resource(read: Read) -> Result<Reading, Failure> {
        finish(T::read_resource(read))
    }

    fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        finish(T::get_prompt(request))
    }

    fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        finish(T::complete(completion))
    }
}

/// Returns what a function returns that awaits nothing. In WASI 0.2 waiting is done by calls that block.
fn finish<T>(function: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match pin!(function).poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Failure::Internal("a function awaits something".to_owned())),
    }
}

/// Events that are left of a call.
pub struct Events(RefCell<Box<dyn Iterator<Item = Event>>>);

impl GuestEventStream for Events {
    fn next(&self) -> Option<Event> {
        self.0.borrow_mut().next()
    }
}

/// Returns a call that goes on: each event is made when the caller asks for it.
pub fn running(events: impl Iterator<Item = Event> + 'static) -> CallResult {
    let events = Events(RefCell::new(Box::new(events)));
    CallResult::Running(EventStream::new(events))
}

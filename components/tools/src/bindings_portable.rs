//! The contract `wit/portable/tools.wit` with the face of `wit/tools`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "tools-component",
    path: "../../wit/portable/tools.wit",
});

use crate::Component;
export!(Component with_types_in self);

pub(crate) mod contract {
    //! Each function as a future.

    use super::exports::gatehouse::tools_portable::tools as synchronous;
    use std::pin::pin;
    use std::task::{self, Poll, Waker};
    pub(crate) use synchronous::{
        Call, CallResult, Caller, Changes, Completion, Content, ContentBody, Credential, Event,
        Failure, Offer, Output, PromptRequest, Prompting, Read, Reading, ResourcePage, ServerInfo,
        Suggestions, TaskUse, Tool, ToolAnnotations,
    };

    pub(crate) trait Guest {
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

    impl<T: Guest> synchronous::Guest for T {
        type EventStream = NoStream;

        fn describe() -> Result<Offer, Failure> {
            at_once(<T as Guest>::describe())
        }

        fn call_tool(call: Call) -> Result<CallResult, Failure> {
            at_once(<T as Guest>::call_tool(call))
        }

        fn list_resources(caller: Caller, cursor: Option<String>) -> Result<ResourcePage, Failure> {
            at_once(<T as Guest>::list_resources(caller, cursor))
        }

        fn read_resource(read: Read) -> Result<Reading, Failure> {
            at_once(<T as Guest>::read_resource(read))
        }

        fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
            at_once(<T as Guest>::get_prompt(request))
        }

        fn complete(completion: Completion) -> Result<Suggestions, Failure> {
            at_once(<T as Guest>::complete(completion))
        }
    }

    /// Returns what a future brings that waits for nothing.
    fn at_once<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut task::Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => unreachable!("nothing in this component waits"),
        }
    }

    /// Every call is over at once.
    pub enum NoStream {}

    impl synchronous::GuestEventStream for NoStream {
        fn next(&self) -> Option<Event> {
            match *self {}
        }
    }
}

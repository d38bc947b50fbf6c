//! The component: `gatehouse:tools`, over a [`Server`].

use crate::bindings::contract::{
    Call, CallResult, Caller, Completion, Event, Failure, Guest, Offer, PromptRequest, Prompting,
    Read, Reading, ResourcePage, Suggestions,
};
use crate::bindings::wit_stream;
use crate::running::Step;
use crate::server::{RunningCall, Server, at_once, at_the_end};
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
    async fn describe() -> Result<Offer, Failure> {
        Ok(S::server().offer())
    }

    async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let mut call = S::server().begin(call)?;
        match call.next().await {
            Step::Ended(ended) => at_once(ended),
            Step::InputRequired(input_required) => Ok(CallResult::InputRequired(input_required)),
            Step::Event(first) => Ok(running(first, call)),
        }
    }

    async fn list_resources(
        _caller: Caller,
        _cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        S::server().resource_page()
    }

    async fn read_resource(read: Read) -> Result<Reading, Failure> {
        S::server().read(read).await
    }

    async fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        S::server().prompt(request).await
    }

    async fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        S::server().complete(completion).await
    }
}

/// Returns a call that has reported its first event.
fn running(first: Event, mut call: RunningCall) -> CallResult {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        let mut event = first;
        // A caller who no longer listens has cancelled the call.
        while writer.write_one(event).await.is_none() {
            event = match call.next().await {
                Step::Event(event) => event,
                Step::InputRequired(input_required) => Event::InputRequired(input_required),
                Step::Ended(ended) => match at_the_end(ended) {
                    Some(output) => Event::Done(output),
                    None => return,
                },
            };
            if matches!(event, Event::InputRequired(_) | Event::Done(_)) {
                writer.write_one(event).await;
                return;
            }
        }
    });
    CallResult::Running(reader)
}

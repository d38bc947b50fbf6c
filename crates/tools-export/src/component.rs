//! The component: `gatehouse:tools`, over a [`Provider`].

use crate::bindings::contract::{
    Call, CallResult, Caller, Completion, Event, Failure, Guest, Offer, PromptRequest, Prompting,
    Read, Reading, ResourcePage, Suggestions,
};
use crate::bindings::wit_stream;
use crate::provider::{Instance, Provider, provider};
use crate::steps::{Steps, logged};
use std::marker::PhantomData;

/// The component of a provider.
#[derive(Debug)]
pub struct Component<I>(PhantomData<I>);

impl<I: Instance> Guest for Component<I> {
    async fn describe() -> Result<Offer, Failure> {
        provider::<I>().await.describe().await
    }

    async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let mut steps = provider::<I>().await.call_tool(call).await?;
        Ok(match steps.next().await? {
            Event::Done(output) => CallResult::Done(output),
            Event::InputRequired(input_required) => CallResult::InputRequired(input_required),
            first => running(first, steps),
        })
    }

    async fn list_resources(
        caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        let provider = provider::<I>().await;
        provider.list_resources(caller, cursor).await
    }

    async fn read_resource(read: Read) -> Result<Reading, Failure> {
        provider::<I>().await.read_resource(read).await
    }

    async fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        provider::<I>().await.get_prompt(request).await
    }

    async fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        provider::<I>().await.complete(completion).await
    }
}

/// Returns a call that has reported its first event.
fn running(first: Event, mut steps: impl Steps) -> CallResult {
    let (mut writer, reader) = wit_stream::new();
    platform::spawn(async move {
        let mut event = first;
        loop {
            let is_last = matches!(event, Event::Done(_) | Event::InputRequired(_));
            // A caller who no longer listens has cancelled the call.
            if writer.write_one(event).await.is_some() || is_last {
                return;
            }
            match logged(steps.next().await) {
                Some(next) => event = next,
                None => return,
            }
        }
    });
    CallResult::Running(reader)
}

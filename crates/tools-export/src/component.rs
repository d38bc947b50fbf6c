//! The component: `gatehouse:tools`, over a [`Provider`].

use crate::bindings::contract::{
    Call, CallResult, Caller, Completion, Event, Failure, Guest, Offer, PromptRequest, Prompting,
    Read, Reading, ResourcePage, Suggestions,
};
use crate::bindings::wit_stream;
use crate::provider::{Instance, Provider, provider};
use crate::steps::{Steps, logged};
use futures::future::{Either, select};
use futures::poll;
use platform::time::sleep;
use platform::wit_bindgen::{StreamResult, StreamWriter};
use std::marker::PhantomData;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The component of a provider.
#[derive(Debug)]
pub struct Component<I>(PhantomData<I>);

impl<I: Instance> Guest for Component<I> {
    async fn describe() -> Result<Offer, Failure> {
        provider::<I>().await.describe().await
    }

    async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let mut steps = provider::<I>().await.call_tool(call).await?;
        let first = poll!(pin!(steps.next()));
        Ok(match first {
            Poll::Ready(Ok(Event::Done(output))) => CallResult::Done(output),
            Poll::Ready(Ok(Event::InputRequired(questions))) => {
                CallResult::InputRequired(questions)
            }
            Poll::Ready(Err(failure)) => return Err(failure),
            Poll::Ready(Ok(first)) => running(Some(first), steps),
            // A function that is cancelled before it returns ends at once, and what it spawned with it: the end of the
            // call could not be told to others. So it returns before it waits.
            Poll::Pending => running(None, steps),
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

/// How often a call that says nothing looks whether its caller is still there.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Returns a call that takes its time.
fn running(mut event: Option<Event>, mut steps: impl Steps) -> CallResult {
    let (mut writer, reader) = wit_stream::new();
    platform::spawn(async move {
        loop {
            if event.is_none() {
                event = next(&mut steps, &mut writer).await;
            }
            let Some(event) = event.take() else { return };
            let is_last = matches!(event, Event::Done(_) | Event::InputRequired(_));
            // A caller who no longer listens has cancelled the call.
            if writer.write_one(event).await.is_some() || is_last {
                return;
            }
        }
    });
    CallResult::Running(reader)
}

/// Waits for the next event; `None` if none comes, or the caller no longer listens.
async fn next(steps: &mut impl Steps, writer: &mut StreamWriter<Event>) -> Option<Event> {
    let mut step = pin!(steps.next());
    loop {
        let pause = pin!(sleep(LOOK_INTERVAL));
        if let Either::Left((step, _)) = select(step.as_mut(), pause).await {
            return logged(step);
        }
        // A write of nothing is answered as soon as the caller reads, or is gone.
        if let (StreamResult::Dropped, _) = writer.write(Vec::new()).await {
            return None;
        }
    }
}

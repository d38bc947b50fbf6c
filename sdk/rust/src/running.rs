//! A function that runs, step by step.

use crate::bindings::contract::{Event, InputRequired};
use crate::context::Context;
use crate::work::Work;
use std::future::poll_fn;
use std::task::Poll;

/// A function that runs. Dropping it cancels it.
pub(crate) struct Running<T> {
    work: Work<T>,
    context: Context,
    ended: Option<T>,
}

/// What a function comes to next.
pub(crate) enum Step<T> {
    /// It reports something, and goes on.
    Event(Event),
    /// It is over until the client has answered.
    InputRequired(InputRequired),
    /// It is over.
    Ended(T),
}

impl<T> Running<T> {
    /// Runs `work`, which was given this context.
    pub(crate) fn new(context: Context, work: Work<T>) -> Self {
        Self {
            work,
            context,
            ended: None,
        }
    }

    /// Waits for the next step. There is none after the last.
    pub(crate) async fn next(&mut self) -> Step<T> {
        poll_fn(|cx| {
            if self.ended.is_none()
                && let Poll::Ready(ended) = self.work.as_mut().poll(cx)
            {
                self.ended = Some(ended);
            }
            let channel = self.context.channel();
            if let Some(event) = channel.take_event() {
                return Poll::Ready(Step::Event(event));
            }
            if let Some(ended) = self.ended.take() {
                return Poll::Ready(Step::Ended(ended));
            }
            let questions = channel.take_questions();
            if !questions.is_empty() {
                let input_required = self.context.client.input_required(questions);
                return Poll::Ready(Step::InputRequired(input_required));
            }
            Poll::Pending
        })
        .await
    }

    /// Runs to the end, without the events.
    pub(crate) async fn finish(mut self) -> Result<T, InputRequired> {
        loop {
            match self.next().await {
                Step::Event(_) => {}
                Step::InputRequired(input_required) => return Err(input_required),
                Step::Ended(ended) => return Ok(ended),
            }
        }
    }
}

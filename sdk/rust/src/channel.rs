//! Events and requests to the client from a running function to the SDK, one at a time.

use crate::bindings::contract::{Event, InputRequest};
use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// The channel of a call. There is no second thread.
#[derive(Debug, Default)]
pub(crate) struct Channel(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    event: Option<Event>,
    sent: u64,
    taken: u64,
    waiting: Vec<Waker>,
    questions: Vec<InputRequest>,
}

impl Channel {
    /// Sends an event, and waits until it is taken: a function goes no faster than its client.
    pub(crate) async fn send(&self, event: Event) {
        let mut event = Some(event);
        let mut number = 0;
        poll_fn(|context| {
            let state = &mut *self.0.borrow_mut();
            if state.event.is_none() && event.is_some() {
                state.event = event.take();
                state.sent += 1;
                number = state.sent;
            }
            if event.is_none() && state.taken >= number {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes the event that was sent.
    pub(crate) fn take_event(&self) -> Option<Event> {
        let state = &mut *self.0.borrow_mut();
        let event = state.event.take()?;
        state.taken += 1;
        state.waiting.drain(..).for_each(Waker::wake);
        Some(event)
    }

    /// Asks, which ends the call.
    pub(crate) fn ask(&self, question: InputRequest) {
        self.0.borrow_mut().questions.push(question);
    }

    /// Takes the questions.
    pub(crate) fn take_questions(&self) -> Vec<InputRequest> {
        std::mem::take(&mut self.0.borrow_mut().questions)
    }
}

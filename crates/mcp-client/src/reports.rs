//! Events that a call reports while it runs.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use tools_export::Event;

/// The way from a call that runs to what polls it. It holds one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(Rc<RefCell<Option<Event>>>);

impl Reports {
    /// Reports an event, and waits until it is taken: a server goes no faster than the client reads.
    pub(crate) async fn send(&self, event: Event) {
        self.0.replace(Some(event));
        // The task that takes the event polls the call again.
        poll_fn(|_| match *self.0.borrow() {
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        })
        .await;
    }

    /// Takes the event that was reported.
    pub(crate) fn take(&self) -> Option<Event> {
        self.0.take()
    }
}

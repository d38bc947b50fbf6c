//! The event loop of this instance, which waits at `wasi:io/poll`.

use super::bindings::wasi::io::poll::{Pollable, poll};
use crate::event_loop::{Reactor, Spawned, run};
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

static SPAWNED: Spawned = Spawned::new();

static REACTOR: Mutex<Reactor<Pollable>> = Mutex::new(Reactor::new());

/// Runs `main`, and whatever is spawned meanwhile, until all are over.
///
/// For exports that are not asynchronous, once for each call.
pub fn block_on<F: Future>(main: F) -> F::Output {
    run(main, &SPAWNED, || {
        let Some(wakers) = reactor().wait(poll) else {
            return false;
        };
        wakers.into_iter().for_each(Waker::wake);
        true
    })
}

/// Lets `future` go on beside, and after, the request that began it.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    SPAWNED.push(Box::pin(future));
}

/// What a future waits for at the host. It has to be dropped before what it was subscribed to: WASI traps
/// where a parent goes before its child.
pub(crate) struct Subscription(usize);

impl Subscription {
    pub(crate) fn new(pollable: Pollable) -> Self {
        Self(reactor().add(pollable))
    }

    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        reactor().poll_ready(self.0, cx)
    }

    pub(crate) async fn ready(&self) {
        poll_fn(|cx| self.poll_ready(cx)).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        reactor().remove(self.0);
    }
}

fn reactor() -> MutexGuard<'static, Reactor<Pollable>> {
    REACTOR.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The event loop of an instance of WASI 0.2: one future at a time, which waits at `wasi:io/poll` for whatever of its
//! parts waits for the host.

use crate::platform_portable::wasi::io::poll::{Pollable, poll};
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

thread_local! {
    /// What is waited for, and who waits.
    static WAITING: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
}

struct Waiting {
    pollable: Arc<Pollable>,
    waker: Waker,
}

/// Runs a future to its end.
///
/// # Panics
///
/// If the future waits for what nothing can bring.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        if woken.0.swap(false, Relaxed)
            && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return output;
        }
        if !woken.0.load(Relaxed) {
            wait();
        }
    }
}

/// Waits until the host has something that a future waits for.
fn wait() {
    let waiting = WAITING.take();
    assert!(
        !waiting.is_empty(),
        "a function waits for what nothing can bring"
    );
    let pollables: Vec<&Pollable> = waiting.iter().map(|waiting| &*waiting.pollable).collect();
    let ready = poll(&pollables);
    for (number, waiting) in (0u32..).zip(waiting) {
        if ready.contains(&number) {
            waiting.waker.wake();
        } else {
            WAITING.with_borrow_mut(|others| others.push(waiting));
        }
    }
}

/// Waits for the host. The pollable is dropped before what it is a part of, as WASI wants it.
pub(crate) async fn ready(pollable: Pollable) {
    let waiting = Registered(Arc::new(pollable));
    poll_fn(|context| {
        if waiting.0.ready() {
            return Poll::Ready(());
        }
        waiting.forget();
        WAITING.with_borrow_mut(|others| {
            others.push(Waiting {
                pollable: Arc::clone(&waiting.0),
                waker: context.waker().clone(),
            });
        });
        Poll::Pending
    })
    .await;
}

struct Registered(Arc<Pollable>);

impl Registered {
    fn forget(&self) {
        WAITING.with_borrow_mut(|others| {
            others.retain(|waiting| !Arc::ptr_eq(&waiting.pollable, &self.0));
        });
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.forget();
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

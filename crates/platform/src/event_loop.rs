//! The event loop of an instance: one thread, the future that serves a request, and the futures that it spawns.
//!
//! Futures wait for subscriptions: what can be ready at the host (a stream, a timer), registered in a
//! [`Reactor`]. When no future can go on, the loop waits at the host for all subscriptions at once.

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Futures that were spawned and are not yet run.
pub(crate) struct Spawned(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Spawned {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn push(&self, future: BoxFuture<'static, ()>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(future);
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs `main`, and what was spawned meanwhile, until all are over. `wait` waits at the host and wakes; it
/// returns `false` if there is nothing to wait for. What was spawned and can never be woken then ends.
///
/// # Panics
///
/// If `main` waits for what nothing can bring.
pub(crate) fn run<F: Future>(
    main: F,
    spawned: &Spawned,
    mut wait: impl FnMut() -> bool,
) -> F::Output {
    let mut main = pin!(main);
    let mut output = None;
    let mut running = FuturesUnordered::new();
    let (main_woken, spawned_woken) = (Woken::new(), Woken::new());
    let (main_waker, spawned_waker) = (main_woken.waker(), spawned_woken.waker());
    loop {
        if output.is_none() && main_woken.take() {
            match main.as_mut().poll(&mut Context::from_waker(&main_waker)) {
                Poll::Ready(value) => output = Some(value),
                Poll::Pending => {}
            }
        }
        let new = spawned.take();
        let has_new = !new.is_empty();
        running.extend(new);
        if has_new || spawned_woken.take() {
            let mut cx = Context::from_waker(&spawned_waker);
            while let Poll::Ready(Some(())) = running.poll_next_unpin(&mut cx) {}
            continue;
        }
        if main_woken.is_set() && output.is_none() {
            continue;
        }
        if running.is_empty()
            && let Some(output) = output
        {
            return output;
        }
        if !wait() {
            return output.expect("a future waits for what nothing can bring");
        }
    }
}

/// Whether a future has to be polled.
struct Woken(AtomicBool);

impl Woken {
    /// At first it has to be.
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Relaxed)
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// The subscriptions of an instance. A future holds the number of its own.
pub(crate) struct Reactor<P> {
    subscriptions: Vec<Option<Subscription<P>>>,
}

struct Subscription<P> {
    pollable: P,
    state: State,
}

enum State {
    Idle,
    Awaited(Waker),
    Ready,
}

impl<P> Reactor<P> {
    pub(crate) const fn new() -> Self {
        Self {
            subscriptions: Vec::new(),
        }
    }

    /// Returns the number of the new subscription.
    pub(crate) fn add(&mut self, pollable: P) -> usize {
        let new = Some(Subscription {
            pollable,
            state: State::Idle,
        });
        match self.subscriptions.iter().position(Option::is_none) {
            Some(free) => {
                self.subscriptions[free] = new;
                free
            }
            None => {
                self.subscriptions.push(new);
                self.subscriptions.len() - 1
            }
        }
    }

    /// Returns what was subscribed to, for the caller to drop.
    pub(crate) fn remove(&mut self, number: usize) -> Option<P> {
        let removed = self.subscriptions.get_mut(number)?.take();
        removed.map(|subscription| subscription.pollable)
    }

    /// Ready once after each time that the host said so.
    pub(crate) fn poll_ready(&mut self, number: usize, cx: &Context<'_>) -> Poll<()> {
        let Some(Some(subscription)) = self.subscriptions.get_mut(number) else {
            return Poll::Ready(());
        };
        if matches!(subscription.state, State::Ready) {
            subscription.state = State::Idle;
            return Poll::Ready(());
        }
        subscription.state = State::Awaited(cx.waker().clone());
        Poll::Pending
    }

    /// Asks `host` which of the awaited pollables are ready, by their positions in the list, and returns the
    /// wakers of their futures; `None` if none is awaited.
    pub(crate) fn wait(&mut self, host: impl FnOnce(&[&P]) -> Vec<u32>) -> Option<Vec<Waker>> {
        let is_awaited =
            |subscription: &Subscription<P>| matches!(subscription.state, State::Awaited(_));
        let awaited: Vec<&P> = self
            .subscriptions
            .iter()
            .flatten()
            .filter(|subscription| is_awaited(subscription))
            .map(|subscription| &subscription.pollable)
            .collect();
        if awaited.is_empty() {
            return None;
        }
        let ready = host(&awaited);
        let subscriptions = self.subscriptions.iter_mut().flatten();
        let awaited = subscriptions.filter(|subscription| is_awaited(subscription));
        let mut wakers = Vec::with_capacity(ready.len());
        for (position, subscription) in (0..).zip(awaited) {
            if ready.contains(&position)
                && let State::Awaited(waker) =
                    std::mem::replace(&mut subscription.state, State::Ready)
            {
                wakers.push(waker);
            }
        }
        Some(wakers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::atomic::AtomicU32;

    /// A host whose pollables are moments; waiting moves its clock on.
    #[derive(Clone, Default)]
    struct Host {
        reactor: Arc<Mutex<Reactor<u32>>>,
        clock: Arc<AtomicU32>,
    }

    impl Default for Reactor<u32> {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Host {
        fn sleep(&self, seconds: u32) -> impl Future<Output = ()> + Send + use<> {
            let host = self.clone();
            async move {
                let moment = host.clock.load(Relaxed) + seconds;
                let number = host.reactor.lock().unwrap().add(moment);
                poll_fn(|cx| host.reactor.lock().unwrap().poll_ready(number, cx)).await;
                host.reactor.lock().unwrap().remove(number);
            }
        }

        fn wait(&self) -> bool {
            let wakers = self.reactor.lock().unwrap().wait(|moments| {
                let first = **moments.iter().min().unwrap();
                self.clock.fetch_max(first, Relaxed);
                let ready = (0..).zip(moments).filter(|(_, moment)| ***moment <= first);
                ready.map(|(position, _)| position).collect()
            });
            let Some(wakers) = wakers else { return false };
            wakers.into_iter().for_each(Waker::wake);
            true
        }

        fn now(&self) -> u32 {
            self.clock.load(Relaxed)
        }

        fn subscriptions(&self) -> usize {
            let reactor = self.reactor.lock().unwrap();
            reactor.subscriptions.iter().flatten().count()
        }
    }

    #[test]
    fn futures_wait_side_by_side() {
        let host = Host::default();
        let spawned = Spawned::new();
        let slept = futures::future::join3(host.sleep(5), host.sleep(3), host.sleep(4));
        run(slept, &spawned, || host.wait());
        assert_eq!((host.now(), host.subscriptions()), (5, 0));
    }

    #[test]
    fn what_is_spawned_runs_to_its_end_even_if_it_spawns_more() {
        let host = Host::default();
        let spawned = Arc::new(Spawned::new());
        let (inner, again) = (host.clone(), Arc::clone(&spawned));
        let main = async {
            let (outer, once_more) = (inner.clone(), Arc::clone(&again));
            again.push(Box::pin(async move {
                outer.sleep(7).await;
                let last = outer.clone();
                once_more.push(Box::pin(async move { last.sleep(2).await }));
            }));
            inner.sleep(1).await;
            inner.now()
        };
        assert_eq!(run(main, &spawned, || host.wait()), 1);
        assert_eq!((host.now(), host.subscriptions()), (9, 0));
    }

    #[test]
    fn a_future_is_woken_by_another_future() {
        let host = Host::default();
        let spawned = Spawned::new();
        let (sender, receiver) = futures::channel::oneshot::channel();
        let sleep = host.sleep(2);
        spawned.push(Box::pin(async move {
            sleep.await;
            sender.send("done").unwrap();
        }));
        assert_eq!(run(receiver, &spawned, || host.wait()), Ok("done"));
    }

    #[test]
    fn a_future_that_yields_is_polled_again() {
        let spawned = Spawned::new();
        let mut left = 3;
        let yields = poll_fn(|cx| {
            left -= 1;
            cx.waker().wake_by_ref();
            if left == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        run(yields, &spawned, || false);
    }

    #[test]
    fn what_is_spawned_and_can_never_be_woken_ends_with_the_rest() {
        let host = Host::default();
        let spawned = Spawned::new();
        spawned.push(Box::pin(std::future::pending()));
        run(host.sleep(1), &spawned, || host.wait());
    }

    #[test]
    fn a_subscription_is_ready_once_for_each_time_the_host_says_so() {
        let mut reactor = Reactor::new();
        let number = reactor.add('a');
        let cx = Context::from_waker(Waker::noop());
        assert_eq!(reactor.poll_ready(number, &cx), Poll::Pending);
        assert_eq!(reactor.wait(|_| vec![0]).unwrap().len(), 1);
        assert!(reactor.wait(|_| vec![0]).is_none());
        assert_eq!(reactor.poll_ready(number, &cx), Poll::Ready(()));
        assert_eq!(reactor.poll_ready(number, &cx), Poll::Pending);
        assert_eq!(reactor.remove(number), Some('a'));
        assert_eq!(reactor.add('b'), number);
    }
}

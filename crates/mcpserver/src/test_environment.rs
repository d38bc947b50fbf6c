//! An [`Environment`] for tests, of this crate and of others (feature `testing`): time passes when
//! every future waits.

use crate::Environment;
use futures::future::BoxFuture;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A clock that goes on by a millisecond whenever a sleeping future is polled in vain; spawned work runs under
/// [`TestEnvironment::run`].
#[derive(Clone)]
pub struct TestEnvironment(Arc<Inner>);

impl Default for TestEnvironment {
    fn default() -> Self {
        log_line::capture();
        Self(Arc::default())
    }
}

#[derive(Default)]
struct Inner {
    milliseconds: AtomicU64,
    drawn: AtomicU64,
    tasks: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl TestEnvironment {
    /// The second at which every test begins.
    pub const START: u64 = 1_000;

    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: u64) {
        self.0
            .milliseconds
            .fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Returns what this thread has logged since the environment was made.
    pub fn log_text(&self) -> String {
        log_line::captured()
    }

    /// Ends all spawned work where it stands, as the end of its process would.
    pub fn kill(&self) {
        lock(&self.0.tasks).clear();
    }

    /// How much spawned work has not come to its end.
    pub fn working(&self) -> usize {
        lock(&self.0.tasks).len()
    }

    /// Runs `main` to its end, and what it spawned for so long.
    ///
    /// # Panics
    ///
    /// If no future makes progress.
    pub fn run<F: Future>(&self, main: F) -> F::Output {
        let mut main = pin!(main);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..5_000_000 {
            if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
                return output;
            }
            let tasks = std::mem::take(&mut *lock(&self.0.tasks));
            for mut task in tasks {
                if task.as_mut().poll(&mut cx).is_pending() {
                    lock(&self.0.tasks).push(task);
                }
            }
        }
        panic!("no future makes progress");
    }
}

impl Environment for TestEnvironment {
    fn now(&self) -> u64 {
        Self::START + self.0.milliseconds.load(Ordering::Relaxed) / 1000
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.milliseconds.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let inner = Arc::clone(&self.0);
        let mut until = None;
        futures::future::poll_fn(move |cx| {
            let now = inner.milliseconds.load(Ordering::Relaxed);
            let until = *until.get_or_insert(now + duration.as_millis() as u64);
            if now >= until {
                return Poll::Ready(());
            }
            inner.milliseconds.fetch_add(1, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0.tasks).push(Box::pin(work));
    }

    fn random(&self) -> StdRng {
        StdRng::seed_from_u64(self.0.drawn.fetch_add(1, Ordering::Relaxed))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

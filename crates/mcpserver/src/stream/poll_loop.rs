//! Polling loops: read the store, keep the connection open, and stop when the grant or the client is gone.

use crate::context::Context;
use crate::http::grant_watch::{Authority, AuthorityCheck, GrantWatch};
use crate::{Environment, Parts};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use std::pin::Pin;
use std::time::Duration;
use store::ReadAhead;

/// What a look into the store found.
pub(crate) enum Polled<E> {
    /// Something, and there may be more.
    Found,
    /// Nothing.
    Nothing,
    /// The end.
    End(E),
}

/// What a [`poll_loop`] looks for.
pub(crate) trait Poll: Send {
    /// Why the loop ends.
    type End: Send;

    /// Returns the key that the next look reads first, which is read in one step with the grant then.
    fn next_key(&self) -> Option<String>;

    /// Reads the store once, unless it was read `ahead`, and passes on what is there.
    fn look(
        &mut self,
        ahead: &mut ReadAhead,
    ) -> impl Future<Output = Result<Polled<Self::End>, store::Error>> + Send;

    /// Keeps the connection open after a wait of this length without anything. Returns the end if the
    /// connection is closed.
    fn rest(
        &mut self,
        waited: Duration,
    ) -> impl Future<Output = Result<Option<Self::End>, store::Error>> + Send;

    /// Returns the end of a loop whose grant has ended.
    fn grant_ended(&self) -> Self::End;

    /// Decides whether an error of the store ends the loop. It does by default.
    ///
    /// # Errors
    ///
    /// The error, if it does.
    fn on_error(&self, error: store::Error) -> Result<(), store::Error> {
        Err(error)
    }
}

/// Polls the store until there is an end. `pace` returns the next wait, from the time without anything.
///
/// # Errors
///
/// The store's.
pub(crate) async fn poll_loop<P: Parts, L: Poll>(
    context: &Context<P>,
    grants: &GrantWatch<P>,
    authority: Authority,
    pace: fn(Duration) -> Duration,
    poll: &mut L,
) -> Result<L::End, store::Error> {
    let mut check = AuthorityCheck::new(authority);
    let mut idle = Duration::ZERO;
    let mut ahead = ReadAhead::default();
    loop {
        match poll.look(&mut std::mem::take(&mut ahead)).await {
            Ok(Polled::End(end)) => return Ok(end),
            Ok(Polled::Found) => {
                idle = Duration::ZERO;
                continue;
            }
            Ok(Polled::Nothing) => {}
            Err(error) => poll.on_error(error)?,
        }
        let wait = pace(idle);
        context.environment.sleep(wait).await;
        if let Some(end) = poll.rest(wait).await? {
            return Ok(end);
        }
        match check.is_valid(grants, wait, poll.next_key()).await {
            Ok((true, read)) => ahead = read,
            Ok((false, _)) => return Ok(poll.grant_ended()),
            Err(error) => poll.on_error(error)?,
        }
        idle += wait;
    }
}

/// What a [`watch_loop`] looks for while something runs.
pub(crate) trait Watch: Send {
    /// Checks once. Returns whether the work may go on.
    fn look(&mut self) -> impl Future<Output = bool> + Send;
}

/// Timer of a [`watch_loop`].
pub(crate) type Tick = BoxFuture<'static, ()>;

/// Waits for `work`, and looks at `watch` whenever `tick` is over, which then begins again with
/// `interval`. Returns `None` once the work may not go on.
pub(crate) async fn watch_loop<P: Parts, T>(
    context: &Context<P>,
    interval: Duration,
    tick: &mut Tick,
    mut work: Pin<&mut impl Future<Output = T>>,
    watch: &mut impl Watch,
) -> Option<T> {
    loop {
        if let Either::Left((done, _)) = select(work.as_mut(), &mut *tick).await {
            return Some(done);
        }
        *tick = context.environment.sleep(interval).boxed();
        if !watch.look().await {
            return None;
        }
    }
}

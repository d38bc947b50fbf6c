//! Calls whose clients get notifications as they happen (2025-11-25, Progress and Logging) and, in the
//! revisions with sessions, requests in between.

use crate::call::cancellation::Cancellations;
use crate::call::client_context::ClientContext;
use crate::call::client_requests::{ClientRequestError, ClientRequests, Rounds};
use crate::call::tool_call::{CallEnd, PreparedCall, RunningCall, Step, ToolCaller};
use crate::context::Context;
use crate::contract::tools::InputRequired;
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::{CHECK_INTERVAL, grant_ended};
use crate::stream::outbound::{ClientStream, Outbound};
use crate::stream::poll_loop::{Watch, watch_loop};
use crate::{Environment, Parts};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, ready, select};
use mcp::jsonrpc::{Id, Outcome, Reply};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

/// A call that runs, and what a next round of it needs.
pub(crate) struct StreamedCall<P: Parts> {
    id: Id,
    next: NextStep<P>,
    again: PreparedCall,
    authenticated: Authenticated,
    client: ClientContext,
    rounds: Rounds,
}

/// The next step of a call, and the call if there are more.
pub(crate) type NextStep<P> = BoxFuture<'static, (Option<RunningCall<P>>, Step)>;

/// The start of a call.
pub(crate) enum CallStart<P: Parts> {
    /// The call has ended.
    Done(Outcome),
    /// The call runs, and its client gets a stream.
    Running(Box<StreamedCall<P>>),
}

/// Calls that stream notifications to their clients.
pub(crate) struct StreamedCalls<P: Parts> {
    context: Arc<Context<P>>,
    caller: Arc<ToolCaller<P>>,
    client_requests: Arc<ClientRequests<P>>,
    cancellations: Arc<Cancellations<P>>,
    outbound: Arc<Outbound<P>>,
}

impl<P: Parts> StreamedCalls<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        caller: Arc<ToolCaller<P>>,
        client_requests: Arc<ClientRequests<P>>,
        cancellations: Arc<Cancellations<P>>,
        outbound: Arc<Outbound<P>>,
    ) -> Self {
        Self {
            context,
            caller,
            client_requests,
            cancellations,
            outbound,
        }
    }

    /// Makes a call, and waits up to [`CHECK_INTERVAL`] for its first step.
    pub(crate) async fn begin(
        &self,
        id: Id,
        call: PreparedCall,
        authenticated: Authenticated,
        client: ClientContext,
    ) -> CallStart<P> {
        let first = self.first_step(call.clone(), authenticated.clone());
        let next = match self.poll_within(first, CHECK_INTERVAL).await {
            Ok((_, Step::End(CallEnd::Done(outcome)))) => return CallStart::Done(outcome),
            Ok((_, Step::End(CallEnd::GrantEnded))) => return CallStart::Done(Err(grant_ended())),
            Ok(first) => ready(first).boxed(),
            Err(next) => next,
        };
        CallStart::Running(Box::new(StreamedCall {
            id,
            next,
            again: call,
            authenticated,
            client,
            rounds: Rounds::default(),
        }))
    }

    /// Makes a call, and returns its first step.
    pub(crate) fn first_step(
        &self,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> NextStep<P> {
        let caller = Arc::clone(&self.caller);
        async move {
            match caller.start(call, authenticated).await {
                Err(end) => (None, Step::End(end)),
                Ok(mut running) => {
                    let step = running.next().await;
                    (Some(running), step)
                }
            }
        }
        .boxed()
    }

    /// Returns the next step of a call.
    fn next_step(mut running: RunningCall<P>) -> NextStep<P> {
        async move {
            let step = running.next().await;
            (Some(running), step)
        }
        .boxed()
    }

    /// Waits up to `timeout` for the next step of a call.
    ///
    /// # Errors
    ///
    /// Returns the step that has not come.
    pub(crate) async fn poll_within(
        &self,
        mut next: NextStep<P>,
        timeout: Duration,
    ) -> Result<(Option<RunningCall<P>>, Step), NextStep<P>> {
        let timeout = pin!(self.context.environment.sleep(timeout));
        match select(&mut next, timeout).await {
            Either::Left((came, _)) => Ok(came),
            Either::Right(_) => Err(next),
        }
    }

    /// Runs a call until it ends, or the client is gone or has cancelled it.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut streamed: Box<StreamedCall<P>>,
        mut stream: ClientStream,
    ) {
        let outcome = loop {
            let StreamedCall {
                id, next, client, ..
            } = &mut *streamed;
            let end = self.forward_notifications(next, id, client, &mut stream);
            match end.await {
                None => return,
                Some(CallEnd::Done(outcome)) => break outcome,
                Some(CallEnd::GrantEnded) => break Err(grant_ended()),
                Some(CallEnd::InputRequired(questions)) => {
                    let asked = self.ask_again(&mut streamed, questions, &mut stream);
                    match asked.await {
                        Ok(next) => streamed.next = next,
                        Err(ClientRequestError::ClientGone) => return,
                        Err(ClientRequestError::Failed(error)) => break Err(error),
                    }
                }
            }
        };
        let StreamedCall { id, client, .. } = *streamed;
        let reply = Reply::new(id, outcome);
        self.outbound.finish(stream, &reply, client.revision).await;
    }

    /// Forwards the notifications of a call to its client. Returns the end of the call, or `None` once the
    /// client is gone or has cancelled it.
    pub(crate) async fn forward_notifications(
        &self,
        next: &mut NextStep<P>,
        id: &Id,
        client: &ClientContext,
        stream: &mut ClientStream,
    ) -> Option<CallEnd> {
        loop {
            match self.wait(next, id, client, stream).await? {
                (_, Step::End(end)) => return Some(end),
                (None, Step::Notification(_)) => return None,
                (Some(mut running), Step::Notification(text)) => {
                    // A client that does not read holds no call for longer than it may run.
                    let sending = pin!(self.outbound.send(stream, &text));
                    match select(sending, running.interruption()).await {
                        Either::Left((true, _)) => {}
                        Either::Left((false, _)) | Either::Right(_) => return None,
                    }
                    *next = Self::next_step(running);
                }
            }
        }
    }

    /// Waits for `next`, with keep-alives meanwhile. Returns `None` once the client is gone or has cancelled
    /// the call.
    async fn wait<T>(
        &self,
        next: &mut BoxFuture<'static, T>,
        id: &Id,
        client: &ClientContext,
        stream: &mut ClientStream,
    ) -> Option<T> {
        let mut tick = self.context.environment.sleep(CHECK_INTERVAL).boxed();
        let mut watch = ClientWatch {
            calls: self,
            id,
            client,
            stream,
        };
        let next = Pin::new(next);
        watch_loop(&self.context, CHECK_INTERVAL, &mut tick, next, &mut watch).await
    }

    async fn ask_again(
        &self,
        streamed: &mut StreamedCall<P>,
        questions: InputRequired,
        stream: &mut ClientStream,
    ) -> Result<NextStep<P>, ClientRequestError> {
        let StreamedCall {
            id,
            again,
            authenticated,
            client,
            rounds,
            ..
        } = streamed;
        let round = self
            .client_requests
            .send(questions, rounds, id, client, authenticated, stream)
            .await?;
        Ok(self.first_step(again.for_round(round), authenticated.clone()))
    }
}

/// The watch of a call's client.
struct ClientWatch<'a, P: Parts> {
    calls: &'a StreamedCalls<P>,
    id: &'a Id,
    client: &'a ClientContext,
    stream: &'a mut ClientStream,
}

impl<P: Parts> Watch for ClientWatch<'_, P> {
    async fn look(&mut self) -> bool {
        let StreamedCalls {
            cancellations,
            outbound,
            ..
        } = self.calls;
        !cancellations.is_given_up(self.id, self.client).await
            && outbound.keep_alive(self.stream, CHECK_INTERVAL).await
    }
}

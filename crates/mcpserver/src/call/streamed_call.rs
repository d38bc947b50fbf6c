//! Requests that take their time: what happens goes to the client as it happens, and in the revisions
//! with sessions what is asked is answered in between.

use crate::call::client_context::ClientContext;
use crate::call::client_requests::{Rounds, Unanswered};
use crate::call::tool_call::{CallEnd, PreparedCall, RunningCall, Step};
use crate::contract::tools::InputRequired;
use crate::http::authenticator::Authenticated;
use crate::http::grant_watch::{CHECK_INTERVAL, grant_ended};
use crate::protocol::methods::{MethodError, MethodResult};
use crate::stream::outbound::ClientStream;
use crate::{Environment, Parts, Server};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, ready, select};
use mcp::Error;
use mcp::jsonrpc::{Id, Outcome, Reply};
use serde_json::value::RawValue;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How often a call that takes its time looks whether it was given up.
pub(crate) const LOOK: Duration = CHECK_INTERVAL;

/// A call, and what it takes to make it again.
pub(crate) struct StreamedCall<P: Parts> {
    id: Id,
    /// The next thing that the call has to say.
    next: NextStep<P>,
    again: PreparedCall,
    authenticated: Authenticated,
    client: ClientContext,
    rounds: Rounds,
}

/// The next thing that a call has to say, and the call, if there is more to come.
pub(crate) type NextStep<P> = BoxFuture<'static, (Option<RunningCall<P>>, Step)>;

/// What came first of a call.
pub(crate) enum First<P: Parts> {
    /// Its outcome: there is nothing else.
    Done(Outcome),
    /// Something else, or nothing for a while.
    GoesOn(Box<StreamedCall<P>>),
}

impl<P: Parts> Server<P> {
    /// Makes a call, and waits for the first thing that happens, but not for long.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        id: Id,
        call: PreparedCall,
        authenticated: Authenticated,
        client: ClientContext,
    ) -> First<P> {
        let first = self.first_step(call.clone(), authenticated.clone());
        let next = match self.poll_within(first, LOOK).await {
            Ok((_, Step::End(CallEnd::Done(outcome)))) => return First::Done(outcome),
            Ok((_, Step::End(CallEnd::GrantEnded))) => return First::Done(Err(grant_ended())),
            Ok(first) => ready(first).boxed(),
            Err(next) => next,
        };
        First::GoesOn(Box::new(StreamedCall {
            id,
            next,
            again: call,
            authenticated,
            client,
            rounds: Rounds::default(),
        }))
    }

    /// Makes a call: what it says first.
    pub(crate) fn first_step(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> NextStep<P> {
        let server = Arc::clone(self);
        async move {
            match server.start_call(call, authenticated).await {
                Err(end) => (None, Step::End(end)),
                Ok(mut running) => {
                    let step = running.next(&server).await;
                    (Some(running), step)
                }
            }
        }
        .boxed()
    }

    /// What a call says next.
    fn next_step(self: &Arc<Self>, mut running: RunningCall<P>) -> NextStep<P> {
        let server = Arc::clone(self);
        async move {
            let step = running.next(&server).await;
            (Some(running), step)
        }
        .boxed()
    }

    /// Waits for what a call says next, but not for longer than `patience`.
    ///
    /// # Errors
    ///
    /// The same, still to be waited for.
    pub(crate) async fn poll_within(
        &self,
        mut next: NextStep<P>,
        patience: Duration,
    ) -> Result<(Option<RunningCall<P>>, Step), NextStep<P>> {
        let patience = pin!(self.context.environment.sleep(patience));
        match select(&mut next, patience).await {
            Either::Left((came, _)) => Ok(came),
            Either::Right(_) => Err(next),
        }
    }

    /// Goes on with a call until it is over, the client is gone, or has given it up.
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
                        Err(Unanswered::Gone) => return,
                        Err(Unanswered::Failed(error)) => break Err(error),
                    }
                }
            }
        };
        let StreamedCall { id, client, .. } = *streamed;
        let reply = Reply::new(id, outcome);
        self.finish(stream, &reply, client.revision).await;
    }

    /// Tells a client what a call has to say, up to what is no notification. `None` if nobody wants
    /// to know any more.
    pub(crate) async fn forward_notifications(
        self: &Arc<Self>,
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
                    let told = pin!(self.send(stream, &text));
                    match select(told, running.interruption()).await {
                        Either::Left((true, _)) => {}
                        Either::Left((false, _)) | Either::Right(_) => return None,
                    }
                    *next = self.next_step(running);
                }
            }
        }
    }

    /// Waits for `next`, and says meanwhile that this side lives; `None` if there is no use in it
    /// any more.
    async fn wait<T>(
        &self,
        next: &mut BoxFuture<'static, T>,
        id: &Id,
        client: &ClientContext,
        stream: &mut ClientStream,
    ) -> Option<T> {
        loop {
            let look = pin!(self.context.environment.sleep(LOOK));
            match select(&mut *next, look).await {
                Either::Left((came, _)) => return Some(came),
                Either::Right(_) => {}
            }
            if self.is_given_up(id, client).await || !self.keep_alive(stream, LOOK).await {
                return None;
            }
        }
    }

    async fn ask_again(
        self: &Arc<Self>,
        streamed: &mut StreamedCall<P>,
        questions: InputRequired,
        stream: &mut ClientStream,
    ) -> Result<NextStep<P>, Unanswered> {
        let StreamedCall {
            id,
            again,
            authenticated,
            client,
            rounds,
            ..
        } = streamed;
        let round = self
            .send_client_requests(questions, rounds, id, client, authenticated, stream)
            .await?;
        Ok(self.first_step(again.for_round(round), authenticated.clone()))
    }

    /// Goes on with a request that one result answers, once the client has answered `questions`.
    pub(crate) async fn run_request(
        self: Arc<Self>,
        request: Asking,
        mut questions: InputRequired,
        mut stream: ClientStream,
    ) {
        let Asking {
            id,
            method,
            params,
            authenticated,
            client,
        } = request;
        let capabilities = client.first_round().capabilities;
        let mut rounds = Rounds::default();
        let outcome = loop {
            let asked = self
                .send_client_requests(
                    questions,
                    &mut rounds,
                    &id,
                    &client,
                    &authenticated,
                    &mut stream,
                )
                .await;
            let round = match asked {
                Ok(round) => round,
                Err(Unanswered::Gone) => return,
                Err(Unanswered::Failed(error)) => break Err(error),
            };
            let params = params.as_deref();
            let answered = self
                .answer_request(&method, params, round, &authenticated, client.revision)
                .await;
            match answered {
                Ok(MethodResult::Result(result)) => break Ok(result),
                Ok(MethodResult::InputRequired(more)) => {
                    match self.askable(&method, &more, capabilities, client.revision) {
                        Ok(()) => questions = more,
                        Err(error) => break Err(error),
                    }
                }
                Err(MethodError::Error(error)) => break Err(error),
                Err(MethodError::Rejected(_)) => break Err(Error::internal()),
            }
        };
        let reply = Reply::new(id, outcome);
        self.finish(stream, &reply, client.revision).await;
    }
}

/// A request that one result answers, and what it takes to make it again.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) id: Id,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
    pub(crate) authenticated: Authenticated,
    pub(crate) client: ClientContext,
}

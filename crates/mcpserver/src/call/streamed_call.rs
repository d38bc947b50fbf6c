//! Requests that take their time: what happens goes to the client as it happens, and in the revisions
//! with sessions what is asked is answered in between.

use crate::call::client_context::ClientContext;
use crate::call::client_requests::{Rounds, Unanswered};
use crate::call::tool_call::{PreparedCall, RunningCall, Step};
use crate::contract::tools::InputRequired;
use crate::http::authenticator::Authenticated;
use crate::http::grant_watch::CHECK_INTERVAL;
use crate::protocol::methods::{MethodError, MethodResult};
use crate::stream::outbound::ClientStream;
use crate::{Environment, Parts, Server};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, ready, select};
use mcp::Error;
use mcp::jsonrpc::{self, Id};
use serde_json::value::RawValue;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How often a call that takes its time looks whether it was given up.
pub(crate) const LOOK: Duration = CHECK_INTERVAL;

/// A call, and what it takes to make it again.
pub(crate) struct StreamedCall<P: Parts> {
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
    /// Its response: there is nothing else.
    Response(String),
    /// Something else, or nothing for a while.
    GoesOn(Box<StreamedCall<P>>),
}

impl<P: Parts> Server<P> {
    /// Makes a call, and waits for the first thing that happens, but not for long.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
        client: ClientContext,
    ) -> First<P> {
        let first = self.first_step(call.clone(), authenticated.clone());
        let next = match self.poll_within(first, LOOK).await {
            Ok((_, Step::Response(text) | Step::Unable(text) | Step::Cancelled(text))) => {
                return First::Response(text);
            }
            Ok(first) => ready(first).boxed(),
            Err(next) => next,
        };
        First::GoesOn(Box::new(StreamedCall {
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
                Err(step) => (None, step),
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
        let id = streamed.again.id().clone();
        let last = loop {
            let StreamedCall { next, client, .. } = &mut *streamed;
            match self
                .forward_notifications(next, &id, client, &mut stream)
                .await
            {
                None => return,
                Some(
                    Step::Notification(text)
                    | Step::Response(text)
                    | Step::Unable(text)
                    | Step::Cancelled(text),
                ) => break text,
                Some(Step::InputRequired(questions)) => {
                    let asked = self.ask_again(&mut streamed, questions, &mut stream);
                    match asked.await {
                        Ok(next) => streamed.next = next,
                        Err(Unasked::Gone) => return,
                        Err(Unasked::Ended(text)) => break text,
                    }
                }
            }
        };
        self.finish(stream, &last).await;
    }

    /// Tells a client what a call has to say, up to what is no notification. `None` if nobody wants
    /// to know any more.
    pub(crate) async fn forward_notifications(
        self: &Arc<Self>,
        next: &mut NextStep<P>,
        id: &Id,
        client: &ClientContext,
        stream: &mut ClientStream,
    ) -> Option<Step> {
        loop {
            match self.wait(next, id, client, stream).await? {
                (Some(mut running), Step::Notification(text)) => {
                    // A client that does not read holds no call for longer than it may run.
                    let told = pin!(self.send(stream, &text));
                    match select(told, running.interruption()).await {
                        Either::Left((true, _)) => {}
                        Either::Left((false, _)) | Either::Right(_) => return None,
                    }
                    *next = self.next_step(running);
                }
                (_, step) => return Some(step),
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
    ) -> Result<NextStep<P>, Unasked> {
        let StreamedCall {
            again,
            authenticated,
            client,
            rounds,
            ..
        } = streamed;
        let round = self
            .send_client_requests(questions, rounds, again.id(), client, authenticated, stream)
            .await
            .map_err(|unanswered| Unasked::new(unanswered, again.id(), client))?;
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
        let last = loop {
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
                Err(unanswered) => match Unasked::new(unanswered, &id, &client) {
                    Unasked::Gone => return,
                    Unasked::Ended(text) => break text,
                },
            };
            let params = params.as_deref();
            let answered = self
                .answer_request(&method, params, round, &authenticated, client.revision)
                .await;
            let error = match answered {
                Ok(MethodResult::Result(result)) => break jsonrpc::response(&id, &result),
                Ok(MethodResult::InputRequired(more)) => {
                    match self.askable(&method, &more, capabilities, client.revision) {
                        Ok(()) => {
                            questions = more;
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Err(MethodError::Error(error)) => error,
                Err(MethodError::Rejected(_)) => Error::internal(),
            };
            break jsonrpc::error_response(Some(&id), &error, client.revision);
        };
        self.finish(stream, &last).await;
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

/// Why nothing was asked again.
enum Unasked {
    /// Nobody listens any more.
    Gone,
    /// The response.
    Ended(String),
}

impl Unasked {
    fn new(unanswered: Unanswered, id: &Id, client: &ClientContext) -> Self {
        match unanswered {
            Unanswered::Gone => Self::Gone,
            Unanswered::Failed(error) => {
                Self::Ended(jsonrpc::error_response(Some(id), &error, client.revision))
            }
        }
    }
}

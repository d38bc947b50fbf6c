//! Requests of the revisions with sessions that take their time: what happens goes to the client as
//! it happens, and what is asked is answered in between.

use crate::authentication::Authenticated;
use crate::calls::{PreparedCall, RunningCall, Step};
use crate::line::Line;
use crate::questions::{Rounds, Unanswered};
use crate::requests::{Answered, NotAnswered};
use crate::talk::Talk;
use crate::tools::InputRequired;
use crate::{Environment, Parts, Server};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use mcp::Error;
use mcp::jsonrpc::{self, Id};
use serde_json::value::RawValue;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How often a call that takes its time looks whether it was cancelled.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// A call, and what it takes to make it again.
pub(crate) struct Conversation<P: Parts> {
    /// The next thing that the call has to say.
    next: NextStep<P>,
    again: PreparedCall,
    authenticated: Authenticated,
    talk: Talk,
    rounds: Rounds,
}

type NextStep<P> = BoxFuture<'static, (RunningCall<P>, Step)>;

/// What came first of a call.
pub(crate) enum First<P: Parts> {
    /// Its response: there is nothing else.
    Response(String),
    /// Something else, or nothing for a while.
    GoesOn(Box<Conversation<P>>, Option<(RunningCall<P>, Step)>),
}

impl<P: Parts> Server<P> {
    /// Makes a call, and waits for the first thing that happens, but not for long.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
        talk: Talk,
    ) -> First<P> {
        let again = call.clone();
        let running = match self.start_call(call, authenticated.clone()).await {
            Ok(running) => running,
            Err(ended) => return First::Response(ended),
        };
        let mut next = self.next_step(running);
        let soon = pin!(self.environment.sleep(LOOK));
        let first = match select(&mut next, soon).await {
            Either::Left(((_, Step::Response(text) | Step::Unable(text)), _)) => {
                return First::Response(text);
            }
            Either::Left((first, _)) => Some(first),
            Either::Right(_) => None,
        };
        let conversation = Conversation {
            next,
            again,
            authenticated,
            talk,
            rounds: Rounds::default(),
        };
        First::GoesOn(Box::new(conversation), first)
    }

    fn next_step(self: &Arc<Self>, mut running: RunningCall<P>) -> NextStep<P> {
        let server = Arc::clone(self);
        async move {
            let step = running.next(&server).await;
            (running, step)
        }
        .boxed()
    }

    /// Goes on with a call until it is over, the client is gone, or it was cancelled.
    pub(crate) async fn converse(
        self: Arc<Self>,
        mut conversation: Box<Conversation<P>>,
        first: Option<(RunningCall<P>, Step)>,
        mut line: Line,
    ) {
        let mut came = first;
        loop {
            let (running, step) = match came.take() {
                Some(came) => came,
                None => {
                    let id = conversation.again.id().clone();
                    let next = &mut conversation.next;
                    match self.wait(next, &id, &conversation.talk, &mut line).await {
                        Some(came) => came,
                        None => return,
                    }
                }
            };
            let last = match step {
                Step::Notification(text) => {
                    if !self.tell(&mut line, &text).await {
                        return;
                    }
                    conversation.next = self.next_step(running);
                    continue;
                }
                Step::Response(text) | Step::Unable(text) => text,
                Step::InputRequired(questions) => {
                    drop(running);
                    match self
                        .ask_again(&mut conversation, questions, &mut line)
                        .await
                    {
                        Ok(running) => {
                            conversation.next = self.next_step(running);
                            continue;
                        }
                        Err(Unasked::Gone) => return,
                        Err(Unasked::Ended(text)) => text,
                    }
                }
            };
            self.finish(line, &last).await;
            return;
        }
    }

    /// Waits for `next`; `None` if there is no use in it any more.
    async fn wait<T>(
        &self,
        next: &mut BoxFuture<'static, T>,
        id: &Id,
        talk: &Talk,
        line: &mut Line,
    ) -> Option<T> {
        loop {
            let look = pin!(self.environment.sleep(LOOK));
            match select(&mut *next, look).await {
                Either::Left((came, _)) => return Some(came),
                Either::Right(_) => {}
            }
            if self.is_cancelled(id, talk).await || !self.rest_line(line, LOOK).await {
                return None;
            }
        }
    }

    async fn ask_again(
        &self,
        conversation: &mut Conversation<P>,
        questions: InputRequired,
        line: &mut Line,
    ) -> Result<RunningCall<P>, Unasked> {
        let Conversation {
            again,
            authenticated,
            talk,
            rounds,
            ..
        } = conversation;
        let round = self
            .put_questions(questions, rounds, again.id(), talk, authenticated, line)
            .await
            .map_err(|unanswered| Unasked::new(unanswered, again.id(), talk))?;
        self.start_call(again.for_round(round), authenticated.clone())
            .await
            .map_err(Unasked::Ended)
    }

    /// Goes on with a request that one result answers, once the client has answered `questions`.
    pub(crate) async fn converse_for_result(
        self: Arc<Self>,
        request: Asking,
        mut questions: InputRequired,
        mut line: Line,
    ) {
        let Asking {
            id,
            method,
            params,
            authenticated,
            talk,
        } = request;
        let mut rounds = Rounds::default();
        let last = loop {
            let asked = self
                .put_questions(
                    questions,
                    &mut rounds,
                    &id,
                    &talk,
                    &authenticated,
                    &mut line,
                )
                .await;
            let round = match asked {
                Ok(round) => round,
                Err(unanswered) => match Unasked::new(unanswered, &id, &talk) {
                    Unasked::Gone => return,
                    Unasked::Ended(text) => break text,
                },
            };
            let params = params.as_deref();
            let answered = self
                .answer_request(&method, params, round, &authenticated, talk.revision)
                .await;
            let error = match answered {
                Ok(Answered::Result(result)) => break jsonrpc::response(&id, &result),
                Ok(Answered::InputRequired(more)) => {
                    questions = more;
                    continue;
                }
                Err(NotAnswered::Error(error)) => error,
                Err(NotAnswered::Refused(_)) => Error::internal(),
            };
            break jsonrpc::error_response(Some(&id), &error, talk.revision);
        };
        self.finish(line, &last).await;
    }
}

/// A request that one result answers, and what it takes to make it again.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) id: Id,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
    pub(crate) authenticated: Authenticated,
    pub(crate) talk: Talk,
}

/// Why nothing was asked again.
enum Unasked {
    /// Nobody listens any more.
    Gone,
    /// The response.
    Ended(String),
}

impl Unasked {
    fn new(unanswered: Unanswered, id: &Id, talk: &Talk) -> Self {
        match unanswered {
            Unanswered::Gone => Self::Gone,
            Unanswered::Failed(error) => {
                Self::Ended(jsonrpc::error_response(Some(id), &error, talk.revision))
            }
        }
    }
}

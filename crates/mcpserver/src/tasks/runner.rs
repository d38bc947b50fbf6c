//! Running a task.

use super::record::{
    Answered, Asked, Asking, Beginning, EndKind, MOST_QUESTIONS, MOST_ROUNDS, PART, TaskId,
};
use super::{LIFETIME, POLL_INTERVAL, State};
use crate::call::tool_call::{PreparedCall, RunningCall, Step, TaskStep};
use crate::contract::tools::{Answer, InputRequired, Round, TaskUse};
use crate::http::authenticator::Authenticated;
use crate::http::grant_watch::{Authority, CHECK_INTERVAL};
use crate::{Environment, Parts, Server};
use futures::channel::oneshot;
use futures::future::{BoxFuture, Either, FutureExt, select};
use mcp::jsonrpc::Id;
use mcp::{CallParams, Error, ErrorCode, Revision, Task, TaskState};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

/// How long a call that may become a task has to come to its end before it becomes one.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often a runner looks whether its task was cancelled.
const TICK: Duration = CHECK_INTERVAL;

/// Ticks between two signs of life.
const BEAT: u32 = 10;

/// What a request is answered with whose call may become a task.
#[derive(Debug)]
pub(crate) enum First {
    /// The call is over: its response.
    Response(String),
    /// The response likewise: an error, as the client cannot be asked what the call takes.
    Unable(String),
    /// Questions come before the task.
    InputRequired(InputRequired),
    /// The result that hands out the task.
    Task(String),
    /// There is neither.
    Error(Error),
}

/// What the beginning of a call came to.
enum StartedCall<P: Parts> {
    Over(Step),
    /// It runs, and said this.
    Running(RunningCall<P>, Option<String>),
}

/// Keeps a task alive while it runs.
struct Heartbeat {
    tick: BoxFuture<'static, ()>,
    ticks: u32,
    message: Option<String>,
    is_told: bool,
    /// What the task was begun with, if its round was not: the call looks at its own.
    begun_with: Option<Authority>,
}

impl Heartbeat {
    fn say(&mut self, message: Option<String>) {
        if message.is_some() && message != self.message {
            self.message = message;
            self.is_told = false;
        }
    }
}

impl<P: Parts> Server<P> {
    /// Makes a call that may become a task, and runs the task. What the request is answered with
    /// goes to `first`: the first thing that happens decides. What ends soon, or asks before it
    /// does anything, is no task.
    pub(crate) async fn call_or_task(
        self: Arc<Self>,
        mut call: PreparedCall,
        authenticated: Authenticated,
        first: oneshot::Sender<First>,
    ) {
        let beginning = Beginning {
            tool: call.name().to_owned(),
            arguments: call.arguments().to_owned(),
            capabilities: call.capabilities(),
            scopes: call.scopes().to_vec(),
            authority: Some(authenticated.authority()),
            created_at: self.context.environment.now(),
        };
        let request = call.id().clone();
        let is_required = call.tasks() == TaskUse::Required;
        call.report_progress();
        let mut beginning_call = pin!(self.begin_call(call, authenticated.clone()));
        let patience = pin!(self.context.environment.sleep(PATIENCE));
        let begun = match select(beginning_call.as_mut(), patience).await {
            Either::Left((StartedCall::Over(step), _)) => {
                // Nobody may be waiting any more.
                let _ = first.send(self.first(step));
                return;
            }
            Either::Left((StartedCall::Running(running, message), _)) => Some((running, message)),
            Either::Right(_) => None,
        };
        let id = match self.new_task(&authenticated, &beginning).await {
            Ok(id) => id,
            Err(error) if is_required => {
                let _ = first.send(First::Error(error));
                return;
            }
            // The client waits for it after all.
            Err(_) => {
                let rest = pin!(self.rest(beginning_call, begun));
                let deadline = pin!(self.context.environment.sleep(self.call_timeout()));
                let over = match select(rest, deadline).await {
                    Either::Left((step, _)) => self.first(step),
                    Either::Right(_) => First::Error(Error::new(
                        ErrorCode::InternalError,
                        "The tool did not finish in time.",
                    )),
                };
                let _ = first.send(over);
                return;
            }
        };
        let created = Task {
            id: &id.shown,
            created_at: beginning.created_at,
            updated_at: beginning.created_at,
            ttl: LIFETIME * 1000,
            poll_interval: POLL_INTERVAL,
            message: None,
            state: TaskState::Working,
        };
        let created = created.to_created();
        let is_handed_out = created.is_ok_and(|created| first.send(First::Task(created)).is_ok());
        let step = if is_handed_out {
            self.run_round(&id, None, beginning_call, begun).await
        } else {
            // A task that nobody knows of ends before it is one.
            self.end_task(&id, EndKind::Cancelled, "").await;
            return;
        };
        self.go_on(&id, 0, step, &beginning, &request, &authenticated)
            .await;
    }

    /// Runs the round after `round`, whose questions are answered.
    pub(crate) async fn resume(
        self: Arc<Self>,
        id: TaskId,
        round: u32,
        beginning: Beginning,
        request: Id,
        authenticated: Authenticated,
        next: Round,
    ) {
        let step = self
            .run_again(&id, next, &beginning, &request, &authenticated)
            .await;
        self.go_on(&id, round + 1, step, &beginning, &request, &authenticated)
            .await;
    }

    /// Takes the answers to a task's questions, and runs on when there are all.
    ///
    /// # Errors
    ///
    /// The store's, or what is wrong with an answer.
    pub(crate) async fn answer_task(
        self: &Arc<Self>,
        id: &TaskId,
        view: super::View,
        given: &[(String, &str)],
        request: &Id,
        authenticated: Authenticated,
    ) -> Result<Result<(), Error>, store::Error> {
        let State::InputRequired { round, pending } = view.state else {
            return Ok(Ok(()));
        };
        let tasks = self.tasks();
        for (key, result) in given {
            // What is not asked is passed over (SEP-2663, Task Update Requests).
            let Some(asking) = pending.iter().find(|asking| asking.key == *key) else {
                continue;
            };
            if result.len() > PART {
                let error = format!("An answer has {PART} bytes at most.");
                return Ok(Err(Error::invalid_params(error)));
            }
            let answered = Answered {
                at: self.context.environment.now(),
                result: (*result).to_owned(),
            };
            tasks.answer(id, asking.number, &answered).await?;
        }
        let Some(asked) = tasks.asked(id, round).await? else {
            return Ok(Ok(()));
        };
        let (answers, pending) = tasks.answers(id, &asked).await?;
        if !pending.is_empty() {
            return Ok(Ok(()));
        }
        tasks.beat(id, None).await?;
        if !tasks.claim_round(id, round + 1).await? {
            return Ok(Ok(()));
        }
        let answers = asked.questions.into_iter().zip(answers);
        let next = Round {
            capabilities: view.beginning.capabilities,
            log_level: None,
            answers: answers
                .map(|(asking, answered)| Answer {
                    id: asking.id,
                    result: answered.result,
                })
                .collect(),
            state: asked.state,
        };
        let work = Arc::clone(self).resume(
            id.clone(),
            round,
            view.beginning,
            request.clone(),
            authenticated,
            next,
        );
        self.context.environment.spawn(work);
        Ok(Ok(()))
    }

    async fn new_task(
        &self,
        authenticated: &Authenticated,
        beginning: &Beginning,
    ) -> Result<TaskId, Error> {
        let refused = |text| Err(Error::new(ErrorCode::InternalError, text));
        if beginning.arguments.len() > PART {
            return refused("The arguments are larger than a task can carry.");
        }
        let begun = async {
            if !self.tasks().may_begin(&authenticated.person()).await? {
                return Ok(None);
            }
            self.tasks().begin(authenticated, beginning).await.map(Some)
        };
        match begun.await {
            Ok(Some(id)) => Ok(id),
            Ok(None) => refused("There are too many tasks of yours; try again later."),
            Err(error) => {
                self.task_error(&error);
                refused("The server cannot keep a task now; try again.")
            }
        }
    }

    async fn begin_call(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> StartedCall<P> {
        let lifetime = Duration::from_secs(LIFETIME);
        match self.start_call_within(call, authenticated, lifetime).await {
            Err(step) => StartedCall::Over(step),
            Ok(mut running) => match running.next_of_task(self).await {
                TaskStep::Over(step) => StartedCall::Over(step),
                TaskStep::Alive(message) => StartedCall::Running(running, message),
            },
        }
    }

    /// The end of a call that is no task.
    async fn rest(
        &self,
        beginning: Pin<&mut impl Future<Output = StartedCall<P>>>,
        begun: Option<(RunningCall<P>, Option<String>)>,
    ) -> Step {
        let mut running = match begun {
            Some((running, _)) => running,
            None => match beginning.await {
                StartedCall::Over(step) => return step,
                StartedCall::Running(running, _) => running,
            },
        };
        loop {
            if let TaskStep::Over(step) = running.next_of_task(self).await {
                return step;
            }
        }
    }

    /// Runs a round to its end; `None` when the task was ended in the meantime.
    async fn run_round(
        &self,
        id: &TaskId,
        begun_with: Option<Authority>,
        beginning: Pin<&mut impl Future<Output = StartedCall<P>>>,
        begun: Option<(RunningCall<P>, Option<String>)>,
    ) -> Option<Step> {
        let mut heartbeat = Heartbeat {
            tick: self.context.environment.sleep(TICK).boxed(),
            ticks: 0,
            message: None,
            is_told: true,
            begun_with,
        };
        let begun = match begun {
            Some((running, message)) => StartedCall::Running(running, message),
            None => self.kept_alive(id, &mut heartbeat, beginning).await?,
        };
        let mut running = match begun {
            StartedCall::Over(step) => return Some(step),
            StartedCall::Running(running, message) => {
                heartbeat.say(message);
                running
            }
        };
        loop {
            let next = pin!(running.next_of_task(self));
            match self.kept_alive(id, &mut heartbeat, next).await? {
                TaskStep::Alive(message) => heartbeat.say(message),
                TaskStep::Over(step) => return Some(step),
            }
        }
    }

    async fn run_again(
        self: &Arc<Self>,
        id: &TaskId,
        next: Round,
        beginning: &Beginning,
        request: &Id,
        authenticated: &Authenticated,
    ) -> Option<Step> {
        let params = CallParams {
            name: beginning.tool.as_str().into(),
            arguments: &beginning.arguments,
            progress_token: None,
            traceparent: None,
        };
        let prepared = self
            .prepare_call(
                request.clone(),
                Ok(params),
                authenticated,
                Revision::NEWEST,
                next,
                false,
            )
            .await;
        let mut call = match prepared {
            Ok(Ok(call)) => call,
            Ok(Err(ended)) => return Some(Step::Response(ended)),
            Err(_) => {
                let error = Error::new(ErrorCode::InvalidRequest, "The token lacks a scope.");
                let text = mcp::jsonrpc::error_response(Some(request), &error, Revision::NEWEST);
                return Some(Step::Response(text));
            }
        };
        call.report_progress();
        let begun = pin!(self.begin_call(call, authenticated.clone()));
        let own = authenticated.authority();
        let begun_with = beginning.authority.clone();
        let begun_with = begun_with.filter(|authority| *authority != own);
        self.run_round(id, begun_with, begun, None).await
    }

    /// Settles what a round came to, and runs those that ask nothing of anybody.
    async fn go_on(
        self: &Arc<Self>,
        id: &TaskId,
        mut round: u32,
        mut step: Option<Step>,
        beginning: &Beginning,
        request: &Id,
        authenticated: &Authenticated,
    ) {
        loop {
            let questions = match step {
                // Whoever ended it has said so.
                None | Some(Step::Notification(_)) => return,
                Some(Step::Cancelled(_)) => {
                    return self.end_task(id, EndKind::Cancelled, "").await;
                }
                Some(Step::Response(text) | Step::Unable(text)) => {
                    let (kind, content) = outcome(&text);
                    return self.end_task(id, kind, content).await;
                }
                Some(Step::InputRequired(questions)) => questions,
            };
            let asks = !questions.requests.is_empty();
            let next = Round {
                capabilities: beginning.capabilities,
                state: questions.state.clone(),
                ..Round::default()
            };
            match self.ask_of_task(id, round, questions).await {
                Err(error) => return self.task_error(&error),
                Ok(Err(what)) => {
                    self.context
                        .environment
                        .log(&format!("mcp: a task of {}: {what}", beginning.tool));
                    let error = serde_json::to_string(&Error::internal()).unwrap_or_default();
                    return self.end_task(id, EndKind::Failed, &error).await;
                }
                Ok(Ok(())) if asks => return,
                Ok(Ok(())) => {}
            }
            round += 1;
            match self.tasks().claim_round(id, round).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.task_error(&error),
            }
            step = self
                .run_again(id, next, beginning, request, authenticated)
                .await;
        }
    }

    /// Writes down the questions of a round; what is wrong with them, for the log.
    async fn ask_of_task(
        &self,
        id: &TaskId,
        round: u32,
        questions: InputRequired,
    ) -> Result<Result<(), &'static str>, store::Error> {
        if round + 1 >= MOST_ROUNDS {
            return Ok(Err("it asks too often"));
        }
        let tasks = self.tasks();
        let mut keys: Vec<String> = Vec::new();
        for earlier in 0..round {
            let asked = tasks.asked(id, earlier).await?;
            keys.extend(
                asked
                    .into_iter()
                    .flat_map(|asked| asked.questions)
                    .map(|one| one.key),
            );
        }
        if keys.len() + questions.requests.len() > MOST_QUESTIONS {
            return Ok(Err("it asks too much"));
        }
        let mut asking = Vec::with_capacity(questions.requests.len());
        for request in questions.requests {
            // None is used twice in the life of a task (SEP-2663, Task Update Requests).
            let mut key = request.id.clone();
            let mut count = 1;
            while keys.contains(&key) {
                count += 1;
                key = format!("{}-{count}", request.id);
            }
            asking.push(Asking {
                number: u32::try_from(keys.len()).unwrap_or(u32::MAX),
                key: key.clone(),
                id: request.id,
                method: request.method,
                params: request.params,
            });
            keys.push(key);
        }
        let asked = Asked {
            at: self.context.environment.now(),
            state: questions.state,
            questions: asking,
        };
        if serde_json::to_vec(&asked).map_or(0, |bytes| bytes.len()) > PART {
            return Ok(Err("its questions and its state are too large"));
        }
        // A task that asks nobody goes on at once, and lives.
        if asked.questions.is_empty() {
            tasks.beat(id, None).await?;
        }
        tasks.ask(id, round, &asked).await.map(Ok)
    }

    /// Waits for `work`, and says meanwhile that the task lives; `None` when it was ended.
    async fn kept_alive<T>(
        &self,
        id: &TaskId,
        heartbeat: &mut Heartbeat,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        loop {
            if let Either::Left((done, _)) = select(work.as_mut(), &mut heartbeat.tick).await {
                return Some(done);
            }
            heartbeat.tick = self.context.environment.sleep(TICK).boxed();
            heartbeat.ticks += 1;
            match self.tasks().is_ending(id).await {
                Ok(true) => return None,
                Ok(false) => {}
                Err(error) => self.task_error(&error),
            }
            if let Some(authority) = &heartbeat.begun_with {
                match self.grants.is_valid(authority).await {
                    Ok(true) => {}
                    Ok(false) => {
                        self.end_task(id, EndKind::Cancelled, "").await;
                        return None;
                    }
                    Err(error) => self.task_error(&error),
                }
            }
            if heartbeat.ticks.is_multiple_of(BEAT) || !heartbeat.is_told {
                heartbeat.is_told = true;
                if let Err(error) = self.tasks().beat(id, heartbeat.message.as_deref()).await {
                    self.task_error(&error);
                }
            }
        }
    }

    async fn end_task(&self, id: &TaskId, kind: EndKind, content: &str) {
        if let Err(error) = self.tasks().end(id, kind, content).await {
            self.task_error(&error);
        }
    }

    fn task_error(&self, error: &store::Error) {
        self.context
            .environment
            .log(&format!("mcp: a task: {error}"));
    }

    fn first(&self, step: Step) -> First {
        match step {
            Step::Response(text) | Step::Cancelled(text) => First::Response(text),
            Step::Unable(text) => First::Unable(text),
            Step::InputRequired(questions) => First::InputRequired(questions),
            Step::Notification(_) => First::Error(Error::internal()),
        }
    }
}

/// What a response comes to.
fn outcome(response: &str) -> (EndKind, &str) {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    match serde_json::from_str(response) {
        Ok(Response {
            result: Some(result),
            ..
        }) => (EndKind::Completed, result.get()),
        Ok(Response {
            error: Some(error), ..
        }) => (EndKind::Failed, error.get()),
        _ => (
            EndKind::Failed,
            r#"{"code":-32603,"message":"The server failed."}"#,
        ),
    }
}

//! The runner of tasks (SEP-2663): one instance runs one round of one task.

use super::record::{
    Answered, Asked, Asking, Beginning, EndKind, MAX_INPUT_REQUESTS, MAX_ROUNDS, TaskId,
};
use super::{POLL_INTERVAL, State, TASK_TTL, Tasks};
use crate::call::tool_call::{
    CallEnd, NotPrepared, PreparedCall, RunningCall, TaskStep, ToolCaller,
};
use crate::contract::tools::{Answer, InputRequired, Round, TaskUse};
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::{Authority, CHECK_INTERVAL, GrantWatch, grant_ended};

use crate::context::Context;
use crate::http::rejection::Rejection;
use crate::protocol::methods::{MethodError, Methods};
use crate::stream::poll_loop::{Tick, Watch, watch_loop};
use crate::{Environment, Parts};
use futures::channel::oneshot;
use futures::future::{Either, FutureExt, select};
use mcp::jsonrpc::Outcome;
use mcp::{CallParams, Error, ErrorCode, Revision, Task, TaskState};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use store::MAX_SEALED_BYTES;

/// The time within which a call that may become a task ends as a plain call.
const PLAIN_CALL_TIMEOUT: Duration = Duration::from_millis(250);

/// Looks at a task between two heartbeats of its runner.
const LOOKS_PER_BEAT: u32 = 10;

/// What a request is answered with whose call may become a task.
#[derive(Debug)]
pub(crate) enum First {
    /// The outcome of the call, or the result that hands out the task.
    Done(Outcome),
    /// Questions come before the task.
    InputRequired(InputRequired),
}

impl From<CallEnd> for First {
    fn from(end: CallEnd) -> Self {
        match end {
            CallEnd::Done(outcome) => Self::Done(outcome),
            CallEnd::InputRequired(questions) => Self::InputRequired(questions),
            CallEnd::GrantEnded => Self::Done(Err(grant_ended())),
        }
    }
}

/// What the beginning of a call came to.
enum StartedCall<P: Parts> {
    Ended(CallEnd),
    /// It runs, and said this.
    Running(RunningCall<P>, Option<String>),
}

/// Why a task does not ask its client.
enum NotAsked {
    /// What is wrong with the questions, for the log.
    Unsupported(&'static str),
    Store(store::Error),
}

impl From<store::Error> for NotAsked {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// What keeps a task alive while it runs.
struct Heartbeat {
    tick: Tick,
    pulse: Pulse,
}

/// What a running task says of itself.
struct Pulse {
    looks: u32,
    message: Option<String>,
    is_told: bool,
    /// What the task was begun with, if its round was not: the call looks at its own.
    begun_with: Option<Authority>,
}

impl Pulse {
    fn say(&mut self, message: Option<String>) {
        if message.is_some() && message != self.message {
            self.message = message;
            self.is_told = false;
        }
    }
}

/// The tasks that this instance runs.
pub(crate) struct TaskRunner<P: Parts> {
    context: Arc<Context<P>>,
    tasks: Arc<Tasks<P>>,
    grants: Arc<GrantWatch<P>>,
    methods: Arc<Methods<P>>,
    caller: Arc<ToolCaller<P>>,
}

impl<P: Parts> TaskRunner<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        tasks: Arc<Tasks<P>>,
        grants: Arc<GrantWatch<P>>,
        methods: Arc<Methods<P>>,
        caller: Arc<ToolCaller<P>>,
    ) -> Self {
        Self {
            context,
            tasks,
            grants,
            methods,
            caller,
        }
    }

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
        let is_required = call.tasks() == TaskUse::Required;
        call.report_progress();
        let mut beginning_call = pin!(self.begin_call(call, authenticated.clone()));
        let patience = pin!(self.context.environment.sleep(PLAIN_CALL_TIMEOUT));
        let begun = match select(beginning_call.as_mut(), patience).await {
            Either::Left((StartedCall::Ended(end), _)) => {
                // The request may have ended.
                let _ = first.send(end.into());
                return;
            }
            Either::Left((StartedCall::Running(running, message), _)) => Some((running, message)),
            Either::Right(_) => None,
        };
        let id = match self.new_task(&authenticated, &beginning).await {
            Ok(id) => id,
            Err(error) if is_required => {
                let _ = first.send(First::Done(Err(error)));
                return;
            }
            // The client waits for it after all.
            Err(_) => {
                let rest = pin!(self.rest(beginning_call, begun));
                let deadline = pin!(self.context.environment.sleep(self.context.call_timeout()));
                let over = match select(rest, deadline).await {
                    Either::Left((end, _)) => end.into(),
                    Either::Right(_) => First::Done(Err(Error::new(
                        ErrorCode::InternalError,
                        "The tool did not finish in time.",
                    ))),
                };
                let _ = first.send(over);
                return;
            }
        };
        let created = Task {
            id: &id.shown,
            created_at: beginning.created_at,
            updated_at: beginning.created_at,
            ttl: TASK_TTL * 1000,
            poll_interval: POLL_INTERVAL,
            message: None,
            state: TaskState::Working,
        };
        let created = created.to_created(&self.context.envelope(Revision::NEWEST));
        let is_handed_out =
            created.is_ok_and(|created| first.send(First::Done(Ok(created))).is_ok());
        let end = if is_handed_out {
            self.run_round(&id, None, beginning_call, begun).await
        } else {
            // No client knows of this task: it ends before it is one.
            self.end_task(&id, EndKind::Cancelled, "").await;
            return;
        };
        self.go_on(&id, 0, end, &beginning, &authenticated).await;
    }

    /// Runs the round after `round`, whose questions are answered.
    pub(crate) async fn resume(
        self: Arc<Self>,
        id: TaskId,
        round: u32,
        beginning: Beginning,
        authenticated: Authenticated,
        next: Round,
    ) {
        let end = self.run_again(&id, next, &beginning, &authenticated).await;
        self.go_on(&id, round + 1, end, &beginning, &authenticated)
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
        authenticated: Authenticated,
    ) -> Result<(), MethodError> {
        let unavailable =
            |error: store::Error| MethodError::from(Rejection::unavailable(&self.context, &error));
        let State::InputRequired { round, pending } = view.state else {
            return Ok(());
        };
        let tasks = &self.tasks.records;
        for (key, result) in given {
            // What is not asked is passed over (SEP-2663, Task Update Requests).
            let Some(asking) = pending.iter().find(|asking| asking.key == *key) else {
                continue;
            };
            if result.len() > MAX_SEALED_BYTES {
                let error = format!("An answer has {MAX_SEALED_BYTES} bytes at most.");
                return Err(Error::invalid_params(error).into());
            }
            let answered = Answered {
                at: self.context.environment.now(),
                result: (*result).to_owned(),
            };
            tasks
                .answer(id, asking.number, &answered)
                .await
                .map_err(unavailable)?;
        }
        let Some((asked, answers)) = self.claim_answered(id, round).await.map_err(unavailable)?
        else {
            return Ok(());
        };
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
        let work = Arc::clone(self).resume(id.clone(), round, view.beginning, authenticated, next);
        self.context.environment.spawn(work);
        Ok(())
    }

    /// Returns the questions of a round and their answers, if there are all, and if this instance is
    /// the one to run the next round.
    async fn claim_answered(
        &self,
        id: &TaskId,
        round: u32,
    ) -> Result<Option<(Asked, Vec<Answered>)>, store::Error> {
        let tasks = &self.tasks.records;
        let Some(asked) = tasks.asked(id, round).await? else {
            return Ok(None);
        };
        let (answers, pending) = self.tasks.answers(id, &asked).await?;
        if !pending.is_empty() {
            return Ok(None);
        }
        tasks.beat(id, None).await?;
        let is_claimed = tasks.claim_round(id, round + 1).await?;
        Ok(is_claimed.then_some((asked, answers)))
    }

    async fn new_task(
        &self,
        authenticated: &Authenticated,
        beginning: &Beginning,
    ) -> Result<TaskId, Error> {
        let refused = |text| Err(Error::new(ErrorCode::InternalError, text));
        if beginning.arguments.len() > MAX_SEALED_BYTES {
            return refused("The arguments are larger than a task can carry.");
        }
        let begun = async {
            if !self
                .tasks
                .records
                .may_begin(&authenticated.person())
                .await?
            {
                return Ok(None);
            }
            self.tasks
                .records
                .begin(authenticated, beginning)
                .await
                .map(Some)
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
        let lifetime = Duration::from_secs(TASK_TTL);
        match self
            .caller
            .start_within(call, authenticated, lifetime)
            .await
        {
            Err(end) => StartedCall::Ended(end),
            Ok(mut running) => match running.next_of_task().await {
                TaskStep::End(end) => StartedCall::Ended(end),
                TaskStep::Alive(message) => StartedCall::Running(running, message),
            },
        }
    }

    /// The end of a call that is no task.
    async fn rest(
        &self,
        beginning: Pin<&mut impl Future<Output = StartedCall<P>>>,
        begun: Option<(RunningCall<P>, Option<String>)>,
    ) -> CallEnd {
        let mut running = match begun {
            Some((running, _)) => running,
            None => match beginning.await {
                StartedCall::Ended(end) => return end,
                StartedCall::Running(running, _) => running,
            },
        };
        loop {
            if let TaskStep::End(end) = running.next_of_task().await {
                return end;
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
    ) -> Option<CallEnd> {
        let mut heartbeat = Heartbeat {
            tick: self.context.environment.sleep(CHECK_INTERVAL).boxed(),
            pulse: Pulse {
                looks: 0,
                message: None,
                is_told: true,
                begun_with,
            },
        };
        let begun = match begun {
            Some((running, message)) => StartedCall::Running(running, message),
            None => self.kept_alive(id, &mut heartbeat, beginning).await?,
        };
        let mut running = match begun {
            StartedCall::Ended(end) => return Some(end),
            StartedCall::Running(running, message) => {
                heartbeat.pulse.say(message);
                running
            }
        };
        loop {
            let next = pin!(running.next_of_task());
            match self.kept_alive(id, &mut heartbeat, next).await? {
                TaskStep::Alive(message) => heartbeat.pulse.say(message),
                TaskStep::End(end) => return Some(end),
            }
        }
    }

    async fn run_again(
        self: &Arc<Self>,
        id: &TaskId,
        next: Round,
        beginning: &Beginning,
        authenticated: &Authenticated,
    ) -> Option<CallEnd> {
        let params = CallParams {
            name: beginning.tool.as_str().into(),
            arguments: &beginning.arguments,
            progress_token: None,
            traceparent: None,
        };
        let prepared = self
            .methods
            .prepare_call(params, authenticated, Revision::NEWEST, next, false)
            .await;
        let mut call = match prepared {
            Ok(call) => call,
            Err(NotPrepared::Done(outcome)) => return Some(CallEnd::Done(outcome)),
            Err(NotPrepared::Rejected(_)) => {
                let error = Error::new(ErrorCode::InvalidRequest, "The token lacks a scope.");
                return Some(CallEnd::Done(Err(error)));
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
        mut end: Option<CallEnd>,
        beginning: &Beginning,
        authenticated: &Authenticated,
    ) {
        loop {
            let questions = match end {
                // The store already says how it ended.
                None => return,
                Some(CallEnd::GrantEnded) => {
                    return self.end_task(id, EndKind::Cancelled, "").await;
                }
                Some(CallEnd::Done(Ok(result))) => {
                    return self.end_task(id, EndKind::Completed, &result).await;
                }
                Some(CallEnd::Done(Err(error))) => return self.fail_task(id, &error).await,
                Some(CallEnd::InputRequired(questions)) => questions,
            };
            let asks = !questions.requests.is_empty();
            let next = Round {
                capabilities: beginning.capabilities,
                state: questions.state.clone(),
                ..Round::default()
            };
            match self.ask_of_task(id, round, questions).await {
                Err(NotAsked::Store(error)) => return self.task_error(&error),
                Err(NotAsked::Unsupported(what)) => {
                    self.context
                        .environment
                        .log(&format!("mcp: a task of {}: {what}", beginning.tool));
                    return self.fail_task(id, &Error::internal()).await;
                }
                Ok(()) if asks => return,
                Ok(()) => {}
            }
            round += 1;
            match self.tasks.records.claim_round(id, round).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.task_error(&error),
            }
            end = self.run_again(id, next, beginning, authenticated).await;
        }
    }

    /// Writes down the questions of a round; what is wrong with them, for the log.
    async fn ask_of_task(
        &self,
        id: &TaskId,
        round: u32,
        questions: InputRequired,
    ) -> Result<(), NotAsked> {
        if round + 1 >= MAX_ROUNDS {
            return Err(NotAsked::Unsupported("it asks too often"));
        }
        let tasks = &self.tasks.records;
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
        if keys.len() + questions.requests.len() > MAX_INPUT_REQUESTS {
            return Err(NotAsked::Unsupported("it asks too much"));
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
        if serde_json::to_vec(&asked).map_or(0, |bytes| bytes.len()) > MAX_SEALED_BYTES {
            let what = "its questions and its state are too large";
            return Err(NotAsked::Unsupported(what));
        }
        // A task that asks no client goes on at once, and lives.
        if asked.questions.is_empty() {
            tasks.beat(id, None).await?;
        }
        Ok(tasks.ask(id, round, &asked).await?)
    }

    /// Waits for `work`, and says meanwhile that the task lives; `None` when it was ended.
    async fn kept_alive<T>(
        &self,
        id: &TaskId,
        heartbeat: &mut Heartbeat,
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let Heartbeat { tick, pulse } = heartbeat;
        let mut watch = TaskWatch {
            runner: self,
            id,
            pulse,
        };
        watch_loop(&self.context, CHECK_INTERVAL, tick, work, &mut watch).await
    }

    async fn end_task(&self, id: &TaskId, kind: EndKind, content: &str) {
        if let Err(error) = self.tasks.records.end(id, kind, content).await {
            self.task_error(&error);
        }
    }

    async fn fail_task(&self, id: &TaskId, error: &Error) {
        let error = serde_json::to_string(error).unwrap_or_default();
        self.end_task(id, EndKind::Failed, &error).await;
    }

    fn task_error(&self, error: &store::Error) {
        self.context
            .environment
            .log(&format!("mcp: a task: {error}"));
    }
}

/// A task that runs.
struct TaskWatch<'a, P: Parts> {
    runner: &'a TaskRunner<P>,
    id: &'a TaskId,
    pulse: &'a mut Pulse,
}

impl<P: Parts> Watch for TaskWatch<'_, P> {
    async fn look(&mut self) -> bool {
        let Self { runner, id, pulse } = self;
        let records = &runner.tasks.records;
        pulse.looks += 1;
        match records.is_ending(id).await {
            Ok(true) => return false,
            Ok(false) => {}
            Err(error) => runner.task_error(&error),
        }
        if let Some(authority) = &pulse.begun_with {
            match runner.grants.is_valid(authority).await {
                Ok(true) => {}
                Ok(false) => {
                    runner.end_task(id, EndKind::Cancelled, "").await;
                    return false;
                }
                Err(error) => runner.task_error(&error),
            }
        }
        if pulse.looks.is_multiple_of(LOOKS_PER_BEAT) || !pulse.is_told {
            pulse.is_told = true;
            if let Err(error) = records.beat(id, pulse.message.as_deref()).await {
                runner.task_error(&error);
            }
        }
        true
    }
}

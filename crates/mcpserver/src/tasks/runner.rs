//! The runner of tasks (SEP-2663): one instance runs one round of one task.

use super::record::{
    EndKind, MAX_INPUT_REQUESTS, MAX_ROUNDS, RoundEnd, TaskId, TaskInputRequest, TaskInputResponse,
    TaskRequest,
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

/// Checks of a task from one heartbeat to the next: each takes [`CHECK_INTERVAL`].
const CHECKS_PER_HEARTBEAT: u32 = 10;

/// The result of a call that may become a task.
#[derive(Debug)]
pub(crate) enum TaskCallResult {
    /// The outcome of the call, or a `CreateTaskResult`.
    Done(Outcome),
    /// The call needs input before it becomes a task.
    InputRequired(InputRequired),
}

impl From<CallEnd> for TaskCallResult {
    fn from(end: CallEnd) -> Self {
        match end {
            CallEnd::Done(outcome) => Self::Done(outcome),
            CallEnd::InputRequired(questions) => Self::InputRequired(questions),
            CallEnd::GrantEnded => Self::Done(Err(grant_ended())),
        }
    }
}

/// The first step of a call.
enum StartedCall<P: Parts> {
    Ended(CallEnd),
    /// It runs, with the message of its last progress.
    Running(RunningCall<P>, Option<String>),
}

/// Why a task does not send its input requests.
enum InputRequestError {
    /// What is wrong with the requests, for the log.
    Unsupported(&'static str),
    Store(store::Error),
}

impl From<store::Error> for InputRequestError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// The heartbeat of a task while it runs.
struct Heartbeat {
    tick: Tick,
    content: HeartbeatContent,
}

/// The content of a heartbeat.
struct HeartbeatContent {
    checks: u32,
    message: Option<String>,
    /// Whether the store has the message.
    is_written: bool,
    /// The authority of the task's first request, if this round has another. The call checks its own.
    begun_with: Option<Authority>,
}

impl HeartbeatContent {
    fn set_message(&mut self, message: Option<String>) {
        if message.is_some() && message != self.message {
            self.message = message;
            self.is_written = false;
        }
    }
}

/// The runner of tasks in this instance.
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

    /// Makes a call that may become a task, and runs the task. Sends the result for the request to
    /// `first`. A call that ends soon, or needs input before it does anything, becomes no task.
    pub(crate) async fn call_or_task(
        self: Arc<Self>,
        mut call: PreparedCall,
        authenticated: Authenticated,
        first: oneshot::Sender<TaskCallResult>,
    ) {
        let request = TaskRequest {
            tool: call.name().to_owned(),
            arguments: call.arguments().to_owned(),
            capabilities: call.capabilities(),
            scopes: call.scopes().to_vec(),
            authority: Some(authenticated.authority()),
            created_at: self.context.environment.now(),
        };
        let is_required = call.tasks() == TaskUse::Required;
        call.report_progress();
        let mut starting = pin!(self.start_call(call, authenticated.clone()));
        let deadline = pin!(self.context.environment.sleep(PLAIN_CALL_TIMEOUT));
        let started = match select(starting.as_mut(), deadline).await {
            Either::Left((StartedCall::Ended(end), _)) => {
                // The HTTP request may have ended.
                let _ = first.send(end.into());
                return;
            }
            Either::Left((StartedCall::Running(running, message), _)) => Some((running, message)),
            Either::Right(_) => None,
        };
        let id = match self.new_task(&authenticated, &request).await {
            Ok(id) => id,
            Err(error) if is_required => {
                let _ = first.send(TaskCallResult::Done(Err(error)));
                return;
            }
            // The client waits for the result, as for that of a call without tasks.
            Err(_) => {
                let rest = pin!(self.rest(starting, started));
                let deadline = pin!(self.context.environment.sleep(self.context.call_timeout()));
                let over = match select(rest, deadline).await {
                    Either::Left((end, _)) => end.into(),
                    Either::Right(_) => TaskCallResult::Done(Err(Error::new(
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
            created_at: request.created_at,
            updated_at: request.created_at,
            ttl: TASK_TTL * 1000,
            poll_interval: POLL_INTERVAL,
            message: None,
            state: TaskState::Working,
        };
        let created = created.to_created(&self.context.envelope(Revision::NEWEST));
        let is_handed_out =
            created.is_ok_and(|created| first.send(TaskCallResult::Done(Ok(created))).is_ok());
        let end = if is_handed_out {
            self.run_round(&id, None, starting, started).await
        } else {
            // The client is gone, and no client has the task's id.
            self.end_task(&id, EndKind::Cancelled, "").await;
            return;
        };
        self.run_rounds(&id, 0, end, &request, &authenticated).await;
    }

    /// Runs the task from the round after `round` on, whose input requests all have responses.
    pub(crate) async fn resume(
        self: Arc<Self>,
        id: TaskId,
        round: u32,
        request: TaskRequest,
        authenticated: Authenticated,
        next: Round,
    ) {
        let end = self.run_again(&id, next, &request, &authenticated).await;
        self.run_rounds(&id, round + 1, end, &request, &authenticated)
            .await;
    }

    /// Stores the responses to a task's input requests (`tasks/update`), and runs the next round once
    /// there are all.
    ///
    /// # Errors
    ///
    /// Fails if the store does, or with invalid params if a response is too large.
    pub(crate) async fn answer_task(
        self: &Arc<Self>,
        id: &TaskId,
        view: super::TaskView,
        given: &[(String, &str)],
        authenticated: Authenticated,
    ) -> Result<(), MethodError> {
        let unavailable = |error: store::Error| MethodError::from(Rejection::unavailable(&error));
        let State::InputRequired { round, pending } = view.state else {
            return Ok(());
        };
        let tasks = &self.tasks.records;
        for (key, result) in given {
            // Other keys are ignored (SEP-2663, Task Update Requests).
            let Some(request) = pending.iter().find(|request| request.key == *key) else {
                continue;
            };
            if result.len() > MAX_SEALED_BYTES {
                let error = format!("An input response may have {MAX_SEALED_BYTES} bytes.");
                return Err(Error::invalid_params(error).into());
            }
            let response = TaskInputResponse {
                at: self.context.environment.now(),
                result: (*result).to_owned(),
            };
            tasks
                .write_input_response(id, request.number, &response)
                .await
                .map_err(unavailable)?;
        }
        let Some((ended, responses)) = self
            .claim_next_round(id, round)
            .await
            .map_err(unavailable)?
        else {
            return Ok(());
        };
        let answers = ended.requests.into_iter().zip(responses);
        let next = Round {
            capabilities: view.request.capabilities,
            log_level: None,
            answers: answers
                .map(|(request, response)| Answer {
                    id: request.id,
                    result: response.result,
                })
                .collect(),
            state: ended.state,
        };
        let work = Arc::clone(self).resume(id.clone(), round, view.request, authenticated, next);
        self.context.environment.spawn(work);
        Ok(())
    }

    /// Returns how a round ended, and the responses to its requests, if there are all and this instance
    /// is the one to run the next round.
    async fn claim_next_round(
        &self,
        id: &TaskId,
        round: u32,
    ) -> Result<Option<(RoundEnd, Vec<TaskInputResponse>)>, store::Error> {
        let tasks = &self.tasks.records;
        let Some(ended) = tasks.round_end(id, round).await? else {
            return Ok(None);
        };
        let (responses, pending) = self.tasks.responses(id, &ended).await?;
        if !pending.is_empty() {
            return Ok(None);
        }
        tasks.write_heartbeat(id, None).await?;
        let is_claimed = tasks.claim_round(id, round + 1).await?;
        Ok(is_claimed.then_some((ended, responses)))
    }

    async fn new_task(
        &self,
        authenticated: &Authenticated,
        request: &TaskRequest,
    ) -> Result<TaskId, Error> {
        let refused = |reason| Err(Error::new(ErrorCode::InternalError, reason));
        if request.arguments.len() > MAX_SEALED_BYTES {
            return refused("The arguments are too large for a task.");
        }
        let created = async {
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
                .begin(authenticated, request)
                .await
                .map(Some)
        };
        match created.await {
            Ok(Some(id)) => Ok(id),
            Ok(None) => refused("Too many tasks were started; try again later."),
            Err(error) => {
                self.task_error(&error);
                refused("The server cannot start a task now; try again.")
            }
        }
    }

    async fn start_call(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> StartedCall<P> {
        match self
            .caller
            .start_within(call, authenticated, self.round_timeout())
            .await
        {
            Err(end) => StartedCall::Ended(end),
            Ok(mut running) => match running.next_of_task().await {
                TaskStep::End(end) => StartedCall::Ended(end),
                TaskStep::Progress(message) => StartedCall::Running(running, message),
            },
        }
    }

    /// Returns how long a round may take. A host that ends requests ends the instance that runs a round with the request that
    /// began it, so the round ends as a plain call does, before that.
    fn round_timeout(&self) -> Duration {
        match self.context.config.stream_seconds {
            Some(_) => self.context.call_timeout(),
            None => Duration::from_secs(TASK_TTL),
        }
    }

    /// Waits for the end of a call that became no task.
    async fn rest(
        &self,
        starting: Pin<&mut impl Future<Output = StartedCall<P>>>,
        started: Option<(RunningCall<P>, Option<String>)>,
    ) -> CallEnd {
        let mut running = match started {
            Some((running, _)) => running,
            None => match starting.await {
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

    /// Runs a round to its end. Returns `None` if the task has ended in the meantime.
    async fn run_round(
        &self,
        id: &TaskId,
        begun_with: Option<Authority>,
        starting: Pin<&mut impl Future<Output = StartedCall<P>>>,
        started: Option<(RunningCall<P>, Option<String>)>,
    ) -> Option<CallEnd> {
        let mut heartbeat = Heartbeat {
            tick: self.context.environment.sleep(CHECK_INTERVAL).boxed(),
            content: HeartbeatContent {
                checks: 0,
                message: None,
                is_written: true,
                begun_with,
            },
        };
        let started = match started {
            Some((running, message)) => StartedCall::Running(running, message),
            None => self.with_heartbeat(id, &mut heartbeat, starting).await?,
        };
        let mut running = match started {
            StartedCall::Ended(end) => return Some(end),
            StartedCall::Running(running, message) => {
                heartbeat.content.set_message(message);
                running
            }
        };
        loop {
            let next = pin!(running.next_of_task());
            match self.with_heartbeat(id, &mut heartbeat, next).await? {
                TaskStep::Progress(message) => heartbeat.content.set_message(message),
                TaskStep::End(end) => return Some(end),
            }
        }
    }

    async fn run_again(
        self: &Arc<Self>,
        id: &TaskId,
        next: Round,
        request: &TaskRequest,
        authenticated: &Authenticated,
    ) -> Option<CallEnd> {
        let params = CallParams {
            name: request.tool.as_str().into(),
            arguments: &request.arguments,
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
        let starting = pin!(self.start_call(call, authenticated.clone()));
        let own = authenticated.authority();
        let begun_with = request.authority.clone();
        let begun_with = begun_with.filter(|authority| *authority != own);
        self.run_round(id, begun_with, starting, None).await
    }

    /// Stores how a round ended, and runs the rounds after those that need no input.
    async fn run_rounds(
        self: &Arc<Self>,
        id: &TaskId,
        mut round: u32,
        mut end: Option<CallEnd>,
        request: &TaskRequest,
        authenticated: &Authenticated,
    ) {
        loop {
            let questions = match end {
                // The store already has the task's end.
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
            let needs_input = !questions.requests.is_empty();
            let next = Round {
                capabilities: request.capabilities,
                state: questions.state.clone(),
                ..Round::default()
            };
            match self.write_input_requests(id, round, questions).await {
                Err(InputRequestError::Store(error)) => return self.task_error(&error),
                Err(InputRequestError::Unsupported(what)) => {
                    log_line::write(format_args!("mcp: a task of {}: {what}", request.tool));
                    return self.fail_task(id, &Error::internal()).await;
                }
                Ok(()) if needs_input => return,
                Ok(()) => {}
            }
            round += 1;
            match self.tasks.records.claim_round(id, round).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.task_error(&error),
            }
            end = self.run_again(id, next, request, authenticated).await;
        }
    }

    /// Stores the input requests of a round.
    async fn write_input_requests(
        &self,
        id: &TaskId,
        round: u32,
        questions: InputRequired,
    ) -> Result<(), InputRequestError> {
        if round + 1 >= MAX_ROUNDS {
            return Err(InputRequestError::Unsupported("it needs input too often"));
        }
        let tasks = &self.tasks.records;
        let mut keys: Vec<String> = Vec::new();
        for earlier in 0..round {
            let ended = tasks.round_end(id, earlier).await?;
            let requests = ended.into_iter().flat_map(|ended| ended.requests);
            keys.extend(requests.map(|request| request.key));
        }
        if keys.len() + questions.requests.len() > MAX_INPUT_REQUESTS {
            return Err(InputRequestError::Unsupported(
                "it has too many input requests",
            ));
        }
        let mut requests = Vec::with_capacity(questions.requests.len());
        for request in questions.requests {
            // A key is used once in the life of a task (SEP-2663, Task Update Requests).
            let mut key = request.id.clone();
            let mut count = 1;
            while keys.contains(&key) {
                count += 1;
                key = format!("{}-{count}", request.id);
            }
            requests.push(TaskInputRequest {
                number: u32::try_from(keys.len()).unwrap_or(u32::MAX),
                key: key.clone(),
                id: request.id,
                method: request.method,
                params: request.params,
            });
            keys.push(key);
        }
        let ended = RoundEnd {
            at: self.context.environment.now(),
            state: questions.state,
            requests,
        };
        if serde_json::to_vec(&ended).map_or(0, |bytes| bytes.len()) > MAX_SEALED_BYTES {
            let what = "its input requests and its state are too large";
            return Err(InputRequestError::Unsupported(what));
        }
        // The next round runs at once.
        if ended.requests.is_empty() {
            tasks.write_heartbeat(id, None).await?;
        }
        Ok(tasks.write_round_end(id, round, &ended).await?)
    }

    /// Waits for `work` and writes heartbeats meanwhile. Returns `None` if the task has ended.
    async fn with_heartbeat<T>(
        &self,
        id: &TaskId,
        heartbeat: &mut Heartbeat,
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let Heartbeat { tick, content } = heartbeat;
        let mut watch = TaskWatch {
            runner: self,
            id,
            content,
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
        log_line::write(format_args!("mcp: a task: {error}"));
    }
}

/// The watch of a task that runs.
struct TaskWatch<'a, P: Parts> {
    runner: &'a TaskRunner<P>,
    id: &'a TaskId,
    content: &'a mut HeartbeatContent,
}

impl<P: Parts> Watch for TaskWatch<'_, P> {
    async fn look(&mut self) -> bool {
        let Self {
            runner,
            id,
            content,
        } = self;
        let records = &runner.tasks.records;
        content.checks += 1;
        match records.is_ending(id).await {
            Ok(true) => return false,
            Ok(false) => {}
            Err(error) => runner.task_error(&error),
        }
        if let Some(authority) = &content.begun_with {
            match runner.grants.is_valid(authority).await {
                Ok(true) => {}
                Ok(false) => {
                    runner.end_task(id, EndKind::Cancelled, "").await;
                    return false;
                }
                Err(error) => runner.task_error(&error),
            }
        }
        if content.checks.is_multiple_of(CHECKS_PER_HEARTBEAT) || !content.is_written {
            content.is_written = true;
            if let Err(error) = records
                .write_heartbeat(id, content.message.as_deref())
                .await
            {
                runner.task_error(&error);
            }
        }
        true
    }
}

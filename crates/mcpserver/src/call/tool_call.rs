//! Calls of tools (2025-11-25, Tools, Calling Tools).

use crate::call::call_event::CallEvent;
use crate::call::input_required::{self, UnsupportedInput};
use crate::call::sandbox::SandboxLog;
use crate::call::upstream_credential::{CredentialError, UpstreamCredentials};
use crate::call::validated_tool::ValidatedTool;
use crate::context::Context;
use crate::contract::tools::{InputRequired, Round, TaskUse};
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::{GrantWatch, Interruption, grant_ended};
use crate::http::rejection::Rejection;
use crate::stream::change_feed::ChangeFeed;
use crate::{Call, Caller, Event, Events, Failure, OfferedTool, Parts, ToolProvider};
use events::{Outcome, TraceContext};
use futures::future::{BoxFuture, Either, FutureExt, select};
use mcp::capabilities::TASKS;
use mcp::jsonrpc;
use mcp::{CallParams, ClientCapabilities, Error, InvalidJson, LogLevel, Output, Revision};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// A call whose arguments and scopes were checked.
#[derive(Clone, Debug)]
pub(crate) struct PreparedCall {
    revision: Revision,
    progress_token: Option<String>,
    tool: Arc<ValidatedTool>,
    name: String,
    arguments: String,
    round: Round,
    may_stream: bool,
    trace: Option<TraceContext>,
}

impl PreparedCall {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn arguments(&self) -> &str {
        &self.arguments
    }

    pub(crate) fn capabilities(&self) -> ClientCapabilities {
        self.round.capabilities
    }

    /// Returns the scopes that the call requires, and its task after it.
    pub(crate) fn scopes(&self) -> &[String] {
        &self.tool.offered.scopes
    }

    pub(crate) fn tasks(&self) -> TaskUse {
        self.tool.offered.tasks
    }

    /// Asks the tool for progress, which a task shows.
    pub(crate) fn report_progress(&mut self) {
        self.progress_token.get_or_insert_with(|| "0".to_owned());
    }

    /// Returns the same call for the next round.
    pub(crate) fn for_round(&self, round: Round) -> Self {
        Self {
            round,
            ..self.clone()
        }
    }
}

/// Why a call is not prepared.
#[derive(Debug)]
pub(crate) enum NotPrepared {
    /// With the rejection of the HTTP request.
    Rejected(Rejection),
    /// With the outcome of the request.
    Done(jsonrpc::Outcome),
}

impl NotPrepared {
    /// Returns the outcome of the request.
    ///
    /// # Errors
    ///
    /// The rejection of the HTTP request.
    pub(crate) fn into_outcome(self) -> Result<jsonrpc::Outcome, Rejection> {
        match self {
            Self::Rejected(rejection) => Err(rejection),
            Self::Done(outcome) => Ok(outcome),
        }
    }
}

impl From<Error> for NotPrepared {
    fn from(error: Error) -> Self {
        Self::Done(Err(error))
    }
}

/// A call that runs.
pub(crate) struct RunningCall<P: Parts> {
    caller: Arc<ToolCaller<P>>,
    revision: Revision,
    progress_token: Option<String>,
    last_progress: f64,
    capabilities: ClientCapabilities,
    log_level: Option<LogLevel>,
    tool: Arc<ValidatedTool>,
    name: String,
    events: <P::Tools as ToolProvider>::Events,
    interruption: BoxFuture<'static, Interruption>,
    event: Box<CallEvent<P>>,
}

/// A step of a call that runs.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// A notification, as JSON.
    Notification(String),
    /// The last step.
    End(CallEnd),
}

/// The end of a call.
#[derive(Debug, PartialEq)]
pub(crate) enum CallEnd {
    /// With its outcome.
    Done(jsonrpc::Outcome),
    /// With requests to the client, which it supports.
    InputRequired(InputRequired),
    /// With its grant.
    GrantEnded,
}

impl CallEnd {
    /// Returns the outcome; `None` if the call ended with questions.
    fn into_outcome(self) -> Option<jsonrpc::Outcome> {
        match self {
            Self::Done(outcome) => Some(outcome),
            Self::GrantEnded => Some(Err(grant_ended())),
            Self::InputRequired(_) => None,
        }
    }
}

/// A step of a call that runs as a task.
#[derive(Debug, PartialEq)]
pub(crate) enum TaskStep {
    /// The call made progress, with this message.
    Progress(Option<String>),
    /// The last step.
    End(CallEnd),
}

/// Calls of tools.
pub(crate) struct ToolCaller<P: Parts> {
    context: Arc<Context<P>>,
    tools: Arc<P::Tools>,
    grants: Arc<GrantWatch<P>>,
    changes: Arc<ChangeFeed<P>>,
    credentials: Arc<UpstreamCredentials<P>>,
    sandbox: Arc<SandboxLog>,
}

impl<P: Parts> ToolCaller<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        tools: Arc<P::Tools>,
        grants: Arc<GrantWatch<P>>,
        changes: Arc<ChangeFeed<P>>,
        credentials: Arc<UpstreamCredentials<P>>,
        sandbox: Arc<SandboxLog>,
    ) -> Self {
        Self {
            context,
            tools,
            grants,
            changes,
            credentials,
            sandbox,
        }
    }

    /// Checks a call before it is made. Without `may_stream` the tool is not asked for progress or log
    /// messages.
    ///
    /// # Errors
    ///
    /// Fails if the tool is unknown, the token lacks a scope, the client does not know tasks and the tool
    /// requires them, or the arguments are invalid.
    pub(crate) fn prepare(
        &self,
        params: CallParams<'_>,
        tool: Option<&Arc<ValidatedTool>>,
        authenticated: &Authenticated,
        revision: Revision,
        round: Round,
        may_stream: bool,
    ) -> Result<PreparedCall, NotPrepared> {
        let trace = params.traceparent.as_deref().and_then(TraceContext::parse);
        let not_called = |outcome| {
            CallEvent::begin(&self.context, authenticated, &params.name, trace.clone())
                .end(outcome);
        };
        let Some(tool) = tool else {
            not_called(Outcome::UnknownTool);
            return Err(Error::unknown_tool(&params.name).into());
        };
        if let Err(rejection) = authenticated.require_scopes(&tool.offered.scopes) {
            not_called(Outcome::InsufficientScope);
            return Err(NotPrepared::Rejected(rejection));
        }
        let knows_tasks = revision.is_stateless() && round.capabilities.knows_tasks;
        if tool.offered.tasks == TaskUse::Required && !knows_tasks {
            not_called(Outcome::MissingCapability);
            let missing = serde_json::json!({"extensions": {TASKS: {}}});
            return Err(Error::missing_capabilities(missing, revision).into());
        }
        let arguments = match tool.check_arguments(params.arguments) {
            Ok(arguments) => arguments.into_owned(),
            Err(failure) => {
                not_called(Outcome::InvalidArguments);
                let failed = self.failed(tool, failure, revision);
                let outcome = self.start_error(tool, failed, revision);
                return Err(NotPrepared::Done(outcome));
            }
        };
        Ok(PreparedCall {
            revision,
            progress_token: params
                .progress_token
                .filter(|_| may_stream)
                .map(str::to_owned),
            tool: Arc::clone(tool),
            name: params.name.into_owned(),
            arguments,
            round,
            may_stream,
            trace,
        })
    }

    /// Makes a call.
    pub(crate) async fn start(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> Result<RunningCall<P>, CallEnd> {
        self.start_within(call, authenticated, self.context.call_timeout())
            .await
    }

    /// Makes a call whose client can be sent nothing but its outcome.
    pub(crate) async fn run_to_end(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> jsonrpc::Outcome {
        let mut running = match self.start(call, authenticated).await {
            Ok(running) => running,
            Err(end) => return end.into_outcome().unwrap_or_else(|| Err(Error::internal())),
        };
        loop {
            if let Step::End(end) = running.next().await {
                let outcome = end.into_outcome();
                return outcome.unwrap_or_else(|| Err(running.unasked()));
            }
        }
    }

    /// Makes a call that is interrupted after `limit`.
    pub(crate) async fn start_within(
        self: &Arc<Self>,
        call: PreparedCall,
        authenticated: Authenticated,
        limit: Duration,
    ) -> Result<RunningCall<P>, CallEnd> {
        let PreparedCall {
            revision,
            progress_token,
            tool,
            name,
            arguments,
            round,
            may_stream,
            trace,
        } = call;
        let mut event = CallEvent::begin(&self.context, &authenticated, &name, trace);
        let capabilities = round.capabilities;
        let log_level = round.log_level.filter(|_| may_stream);
        let grants = Arc::clone(&self.grants);
        let authority = authenticated.authority();
        let mut interruption = async move { grants.interruption(authority, limit).await }.boxed();
        let beginning = async {
            let credential = if tool.offered.wants_credential {
                self.credentials
                    .credential(&authenticated)
                    .await
                    .map_err(|error| {
                        let outcome = match error {
                            CredentialError::Ended(_) => Outcome::GrantEnded,
                            CredentialError::UpstreamRefresh(_) => Outcome::Failed,
                        };
                        (outcome, StartError::from(error))
                    })?
            } else {
                None
            };
            let call = Call {
                name: name.clone(),
                arguments,
                caller: Caller {
                    credential,
                    ..authenticated.caller
                },
                round,
                wants_progress: progress_token.is_some(),
            };
            self.tools.call(call).await.map_err(|failure| {
                let outcome = match failure {
                    Failure::NotFound => Outcome::UnknownTool,
                    Failure::InvalidArguments(_) => Outcome::InvalidArguments,
                    Failure::InsufficientScope(_) => Outcome::InsufficientScope,
                    Failure::Unsupported | Failure::Internal(_) => Outcome::Failed,
                };
                (outcome, self.failed(&tool, failure, revision))
            })
        };
        let begun = match select(pin!(beginning), &mut interruption).await {
            Either::Left((begun, _)) => begun,
            Either::Right((interruption, _)) => {
                event.end(interruption.outcome());
                return Err(self.interrupted(interruption, &name));
            }
        };
        match begun {
            Ok(events) => Ok(RunningCall {
                caller: Arc::clone(self),
                revision,
                progress_token,
                last_progress: f64::NEG_INFINITY,
                capabilities,
                log_level,
                tool,
                name,
                events,
                interruption,
                event: Box::new(event),
            }),
            Err((outcome, start_error)) => {
                event.end(outcome);
                Err(CallEnd::Done(self.start_error(
                    &tool,
                    start_error,
                    revision,
                )))
            }
        }
    }

    fn failed(&self, tool: &ValidatedTool, failure: Failure, revision: Revision) -> StartError {
        let name = tool.offered.tool.name();
        match failure {
            Failure::NotFound => StartError::Error(Error::unknown_tool(name)),
            // From 2025-11-25 on these are for the model, which can correct them.
            Failure::InvalidArguments(reason) if revision >= Revision::V2025_11_25 => {
                StartError::Output(Output::error(format!("Invalid arguments: {reason}")))
            }
            Failure::InvalidArguments(reason) => StartError::Error(Error::invalid_params(format!(
                "Invalid arguments: {reason}"
            ))),
            Failure::Unsupported => StartError::Error(Error::method_not_found("tools/call")),
            // Checked before the call.
            Failure::InsufficientScope(_) => StartError::Error(Error::internal()),
            Failure::Internal(reason) => {
                log_line::write(format_args!("mcp: the tool {name} failed: {reason}"));
                let component = tool.offered.component.as_deref();
                self.sandbox
                    .note_denied(&format!("the tool {name}"), component, &reason);
                StartError::Error(Error::internal())
            }
        }
    }

    /// Returns the end of an interrupted call, and logs a timeout.
    fn interrupted(&self, interruption: Interruption, name: &str) -> CallEnd {
        match interruption {
            Interruption::Timeout => {
                log_line::write(format_args!("mcp: the tool {name} did not finish in time"));
                CallEnd::Done(Err(Error::new(
                    mcp::ErrorCode::InternalError,
                    "The tool did not finish in time.",
                )))
            }
            Interruption::GrantEnded => CallEnd::GrantEnded,
        }
    }

    fn start_error(
        &self,
        tool: &ValidatedTool,
        start_error: StartError,
        revision: Revision,
    ) -> jsonrpc::Outcome {
        match start_error {
            StartError::Output(output) => {
                self.result(tool, &output, revision)
                    .map_err(|invalid_output| {
                        self.invalid_output(tool.offered.tool.name(), &invalid_output.to_string())
                    })
            }
            StartError::Error(error) => Err(error),
        }
    }

    fn result(
        &self,
        tool: &ValidatedTool,
        output: &Output,
        revision: Revision,
    ) -> Result<String, InvalidJson> {
        if output.is_error {
            let OfferedTool {
                tool, component, ..
            } = &tool.offered;
            let name = format!("the tool {}", tool.name());
            self.sandbox
                .note_denied_in(&name, component.as_deref(), &output.content);
        }
        output.to_result(&self.context.envelope(revision))
    }

    fn invalid_output(&self, name: &str, what: &str) -> Error {
        log_line::write(format_args!("mcp: the tool {name} gave {what}"));
        Error::internal()
    }
}

/// Why a call was not started.
pub(crate) enum StartError {
    /// As a tool execution error, for the model.
    Output(Output),
    /// As a protocol error, for the client.
    Error(Error),
}

impl From<CredentialError> for StartError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Ended(_) => Self::Error(grant_ended()),
            CredentialError::UpstreamRefresh(_) => Self::Output(Output::error(
                "The identity provider did not answer. Try again in a minute.",
            )),
        }
    }
}

impl<P: Parts> RunningCall<P> {
    /// Returns the interruption of the call. When it completes, the call is over.
    pub(crate) fn interruption(&mut self) -> &mut BoxFuture<'static, Interruption> {
        &mut self.interruption
    }

    /// Returns the next step. A future that is dropped may lose a step, so it is dropped only with the
    /// call.
    pub(crate) async fn next(&mut self) -> Step {
        loop {
            let event = match self.event().await {
                Ok(event) => event,
                Err(end) => return Step::End(end),
            };
            if let Some(step) = self.step(event).await {
                return step;
            }
        }
    }

    /// Returns the next step of a call that runs as a task, which shows progress and sends no
    /// notifications.
    pub(crate) async fn next_of_task(&mut self) -> TaskStep {
        loop {
            let event = match self.event().await {
                Ok(event) => event,
                Err(end) => return TaskStep::End(end),
            };
            match event {
                Some(Event::Progress(progress)) => return TaskStep::Progress(progress.message),
                Some(Event::Log(_)) => return TaskStep::Progress(None),
                event => match self.step(event).await {
                    Some(Step::End(end)) => return TaskStep::End(end),
                    Some(Step::Notification(_)) | None => {}
                },
            }
        }
    }

    async fn event(&mut self) -> Result<Option<Event>, CallEnd> {
        match select(pin!(self.events.next()), &mut self.interruption).await {
            Either::Left((event, _)) => Ok(event),
            Either::Right((interruption, _)) => {
                self.event.end(interruption.outcome());
                Err(self.caller.interrupted(interruption, &self.name))
            }
        }
    }

    /// Returns the step for an event; `None` if the client gets nothing.
    async fn step(&mut self, event: Option<Event>) -> Option<Step> {
        match event {
            Some(Event::Log(log)) => {
                if self.log_level.is_some_and(|least| log.level >= least) {
                    match log.to_message() {
                        Ok(message) => return Some(Step::Notification(message)),
                        Err(invalid) => log_line::write(format_args!(
                            "mcp: the tool {} logged {invalid}",
                            self.name
                        )),
                    }
                }
            }
            Some(Event::Changed(changed)) => self.caller.changes.report(&changed).await,
            Some(Event::Progress(progress)) => {
                let message = self
                    .progress_token
                    .as_deref()
                    .filter(|_| progress.progress > self.last_progress)
                    .and_then(|token| progress.to_message(token, self.revision));
                if let Some(message) = message {
                    self.last_progress = progress.progress;
                    return Some(Step::Notification(message));
                }
            }
            Some(Event::Done(output)) => return Some(Step::End(self.done(&output))),
            Some(Event::InputRequired(questions)) => {
                return Some(Step::End(self.asks(questions)));
            }
            None => return Some(Step::End(self.invalid_output("no result"))),
        }
        None
    }

    fn done(&mut self, output: &Output) -> CallEnd {
        if let Err(what) = self.tool.check_output(output) {
            return self.invalid_output(&what);
        }
        match self.caller.result(&self.tool, output, self.revision) {
            Ok(result) => {
                self.event.end(if output.is_error {
                    Outcome::ToolError
                } else {
                    Outcome::Ok
                });
                CallEnd::Done(Ok(result))
            }
            Err(invalid_output) => self.invalid_output(&invalid_output.to_string()),
        }
    }

    fn asks(&mut self, questions: InputRequired) -> CallEnd {
        match input_required::check(&questions, self.capabilities) {
            Ok(()) => {
                self.event.end(Outcome::InputRequired);
                CallEnd::InputRequired(questions)
            }
            Err(UnsupportedInput::Malformed(what)) => self.invalid_output(what),
            Err(UnsupportedInput::MissingCapabilities(missing)) => {
                self.event.end(Outcome::MissingCapability);
                let error = Error::missing_capabilities(missing, self.revision);
                CallEnd::Done(Err(error))
            }
        }
    }

    /// Returns the end of a call whose tool gave `what`, which is logged and not sent.
    fn invalid_output(&mut self, what: &str) -> CallEnd {
        self.event.end(Outcome::Failed);
        CallEnd::Done(Err(self.caller.invalid_output(&self.name, what)))
    }

    /// Returns the error of a call whose client cannot be asked.
    fn unasked(&self) -> Error {
        self.caller.invalid_output(
            &self.name,
            "a question for the client, which cannot be asked yet",
        )
    }
}

//! `tasks/get`, `tasks/update` and `tasks/cancel`, and calls that become tasks (SEP-2663).

use super::request::{REVISION, Request};
use crate::call::tool_call::PreparedCall;
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::rejection::Rejection;
use crate::protocol::methods::MethodError;
use crate::tasks::{TaskCallResult, TaskRunner, Tasks, ViewError};
use crate::transport::stateless::request_state::{RequestDigest, RequestStates};
use crate::{Environment, Parts};
use futures::channel::oneshot;
use mcp::capabilities::TASKS;
use mcp::jsonrpc::Outcome;
use mcp::{Error, TaskParams, empty_result};
use std::sync::Arc;

/// Returns the error for a client that has not declared the extension.
pub(super) fn missing_tasks_capability() -> Error {
    Error::missing_capabilities(serde_json::json!({"extensions": {TASKS: {}}}), REVISION)
}

/// The methods of tasks.
pub(crate) struct TaskMethods<P: Parts> {
    context: Arc<Context<P>>,
    tasks: Arc<Tasks<P>>,
    runner: Arc<TaskRunner<P>>,
    states: Arc<RequestStates<P>>,
}

impl<P: Parts> TaskMethods<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        tasks: Arc<Tasks<P>>,
        runner: Arc<TaskRunner<P>>,
        states: Arc<RequestStates<P>>,
    ) -> Self {
        Self {
            context,
            tasks,
            runner,
            states,
        }
    }

    /// Makes a call that may become a task.
    pub(super) async fn call_tool(
        &self,
        request: &Request<'_>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> Outcome {
        let requester = authenticated.requester();
        let (sender, first) = oneshot::channel();
        let work = Arc::clone(&self.runner).call_or_task(call, authenticated, sender);
        self.context.environment.spawn(work);
        match first.await {
            Ok(TaskCallResult::Done(outcome)) => outcome,
            Ok(TaskCallResult::InputRequired(questions)) => {
                let digest = RequestDigest::of(request, &requester);
                self.states.input_required(&questions, &digest)
            }
            Err(_) => Err(Error::internal()),
        }
    }

    /// `tasks/get`, `tasks/update` and `tasks/cancel`.
    pub(super) async fn call(
        &self,
        request: &Request<'_>,
        authenticated: Authenticated,
    ) -> Result<String, MethodError> {
        // One error for a task that is unknown, expired, or another person's.
        let unknown = || Error::invalid_params("Task not found.");
        if !request.metadata.capabilities.knows_tasks {
            return Err(missing_tasks_capability().into());
        }
        let params = TaskParams::read(request.params)?;
        let tasks = &self.tasks;
        let id = tasks.find(&authenticated, &params.id);
        let id = id.ok_or_else(unknown)?;
        let unavailable = |error: store::Error| MethodError::from(Rejection::unavailable(&error));
        let view = match tasks.view(&id, &authenticated).await {
            Ok(view) => view.ok_or_else(unknown)?,
            Err(ViewError::Scopes(rejection)) => return Err(rejection.into()),
            Err(ViewError::Store(error)) => return Err(unavailable(error)),
        };
        let envelope = self.context.envelope(REVISION);
        match &*request.method {
            "tasks/get" => view.task(&id).to_result(&envelope).map_err(|invalid| {
                log_line::write(format_args!("mcp: a task: {invalid}"));
                Error::internal().into()
            }),
            "tasks/cancel" => {
                if !view.state.is_final() {
                    tasks.cancel(&id).await.map_err(unavailable)?;
                }
                Ok(empty_result(&envelope))
            }
            _ => {
                let answers = &request.metadata.input_responses;
                self.runner
                    .answer_task(&id, view, answers, authenticated)
                    .await?;
                Ok(empty_result(&envelope))
            }
        }
    }
}

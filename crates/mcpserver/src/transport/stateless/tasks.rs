//! `tasks/get`, `tasks/update` and `tasks/cancel`, and calls that become tasks (SEP-2663).

use super::{REVISION, Request, failed, status_of};
use crate::call::tool_call::PreparedCall;
use crate::http::authenticator::Authenticated;
use crate::http::rejection::Rejection;
use crate::http::response::json;
use crate::protocol::methods::MethodError;
use crate::tasks::{First, NotVisible};
use crate::transport::stateless::request_state::Context;
use crate::transport::streamable_http::answer;
use crate::{Body, Environment, Parts, Server};
use futures::channel::oneshot;
use http::{Response, StatusCode};
use mcp::capabilities::TASKS;
use mcp::{Error, TaskParams, empty_result, jsonrpc};
use std::sync::Arc;

/// The client has to know tasks.
pub(super) fn takes_tasks() -> Error {
    Error::missing_capabilities(serde_json::json!({"extensions": {TASKS: {}}}), REVISION)
}

impl<P: Parts> Server<P> {
    /// Makes a call that may become a task.
    pub(super) async fn call_that_may_be_a_task(
        self: &Arc<Self>,
        request: &Request<'_>,
        call: PreparedCall,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        let Request { id, accepted, .. } = request;
        let asker = authenticated.asker();
        let (sender, first) = oneshot::channel();
        let work = Arc::clone(self).call_or_task(call, authenticated, sender);
        self.context.environment.spawn(work);
        let first = first.await;
        Ok(match first.unwrap_or(First::Error(Error::internal())) {
            First::Response(text) => answer(text, *accepted),
            First::Unable(text) => json(StatusCode::BAD_REQUEST, text),
            First::Task(result) => answer(jsonrpc::response(id, &result), *accepted),
            First::Error(error) => failed(status_of(&error), id, &error),
            First::InputRequired(questions) => {
                let context = Context::of(request, &asker);
                let asked = self.input_required(&questions, &context);
                self.asked(id, asked, *accepted)
            }
        })
    }

    /// `tasks/get`, `tasks/update` and `tasks/cancel`.
    pub(super) async fn task_request(
        self: &Arc<Self>,
        request: Request<'_>,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        match self.answer_about_task(&request, authenticated).await {
            Ok(result) => {
                let response = jsonrpc::response(&request.id, &result);
                Ok(answer(response, request.accepted))
            }
            Err(MethodError::Error(error)) => Ok(failed(status_of(&error), &request.id, &error)),
            Err(MethodError::Rejected(rejection)) => Err(rejection),
        }
    }

    async fn answer_about_task(
        self: &Arc<Self>,
        request: &Request<'_>,
        authenticated: Authenticated,
    ) -> Result<String, MethodError> {
        // A stranger's task and one that is gone are told from none by nothing.
        let unknown = || Error::invalid_params("There is no such task.");
        if !request.metadata.capabilities.knows_tasks {
            return Err(takes_tasks().into());
        }
        let params = TaskParams::read(request.params)?;
        let tasks = self.tasks();
        let id = tasks.find(&authenticated, &params.id);
        let id = id.ok_or_else(unknown)?;
        let unavailable = |error: store::Error| MethodError::Rejected(self.unavailable(&error));
        let view = match tasks.view(&id, &authenticated).await {
            Ok(view) => view.ok_or_else(unknown)?,
            Err(NotVisible::Scopes(rejection)) => return Err(rejection.into()),
            Err(NotVisible::Store(error)) => return Err(unavailable(error)),
        };
        match &*request.method {
            "tasks/get" => view.task(&id).to_result().map_err(|garbage| {
                self.context
                    .environment
                    .log(&format!("mcp: a task: {garbage}"));
                Error::internal().into()
            }),
            "tasks/cancel" => {
                if !view.state.is_final() {
                    tasks.cancel(&id).await.map_err(unavailable)?;
                }
                Ok(empty_result(REVISION))
            }
            _ => {
                let answers = &request.metadata.input_responses;
                self.answer_task(&id, view, answers, &request.id, authenticated)
                    .await
                    .map_err(unavailable)??;
                Ok(empty_result(REVISION))
            }
        }
    }
}

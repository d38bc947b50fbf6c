//! `tools/call`.

use super::{REVISION, Request, failed, status_of};
use crate::call::client_context::ClientContext;
use crate::call::streamed_call::NextStep;
use crate::call::tool_call::Step;
use crate::contract::tools::TaskUse;
use crate::http::authenticator::Authenticated;
use crate::http::body::events;
use crate::http::rejection::Rejection;
use crate::http::response::event_stream;
use crate::http::response::json;
use crate::stream::outbound::ClientStream;
use crate::stream::timing::KEEP_ALIVE_INTERVAL;
use crate::transport::stateless::request_state::Context;
use crate::transport::stateless::tasks::takes_tasks;
use crate::transport::streamable_http::answer;
use crate::{Body, Environment, Parts, Server};
use futures::FutureExt;
use futures::future::ready;
use http::{HeaderMap, Response, StatusCode};
use mcp::jsonrpc::Id;
use mcp::{CallParams, Error};
use schema::Instance;
use std::sync::Arc;

impl<P: Parts> Server<P> {
    pub(super) async fn stateless_call(
        self: &Arc<Self>,
        request: Request<'_>,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        let accepted = request.accepted;
        let id = &request.id;
        let params = CallParams::read(request.params);
        if let Ok(params) = &params
            && let Err(error) = self.check_header_params(request.headers, params).await
        {
            return Ok(failed(status_of(&error), id, &error));
        }
        if let Ok(params) = &params
            && !request.metadata.capabilities.knows_tasks
            && self.takes_a_task(&params.name).await
        {
            let error = takes_tasks();
            return Ok(failed(status_of(&error), id, &error));
        }
        let round = match self.round(&request, &authenticated) {
            Ok(round) => round,
            Err(error) => return Ok(failed(status_of(&error), id, &error)),
        };
        let prepared = self
            .prepare_call(
                id.clone(),
                params,
                &authenticated,
                REVISION,
                round,
                accepted.event_stream,
            )
            .await?;
        let call = match prepared {
            Ok(call) => call,
            Err(ended) => return Ok(answer(ended, accepted)),
        };
        if call.tasks() != TaskUse::Never && request.metadata.capabilities.knows_tasks {
            return Box::pin(self.call_that_may_be_a_task(&request, call, authenticated)).await;
        }
        let asker = authenticated.asker();
        let first = self.first_step(call, authenticated);
        // The first thing that happens decides how the client is answered. Whether it is still there
        // shows on a stream alone.
        let first = match accepted.event_stream {
            true => self.poll_within(first, KEEP_ALIVE_INTERVAL).await,
            false => Ok(first.await),
        };
        let next = match first {
            Ok((_, Step::Response(text) | Step::Cancelled(text))) => {
                return Ok(answer(text, accepted));
            }
            Ok((_, Step::Unable(text))) => return Ok(json(StatusCode::BAD_REQUEST, text)),
            Ok((_, Step::InputRequired(questions))) => {
                let context = Context::of(&request, &asker);
                let asked = self.input_required(&questions, &context);
                return Ok(self.asked(id, asked, accepted));
            }
            Ok(first @ (_, Step::Notification(_))) => ready(first).boxed(),
            Err(next) => next,
        };
        let context = Context::of(&request, &asker);
        let (sender, body) = events();
        let stream = ClientStream::stream(sender);
        let work = Arc::clone(self).stateless_stream(next, stream, id.clone(), context);
        self.context.environment.spawn(work);
        Ok(event_stream(body))
    }

    /// Whether the tool is called as a task alone.
    async fn takes_a_task(&self, name: &str) -> bool {
        let catalog = self.catalog().await;
        let tool = catalog.as_ref().and_then(|catalog| catalog.tool(name));
        tool.is_some_and(|tool| tool.offered.tasks == TaskUse::Required)
    }

    /// Whether the headers that repeat arguments say what the arguments say.
    async fn check_header_params(
        &self,
        headers: &HeaderMap,
        params: &CallParams<'_>,
    ) -> Result<(), Error> {
        let Some(catalog) = self.catalog().await else {
            return Ok(());
        };
        let Some(tool) = catalog.tool(&params.name) else {
            return Ok(());
        };
        if tool.header_params.is_empty() {
            return Ok(());
        }
        // Arguments that cannot be read are refused as such.
        let Ok(arguments) = Instance::read(params.arguments) else {
            return Ok(());
        };
        tool.header_params.iter().try_for_each(|param| {
            param
                .check(headers, arguments.value())
                .map_err(|mismatch| Error::header_mismatch(format!("In this request, {mismatch}.")))
        })
    }

    /// Sends what a call has to say until it is over. Returns early, and so cancels the call, when
    /// the client is gone.
    async fn stateless_stream(
        self: Arc<Self>,
        mut next: NextStep<P>,
        mut stream: ClientStream,
        id: Id,
        context: Context,
    ) {
        let client = ClientContext::without_session(REVISION);
        let last = match self
            .forward_notifications(&mut next, &id, &client, &mut stream)
            .await
        {
            None => return,
            Some(
                Step::Notification(text)
                | Step::Response(text)
                | Step::Unable(text)
                | Step::Cancelled(text),
            ) => text,
            Some(Step::InputRequired(questions)) => {
                let asked = self.input_required(&questions, &context);
                self.asked_text(&id, asked)
            }
        };
        self.finish(stream, &last).await;
    }
}

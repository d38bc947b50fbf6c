//! `tools/call`.

use super::{REVISION, Request, failed, status_of};
use crate::authentication::Authenticated;
use crate::body::{EventSender, events};
use crate::calls::{RunningCall, Step};
use crate::refusal::{Refusal, json};
use crate::server::event_stream;
use crate::stateless::round::Context;
use crate::stateless::tasks::takes_tasks;
use crate::streamable_http::{KEEP_ALIVE, answer};
use crate::tools::TaskUse;
use crate::{Body, Environment, Parts, Server};
use futures::future::{Either, select};
use http::{HeaderMap, Response, StatusCode};
use mcp::jsonrpc::Id;
use mcp::{CallParams, Error, sse};
use schema::Instance;
use std::pin::pin;
use std::sync::Arc;

impl<P: Parts> Server<P> {
    pub(super) async fn stateless_call(
        self: &Arc<Self>,
        request: Request<'_>,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, Refusal> {
        let accepted = request.accepted;
        let id = &request.id;
        let params = CallParams::read(request.params);
        if let Ok(params) = &params
            && let Err(error) = self.check_mirrored(request.headers, params).await
        {
            return Ok(failed(status_of(&error), id, &error));
        }
        if let Ok(params) = &params
            && !request.metadata.abilities.knows_tasks
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
        if call.tasks() != TaskUse::Never && request.metadata.abilities.knows_tasks {
            return self
                .call_that_may_be_a_task(&request, call, authenticated)
                .await;
        }
        let asker = authenticated.asker();
        let mut running = match self.start_call(call, authenticated).await {
            Ok(running) => running,
            Err(ended) => return Ok(answer(ended, accepted)),
        };
        // The first thing that happens decides how the client is answered.
        match running.next(self).await {
            Step::Response(text) => Ok(answer(text, accepted)),
            Step::Unable(text) => Ok(json(StatusCode::BAD_REQUEST, text)),
            Step::InputRequired(questions) => {
                let context = Context::of(&request, &asker);
                let asked = self.input_required(&questions, &context);
                Ok(self.asked(id, asked, accepted))
            }
            Step::Notification(first) => {
                let context = Context::of(&request, &asker);
                let (sender, body) = events();
                let work =
                    Arc::clone(self).stateless_stream(running, first, sender, id.clone(), context);
                self.environment.spawn(work);
                Ok(event_stream(body))
            }
        }
    }

    /// Whether the tool is called as a task alone.
    async fn takes_a_task(&self, name: &str) -> bool {
        let catalog = self.catalog().await;
        let tool = catalog.as_ref().and_then(|catalog| catalog.tool(name));
        tool.is_some_and(|tool| tool.offered.tasks == TaskUse::Required)
    }

    /// Whether the headers that repeat arguments say what the arguments say.
    async fn check_mirrored(
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
        if tool.mirrored.is_empty() {
            return Ok(());
        }
        // Arguments that cannot be read are refused as such.
        let Ok(arguments) = Instance::read(params.arguments) else {
            return Ok(());
        };
        tool.mirrored.iter().try_for_each(|mirrored| {
            mirrored
                .check(headers, arguments.value())
                .map_err(|mismatch| Error::header_mismatch(format!("In this request, {mismatch}.")))
        })
    }

    /// Sends what a call has to say until it is over. Returns early, and so cancels the call, when
    /// the client is gone.
    async fn stateless_stream(
        self: Arc<Self>,
        mut running: RunningCall<P>,
        first: String,
        mut sender: EventSender,
        id: Id,
        context: Context,
    ) {
        if !sender.send(sse::message(&first)).await {
            return;
        }
        loop {
            let step = {
                let mut next = pin!(running.next(&self));
                loop {
                    let silence = pin!(self.environment.sleep(KEEP_ALIVE));
                    match select(next.as_mut(), silence).await {
                        Either::Left((step, _)) => break step,
                        Either::Right(_) => {
                            if !sender.send(sse::KEEP_ALIVE.to_owned()).await {
                                return;
                            }
                        }
                    }
                }
            };
            let last = match step {
                Step::Notification(text) => {
                    if !sender.send(sse::message(&text)).await {
                        return;
                    }
                    continue;
                }
                Step::Response(text) | Step::Unable(text) => text,
                Step::InputRequired(questions) => {
                    let asked = self.input_required(&questions, &context);
                    self.asked_text(&id, asked)
                }
            };
            sender.send(sse::message(&last)).await;
            return;
        }
    }
}

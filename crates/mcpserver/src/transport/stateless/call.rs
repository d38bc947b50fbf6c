//! `tools/call` of the stateless revision (2026-07-28, Tools).

use super::request::{REVISION, Request};
use crate::call::client_context::ClientContext;
use crate::call::streamed_call::{NextStep, StreamedCalls};
use crate::call::tool_call::{CallEnd, Step};
use crate::context::Context;
use crate::contract::tools::TaskUse;
use crate::http::authenticated::Authenticated;
use crate::http::body::events;
use crate::http::grant_watch::grant_ended;
use crate::http::response::event_stream;
use crate::protocol::catalog::CatalogSource;
use crate::protocol::methods::{MethodError, Methods};
use crate::stream::outbound::{ClientStream, Outbound};
use crate::stream::timing::KEEP_ALIVE_INTERVAL;
use crate::transport::stateless::request_state::{RequestDigest, RequestStates};
use crate::transport::stateless::tasks::TaskMethods;
use crate::{Body, Environment, Parts};
use futures::FutureExt;
use futures::future::ready;
use http::{HeaderMap, Response};
use mcp::jsonrpc::{Id, Outcome, Reply};
use mcp::{CallParams, Error};
use schema::Instance;
use std::sync::Arc;

/// `tools/call` of the stateless revision.
pub(crate) struct StatelessCalls<P: Parts> {
    context: Arc<Context<P>>,
    catalog: Arc<CatalogSource<P>>,
    methods: Arc<Methods<P>>,
    streamed: Arc<StreamedCalls<P>>,
    outbound: Arc<Outbound<P>>,
    states: Arc<RequestStates<P>>,
    tasks: Arc<TaskMethods<P>>,
}

impl<P: Parts> StatelessCalls<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        catalog: Arc<CatalogSource<P>>,
        methods: Arc<Methods<P>>,
        streamed: Arc<StreamedCalls<P>>,
        outbound: Arc<Outbound<P>>,
        states: Arc<RequestStates<P>>,
        tasks: Arc<TaskMethods<P>>,
    ) -> Self {
        Self {
            context,
            catalog,
            methods,
            streamed,
            outbound,
            states,
            tasks,
        }
    }

    pub(super) async fn call(
        self: &Arc<Self>,
        request: &Request<'_>,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, MethodError> {
        let accepted = request.accepted;
        let params = CallParams::read(request.params)?;
        self.check_header_params(request.headers, &params).await?;
        let round = self.states.round(request, &authenticated)?;
        let prepared = self
            .methods
            .prepare_call(
                params,
                &authenticated,
                REVISION,
                round,
                accepted.event_stream,
            )
            .await;
        let call = match prepared {
            Ok(call) => call,
            Err(not_prepared) => return Ok(request.respond(not_prepared.into_outcome()?)),
        };
        let requester = authenticated.requester();
        if call.tasks() != TaskUse::Never && request.metadata.capabilities.knows_tasks {
            let called = self.tasks.call_tool(request, call, authenticated);
            return Ok(request.respond(Box::pin(called).await));
        }
        let first = self.streamed.first_step(call, authenticated);
        // The first step decides whether the response is a stream. Only a stream shows whether the client is
        // still there.
        let first = match accepted.event_stream {
            true => self.streamed.poll_within(first, KEEP_ALIVE_INTERVAL).await,
            false => Ok(first.await),
        };
        let next = match first {
            Ok((_, Step::End(end))) => {
                let digest = || RequestDigest::of(request, &requester);
                return Ok(request.respond(self.outcome_of(end, digest)));
            }
            Ok(first @ (_, Step::Notification(_))) => ready(first).boxed(),
            Err(next) => next,
        };
        let digest = RequestDigest::of(request, &requester);
        let (sender, body) = events();
        let stream = ClientStream::stream(sender);
        let work = Arc::clone(self).stream(next, stream, request.id.clone(), digest);
        self.context.environment.spawn(work);
        Ok(event_stream(body))
    }

    fn outcome_of(&self, end: CallEnd, digest: impl FnOnce() -> RequestDigest) -> Outcome {
        match end {
            CallEnd::Done(outcome) => outcome,
            CallEnd::GrantEnded => Err(grant_ended()),
            CallEnd::InputRequired(questions) => self.states.input_required(&questions, &digest()),
        }
    }

    /// Checks that the headers that repeat arguments match them.
    async fn check_header_params(
        &self,
        headers: &HeaderMap,
        params: &CallParams<'_>,
    ) -> Result<(), Error> {
        let Ok(catalog) = self.catalog.current().await else {
            return Ok(());
        };
        let Some(tool) = catalog.tool(&params.name) else {
            return Ok(());
        };
        if tool.header_params.is_empty() {
            return Ok(());
        }
        // Arguments that cannot be read are rejected later, by the schema.
        let Ok(arguments) = Instance::read(params.arguments) else {
            return Ok(());
        };
        tool.header_params.iter().try_for_each(|param| {
            param
                .check(headers, arguments.value())
                .map_err(|mismatch| Error::header_mismatch(format!("In this request, {mismatch}.")))
        })
    }

    /// Sends the notifications and the result of a call. Returns early, and so cancels the call, once the
    /// client is gone.
    async fn stream(
        self: Arc<Self>,
        mut next: NextStep<P>,
        mut stream: ClientStream,
        id: Id,
        digest: RequestDigest,
    ) {
        let client = ClientContext::without_session(REVISION);
        let end = self
            .streamed
            .forward_notifications(&mut next, &id, &client, &mut stream);
        let Some(end) = end.await else {
            return;
        };
        let reply = Reply::new(id, self.outcome_of(end, || digest));
        self.outbound.finish(stream, &reply, REVISION).await;
    }
}

//! The stateless revision of Streamable HTTP, in which each request has all its context (2026-07-28,
//! Streamable HTTP).

mod call;
mod listen;
mod request;
mod request_state;
mod tasks;

pub(crate) use call::StatelessCalls;
pub(crate) use listen::Listeners;
pub(crate) use request_state::RequestStates;
pub(crate) use tasks::TaskMethods;

use crate::http::authenticated::Authenticated;
use crate::http::rejection::{RejectedRequest, Rejection};
use crate::http::response::accepted_response;
use crate::protocol::catalog::CatalogSource;
use crate::protocol::methods::{MethodError, MethodResult, Methods};
use crate::{Body, Parts};
use http::{HeaderMap, Response};
use mcp::headers::Accepted;
use mcp::jsonrpc::Message;
use mcp::stateless::{Metadata, check_version};
use mcp::{Error, ErrorCode};
use request::{REVISION, Request, unread};
use std::sync::Arc;

/// The transport of the stateless revision.
pub(crate) struct Stateless<P: Parts> {
    catalog: Arc<CatalogSource<P>>,
    methods: Arc<Methods<P>>,
    states: Arc<RequestStates<P>>,
    calls: Arc<StatelessCalls<P>>,
    listeners: Arc<Listeners<P>>,
    tasks: Arc<TaskMethods<P>>,
}

impl<P: Parts> Stateless<P> {
    pub(crate) fn new(
        catalog: Arc<CatalogSource<P>>,
        methods: Arc<Methods<P>>,
        states: Arc<RequestStates<P>>,
        calls: Arc<StatelessCalls<P>>,
        listeners: Arc<Listeners<P>>,
        tasks: Arc<TaskMethods<P>>,
    ) -> Self {
        Self {
            catalog,
            methods,
            states,
            calls,
            listeners,
            tasks,
        }
    }

    pub(crate) async fn handle(
        &self,
        headers: &HeaderMap,
        message: Message<'_>,
        authenticated: Authenticated,
        accepted: Accepted,
    ) -> Result<Response<Body>, RejectedRequest> {
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (id, method, params),
            // No notification changes anything: a call ends with its stream.
            Message::Notification { .. } => {
                check_version(headers).map_err(Rejection::BadRequest)?;
                return Ok(accepted_response());
            }
            Message::Response { .. } => {
                const REASON: &str = "This revision takes no JSON-RPC responses: send `inputResponses` in a new request.";
                let error = Error::new(ErrorCode::InvalidRequest, REASON);
                return Err(Rejection::BadRequest(error).into());
            }
            Message::Invalid { id, error } => return Ok(unread(id, error)),
        };
        let metadata = match Metadata::read(headers, &method, params) {
            Ok(metadata) => metadata,
            Err(error) => return Ok(unread(Some(id), error)),
        };
        let request = Request {
            headers,
            id,
            method,
            params,
            metadata,
            accepted,
        };
        let answered = match &*request.method {
            "tools/call" => self.calls.call(&request, authenticated).await,
            "subscriptions/listen" => {
                Box::pin(self.listeners.listen(&request, authenticated)).await
            }
            "tasks/get" | "tasks/update" | "tasks/cancel" => {
                // Results say who the server is, which the tools component has to be asked once.
                let _ = self.catalog.current().await;
                let result = Box::pin(self.tasks.call(&request, authenticated)).await;
                result.map(|result| request.respond(Ok(result)))
            }
            _ => {
                let result = Box::pin(self.call_method(&request, &authenticated)).await;
                result.map(|result| request.respond(Ok(result)))
            }
        };
        match answered {
            Ok(response) => Ok(response),
            Err(MethodError::Error(error)) => Ok(request.respond(Err(error))),
            Err(MethodError::Rejected(rejection)) => Err(RejectedRequest {
                id: Some(request.id),
                rejection,
            }),
        }
    }

    /// Calls a method with one result.
    async fn call_method(
        &self,
        request: &Request<'_>,
        authenticated: &Authenticated,
    ) -> Result<String, MethodError> {
        let answered = match &*request.method {
            "server/discover" => {
                let catalog = self.catalog.current().await?;
                return Ok(catalog.prepared(REVISION)?.discover.clone());
            }
            method @ ("tools/list"
            | "prompts/list"
            | "resources/templates/list"
            | "resources/list"
            | "resources/read"
            | "prompts/get"
            | "completion/complete") => {
                let round = self.states.round(request, authenticated)?;
                self.methods
                    .call(method, request.params, round, authenticated, REVISION)
                    .await?
            }
            method => return Err(Error::method_not_found(method).into()),
        };
        match answered {
            MethodResult::Result(result) => Ok(result),
            MethodResult::InputRequired(questions) => {
                Ok(self.states.ask(request, authenticated, &questions)?)
            }
        }
    }
}

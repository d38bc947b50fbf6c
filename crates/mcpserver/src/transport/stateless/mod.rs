//! Requests that need no session: each says all there is to know (2026-07-28, Streamable HTTP).

mod call;
mod listen;
mod request_state;
mod tasks;

use crate::http::authenticator::Authenticated;
use crate::http::rejection::{RejectedRequest, Rejection};
use crate::http::response::json;
use crate::protocol::methods::{MethodError, MethodResult};
use crate::transport::streamable_http::{accepted_response, answer};
use crate::{Body, Parts, Server};
use http::{HeaderMap, Response, StatusCode};
use mcp::headers::Accepted;
use mcp::jsonrpc::{Id, Message, Outcome, Reply};
use mcp::stateless::{Metadata, check_version};
use mcp::{Error, ErrorCode, Revision};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// The revision of everything here.
const REVISION: Revision = Revision::V2026_07_28;

/// A request, as far as it was read.
struct Request<'a> {
    headers: &'a HeaderMap,
    id: Id,
    method: Cow<'a, str>,
    params: Option<&'a RawValue>,
    metadata: Metadata<'a>,
    accepted: Accepted,
}

impl<P: Parts> Server<P> {
    pub(crate) async fn stateless(
        self: &Arc<Self>,
        headers: &HeaderMap,
        message: Message<'_>,
        authenticated: Authenticated,
        accepted: Accepted,
    ) -> Result<Response<Body>, RejectedRequest> {
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (id, method, params),
            // There is none that would change anything: a call ends with its stream.
            Message::Notification { .. } => {
                check_version(headers).map_err(Rejection::BadRequest)?;
                return Ok(accepted_response());
            }
            Message::Response { .. } => {
                const REASON: &str =
                    "No response is expected: questions are answered by asking again.";
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
            "tools/call" => self.stateless_call(&request, authenticated).await,
            "subscriptions/listen" => Box::pin(self.listen(&request, authenticated)).await,
            "tasks/get" | "tasks/update" | "tasks/cancel" => {
                let result = Box::pin(self.answer_about_task(&request, authenticated)).await;
                result.map(|result| request.respond(Ok(result)))
            }
            _ => {
                let result = Box::pin(self.answered(&request, &authenticated)).await;
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

    /// Answers a request that one result answers.
    async fn answered(
        &self,
        request: &Request<'_>,
        authenticated: &Authenticated,
    ) -> Result<String, MethodError> {
        let answered = match &*request.method {
            "server/discover" => {
                let catalog = self.catalog().await.ok_or_else(Error::internal)?;
                return Ok(catalog.prepared(REVISION).discover.clone());
            }
            method @ ("tools/list"
            | "prompts/list"
            | "resources/templates/list"
            | "resources/list"
            | "resources/read"
            | "prompts/get"
            | "completion/complete") => {
                let round = self.round(request, authenticated)?;
                self.answer_request(method, request.params, round, authenticated, REVISION)
                    .await?
            }
            method => return Err(Error::method_not_found(method).into()),
        };
        match answered {
            MethodResult::Result(result) => Ok(result),
            MethodResult::InputRequired(questions) => {
                Ok(self.ask(request, authenticated, &questions)?)
            }
        }
    }
}

impl Request<'_> {
    /// Returns the response: the one place that decides the status of a request that was read.
    fn respond(&self, outcome: Outcome) -> Response<Body> {
        let status = outcome.as_ref().map_or_else(status_of, |_| StatusCode::OK);
        let text = Reply::new(self.id.clone(), outcome).to_json(REVISION);
        match status {
            StatusCode::OK => answer(text, self.accepted),
            status => json(status, text),
        }
    }
}

/// Returns the status of an error (2026-07-28, Streamable HTTP). What is wrong with the headers, the
/// revision and the client's capabilities has one of its own, and so has a method that there is not;
/// anything else is between the two sides of JSON-RPC.
fn status_of(error: &Error) -> StatusCode {
    match error.code {
        ErrorCode::HeaderMismatch
        | ErrorCode::MissingClientCapability
        | ErrorCode::UnsupportedProtocolVersion => StatusCode::BAD_REQUEST,
        ErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}

/// Returns the response to what could not be read as a request of this revision.
fn unread(id: Option<Id>, error: Error) -> Response<Body> {
    let reply = Reply {
        id,
        outcome: Err(error),
    };
    json(StatusCode::BAD_REQUEST, reply.to_json(REVISION))
}

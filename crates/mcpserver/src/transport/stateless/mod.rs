//! Requests that need no session: each says all there is to know (2026-07-28, Streamable HTTP).

mod call;
mod listen;
mod request_state;
mod tasks;

use crate::http::authenticator::Authenticated;
use crate::http::rejection::Rejection;
use crate::http::response::json;
use crate::protocol::methods::{MethodError, MethodResult};
use crate::transport::streamable_http::{accepted_response, answer};
use crate::{Body, Parts, Server};
use http::{HeaderMap, Response, StatusCode};
use mcp::headers::Accepted;
use mcp::jsonrpc::{self, Id, Message};
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
    ) -> Result<Response<Body>, Rejection> {
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
                return Err(Rejection::BadRequest(Error::new(
                    ErrorCode::InvalidRequest,
                    REASON,
                )));
            }
            Message::Invalid { id, error } => {
                let response = jsonrpc::error_response(id.as_ref(), &error, REVISION);
                return Ok(json(StatusCode::BAD_REQUEST, response));
            }
        };
        let metadata = match Metadata::read(headers, &method, params) {
            Ok(metadata) => metadata,
            Err(error) => return Ok(failed(StatusCode::BAD_REQUEST, &id, &error)),
        };
        let request = Request {
            headers,
            id: id.clone(),
            method,
            params,
            metadata,
            accepted,
        };
        let answered = match &*request.method {
            "tools/call" => self.stateless_call(request, authenticated).await,
            "subscriptions/listen" => Box::pin(self.listen(request, authenticated)).await,
            "tasks/get" | "tasks/update" | "tasks/cancel" => {
                Box::pin(self.task_request(request, authenticated)).await
            }
            _ => Box::pin(self.answered(request, &authenticated)).await,
        };
        // A rejection has no id of its own, and every error has to have its request's.
        answered.map_err(|rejection| Rejection::Of(id, Box::new(rejection)))
    }

    /// Answers a request that one result answers.
    async fn answered(
        &self,
        request: Request<'_>,
        authenticated: &Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        let Request {
            id,
            method,
            params,
            accepted,
            ..
        } = &request;
        let answered = match &**method {
            "server/discover" => match self.catalog().await {
                Some(catalog) => Ok(MethodResult::Result(
                    catalog.prepared(REVISION).discover.clone(),
                )),
                None => Err(Error::internal().into()),
            },
            "tools/list"
            | "prompts/list"
            | "resources/templates/list"
            | "resources/list"
            | "resources/read"
            | "prompts/get"
            | "completion/complete" => match self.round(&request, authenticated) {
                Ok(round) => {
                    self.answer_request(method, *params, round, authenticated, REVISION)
                        .await
                }
                Err(error) => Err(error.into()),
            },
            method => Err(Error::method_not_found(method).into()),
        };
        match answered {
            Ok(MethodResult::Result(result)) => {
                Ok(answer(jsonrpc::response(id, &result), *accepted))
            }
            Ok(MethodResult::InputRequired(questions)) => {
                let asked = self.ask(&request, authenticated, &questions);
                Ok(self.asked(id, asked, *accepted))
            }
            Err(MethodError::Error(error)) => Ok(failed(status_of(&error), id, &error)),
            Err(MethodError::Rejected(rejection)) => Err(rejection),
        }
    }
}

/// The status of an error that answers a request (2026-07-28, Streamable HTTP). What is wrong with
/// the headers, the revision and the client's abilities has one of its own, and so has a method that
/// there is not; anything else is between the two sides of JSON-RPC.
fn status_of(error: &Error) -> StatusCode {
    match error.code {
        ErrorCode::HeaderMismatch
        | ErrorCode::MissingClientCapability
        | ErrorCode::UnsupportedProtocolVersion => StatusCode::BAD_REQUEST,
        ErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}

fn failed(status: StatusCode, id: &Id, error: &Error) -> Response<Body> {
    json(status, jsonrpc::error_response(Some(id), error, REVISION))
}

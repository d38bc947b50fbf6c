//! Requests of the stateless revision, and their responses (2026-07-28, Streamable HTTP).

use crate::Body;
use crate::http::response::{answer, json};
use http::{HeaderMap, Response, StatusCode};
use mcp::headers::Accepted;
use mcp::jsonrpc::{Id, Outcome, Reply};
use mcp::stateless::Metadata;
use mcp::{Error, ErrorCode, Revision};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The revision of everything here.
pub(super) const REVISION: Revision = Revision::V2026_07_28;

/// A request whose metadata was validated.
pub(super) struct Request<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) id: Id,
    pub(super) method: Cow<'a, str>,
    pub(super) params: Option<&'a RawValue>,
    pub(super) metadata: Metadata<'a>,
    pub(super) accepted: Accepted,
}

impl Request<'_> {
    /// Returns the response: the one place that decides the status of a request that was read.
    pub(super) fn respond(&self, outcome: Outcome) -> Response<Body> {
        let status = outcome.as_ref().map_or_else(status_of, |_| StatusCode::OK);
        let text = Reply::new(self.id.clone(), outcome).to_json(REVISION);
        match status {
            StatusCode::OK => answer(text, self.accepted),
            status => json(status, text),
        }
    }
}

/// Returns the status of an error (2026-07-28, Streamable HTTP). Errors of the headers, the revision and the
/// client's capabilities have a status, and so has an unknown method. Any other error is JSON-RPC's alone.
fn status_of(error: &Error) -> StatusCode {
    match error.code {
        ErrorCode::HeaderMismatch
        | ErrorCode::MissingClientCapability
        | ErrorCode::UnsupportedProtocolVersion => StatusCode::BAD_REQUEST,
        ErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}

/// Returns the response to an invalid request.
pub(super) fn unread(id: Option<Id>, error: Error) -> Response<Body> {
    let reply = Reply {
        id,
        outcome: Err(error),
    };
    json(StatusCode::BAD_REQUEST, reply.to_json(REVISION))
}

//! Streamable HTTP (2025-03-26 and later, Transports) at `/mcp`, with the choice of a request's revision.

use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::rejection::{RejectedRequest, Rejection};
use crate::transport::sessions::SessionTransport;
use crate::transport::stateless::Stateless;
use crate::{Body, Parts};
use http::{HeaderMap, Response};
use mcp::headers;
use mcp::jsonrpc::{self, Body as Messages};
use mcp::{Lifecycle, Revision, lifecycle};
use std::sync::Arc;

/// The endpoint `/mcp`.
pub(crate) struct StreamableHttp<P: Parts> {
    context: Arc<Context<P>>,
    sessions: Arc<SessionTransport<P>>,
    stateless: Arc<Stateless<P>>,
}

impl<P: Parts> StreamableHttp<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        sessions: Arc<SessionTransport<P>>,
        stateless: Arc<Stateless<P>>,
    ) -> Self {
        Self {
            context,
            sessions,
            stateless,
        }
    }

    /// Opens the stream of a session; `None` if it would never carry anything.
    ///
    /// # Errors
    ///
    /// The rejection of the request.
    pub(crate) async fn get(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Option<Response<Body>>, Rejection> {
        self.sessions.get(headers, authenticated).await
    }

    /// Ends a session; `None` if the request names none.
    ///
    /// # Errors
    ///
    /// The rejection of the request.
    pub(crate) async fn delete(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Option<Response<Body>>, Rejection> {
        self.sessions.delete(headers, authenticated).await
    }

    /// Handles messages.
    ///
    /// # Errors
    ///
    /// The rejection of the request.
    pub(crate) async fn post<B>(
        &self,
        headers: &HeaderMap,
        body: B,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, RejectedRequest>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !headers::is_json(headers) {
            return Err(Rejection::MediaType.into());
        }
        let accepted = headers::accepted(headers);
        if !accepted.json && !accepted.event_stream {
            let reason = "Accept application/json and text/event-stream.";
            return Err(Rejection::NotAcceptable(reason).into());
        }
        // An unknown revision is handled as a stateless one, whose transport rejects it.
        let named = headers::protocol_version(headers).unwrap_or(Some(Revision::NEWEST));
        let body = web::read_body(headers, body, self.context.config.message_limit).await?;
        let session = self.sessions.session(headers, &authenticated);
        let revision = match (named, &session) {
            (Some(named), _) if named.is_stateless() => named,
            (_, Some(Ok(session))) => session.revision,
            _ => named.unwrap_or(Revision::DEFAULT_WITHOUT_HEADER),
        };
        let messages = jsonrpc::parse(&body, revision).map_err(Rejection::BadRequest)?;
        match messages {
            Messages::Single(message) if lifecycle(headers, &message) == Lifecycle::Stateless => {
                let handled = self
                    .stateless
                    .handle(headers, message, authenticated, accepted);
                Box::pin(handled).await
            }
            messages => {
                let handled = self.sessions.post(
                    headers,
                    messages,
                    session,
                    revision,
                    authenticated,
                    accepted,
                );
                Ok(Box::pin(handled).await?)
            }
        }
    }
}

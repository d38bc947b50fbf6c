//! One request, and what comes until its response.

use crate::credentials::Header;
use crate::environment::{Environment, SendError};
use crate::error::Error;
use crate::incoming::{self, Incoming};
use crate::messages::{Messages, within};
use crate::outgoing::notification;
use crate::sessions::Lease;
use crate::wire::{Head, Wire};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mcp::headers::LAST_EVENT_ID;
use mcp::jsonrpc::{self, Id};
use mcp::{Error as RpcAnswer, Revision};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A request that is under way. Dropping it before it is over cancels it.
pub(crate) struct Sent<E: Environment> {
    wire: Arc<Wire<E>>,
    /// `None` of a stateless request.
    lease: Option<Lease<E>>,
    authorization: Option<Header>,
    id: u64,
    is_over: bool,
}

/// A request that is answered.
pub(crate) struct Exchange<E: Environment> {
    sent: Sent<E>,
    deadline: Duration,
    messages: Messages<E::Body>,
    read: VecDeque<Incoming>,
    /// Requests of the server.
    requests: u32,
}

/// Requests that the server sends while one of ours runs.
const MAX_REQUESTS: u32 = 100;

/// After which time a stream is asked for again: if the server does not say, at least, and at most.
const RETRY: Duration = Duration::from_secs(1);
const MIN_RETRY: Duration = Duration::from_millis(500);
const MAX_RETRY: Duration = Duration::from_secs(30);

/// For a notification that a request is cancelled.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

impl<E: Environment> Sent<E> {
    /// Notes a request that is about to be sent, in this session or in none.
    pub(crate) fn new(
        wire: &Arc<Wire<E>>,
        lease: Option<Lease<E>>,
        authorization: Option<&Header>,
    ) -> Self {
        Self {
            id: wire.new_id(),
            wire: Arc::clone(wire),
            lease,
            authorization: authorization.cloned(),
            is_over: false,
        }
    }

    /// Returns the id of the request.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Returns the headers of the session; none of a stateless request.
    pub(crate) fn session_headers(&self) -> HeaderMap {
        let lease = self.lease.as_ref();
        lease
            .map(|lease| lease.session.headers())
            .unwrap_or_default()
    }

    /// Returns what the request is authorized by.
    pub(crate) fn authorization(&self) -> Option<&Header> {
        self.authorization.as_ref()
    }

    /// Takes the request as over, and gives the session back.
    pub(crate) fn end(mut self) -> Option<Lease<E>> {
        self.is_over = true;
        self.lease.take()
    }

    /// Goes on with what the response has.
    pub(crate) fn answered(self, messages: Messages<E::Body>, deadline: Duration) -> Exchange<E> {
        Exchange {
            sent: self,
            deadline,
            messages,
            read: VecDeque::new(),
            requests: 0,
        }
    }
}

impl<E: Environment> Exchange<E> {
    /// Returns the id of the request.
    pub(crate) fn id(&self) -> u64 {
        self.sent.id
    }

    /// Waits for the next message. The response to the request is the last; those to others are left out.
    ///
    /// # Errors
    ///
    /// If nothing comes any more, or what comes is no message.
    pub(crate) async fn next(&mut self) -> Result<Incoming, Error> {
        loop {
            while let Some(message) = self.read.pop_front() {
                match &message {
                    Incoming::Response { id, .. } => {
                        let ours = self.sent.id.to_string();
                        let is_ours = |id: &Id| id.as_json() == ours;
                        // An error without an id is of the only request that was sent here.
                        if id.as_ref().is_none_or(is_ours) {
                            self.sent.is_over = true;
                            return Ok(message);
                        }
                    }
                    // From 2026-07-28 on there are none on such streams.
                    Incoming::Request { .. } if self.sent.lease.is_none() => {}
                    Incoming::Request { .. } => {
                        self.requests += 1;
                        if self.requests > MAX_REQUESTS {
                            return Err(Error::Malformed("it sends one request after the other"));
                        }
                        return Ok(message);
                    }
                    Incoming::Notification { .. } => return Ok(message),
                }
            }
            match self
                .messages
                .next(&self.sent.wire.environment, self.deadline)
                .await
            {
                Ok(Some(text)) => {
                    let text = self.sent.wire.redacted(text, self.sent.authorization());
                    self.read
                        .extend(incoming::read(&text).map_err(Error::Malformed)?);
                }
                Ok(None) => {
                    const ENDED: Error = Error::Malformed("a response ended before its message");
                    self.resume(ENDED).await?;
                }
                Err(error @ Error::Send(SendError::Unreachable(_))) => self.resume(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for the response, and returns the result. Requests of the server meanwhile are refused.
    ///
    /// # Errors
    ///
    /// If there is none, or an error in its place.
    pub(crate) async fn result(mut self) -> Result<Box<RawValue>, Error> {
        loop {
            match self.next().await? {
                Incoming::Response { outcome, .. } => return outcome.map_err(Error::Rpc),
                Incoming::Request { id, method, .. } => self.refuse(&id, &method).await?,
                Incoming::Notification { .. } => {}
            }
        }
    }

    /// Answers a request of the server that the client has no part in: `ping`, or one that is not known here.
    ///
    /// # Errors
    ///
    /// If the answer cannot be sent.
    pub(crate) async fn refuse(&self, id: &Id, method: &str) -> Result<(), Error> {
        match method {
            "ping" => self.reply(id, Ok("{}")).await,
            method => {
                self.reply(id, Err(&RpcAnswer::method_not_found(method)))
                    .await
            }
        }
    }

    /// Answers a request of the server.
    ///
    /// # Errors
    ///
    /// If the answer cannot be sent.
    pub(crate) async fn reply(
        &self,
        id: &Id,
        answer: Result<&str, &RpcAnswer>,
    ) -> Result<(), Error> {
        let Some(lease) = &self.sent.lease else {
            return Ok(());
        };
        let message = match answer {
            Ok(result) => jsonrpc::response(id, result),
            Err(error) => jsonrpc::error_response(Some(id), error, Revision::NEWEST_WITH_SESSIONS),
        };
        let headers = lease.session.headers();
        let authorization = self.sent.authorization.as_ref();
        let posted = self
            .sent
            .wire
            .post(headers, authorization, message.into(), 0, self.deadline);
        match posted.await? {
            Head::Failed(status, _) => Err(Error::Status(status)),
            Head::Accepted | Head::Messages(..) => Ok(()),
        }
    }

    /// Asks for the rest of a stream, until there is one (2025-11-25, Transports, Resumability and Redelivery).
    ///
    /// # Errors
    ///
    /// Fails with `ended` if it cannot be asked for, or is not to be had.
    async fn resume(&mut self, ended: Error) -> Result<(), Error> {
        let (Some(lease), Some((id, retry))) = (&self.sent.lease, self.messages.resumption())
        else {
            return Err(ended);
        };
        let Ok(id) = HeaderValue::from_bytes(id) else {
            return Err(ended);
        };
        let pause = retry.unwrap_or(RETRY).clamp(MIN_RETRY, MAX_RETRY);
        let mut headers: HeaderMap = lease.session.headers();
        headers.insert(HeaderName::from_static(LAST_EVENT_ID), id);
        let wire = &self.sent.wire;
        loop {
            let pause = wire.environment.sleep(pause);
            within(&wire.environment, self.deadline, pause).await?;
            let authorization = self.sent.authorization.as_ref();
            let (headers, body) = (headers.clone(), Bytes::new());
            let sent = wire.send(Method::GET, headers, authorization, body, self.deadline);
            match sent.await {
                Ok(response) if response.status() == StatusCode::OK => {
                    self.messages.resume(response.into_body());
                    return Ok(());
                }
                Ok(_) => return Err(ended),
                Err(Error::Send(SendError::Unreachable(_))) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<E: Environment> Drop for Sent<E> {
    fn drop(&mut self) {
        // That the response is read no further tells the server of a stateless request.
        let Some(lease) = self.lease.take().filter(|_| !self.is_over) else {
            return;
        };
        let cancelled = notification(
            "notifications/cancelled",
            &json!({ "requestId": self.id, "reason": "The caller does not wait any longer." }),
        );
        let (wire, authorization) = (Arc::clone(&self.wire), self.authorization.clone());
        self.wire.environment.spawn(async move {
            let deadline = wire.environment.elapsed() + CANCEL_TIMEOUT;
            let headers = lease.session.headers();
            let posted = wire.post(headers, authorization.as_ref(), cancelled, 0, deadline);
            drop(posted.await);
            drop(lease);
        });
    }
}

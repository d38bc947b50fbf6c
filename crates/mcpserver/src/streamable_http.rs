//! `/mcp`: Streamable HTTP (2025-03-26 to 2025-11-25, Transports). Requests that need no session go
//! on in `stateless`.

use crate::authentication::Authenticated;
use crate::body::{EventSender, events};
use crate::calls::{RunningCall, Step};
use crate::messages::Handled;
use crate::refusal::{Refusal, json};
use crate::server::event_stream;
use crate::session::Sessions;
use crate::{Body, Environment, Parts, Server};
use bytes::Bytes;
use futures::future::{Either, select};
use http::header::HeaderValue;
use http::{HeaderMap, Method, Response, StatusCode};
use mcp::headers::{self, Accepted, SESSION_ID};
use mcp::jsonrpc::{self, Body as Messages, Message};
use mcp::{Era, Error, ErrorCode, Revision, era, sse};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// The methods there are. A GET would open a stream of messages that belong to no request, of which
/// there are none; a DELETE would end a session, and sessions are not stored.
pub(crate) const METHODS: &str = "POST, OPTIONS";

/// Silence after which a stream says that it lives.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

impl<P: Parts> Server<P> {
    pub(crate) async fn streamable_http<B>(
        self: &Arc<Self>,
        method: &Method,
        headers: &HeaderMap,
        body: B,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if method != Method::POST {
            return Err(Refusal::Method(METHODS));
        }
        if !headers::is_json(headers) {
            return Err(Refusal::MediaType);
        }
        let accepted = headers::accepted(headers);
        if !accepted.json && !accepted.event_stream {
            return Err(Refusal::NotAcceptable(
                "Accept application/json and text/event-stream.",
            ));
        }
        // What names no revision that we know is taken for a stateless one, and refused as such.
        let named = headers::protocol_version(headers).unwrap_or(Some(Revision::NEWEST));
        let body = crate::server::read(headers, body, self.config.message_limit).await?;
        let session = headers.get(SESSION_ID).map(|id| {
            let id = id.to_str().unwrap_or_default();
            let now = self.environment.now();
            self.sessions
                .find(&self.config.keys, authenticated.subject(), id, now)
        });
        let revision = match (named, &session) {
            (Some(named), _) if named.is_stateless() => named,
            (_, Some(Ok(revision))) => *revision,
            _ => named.unwrap_or(Revision::ASSUMED),
        };
        let messages = jsonrpc::parse(&body, revision).map_err(Refusal::BadRequest)?;
        let messages = match messages {
            Messages::Single(message) if era(headers, &message) == Era::Stateless => {
                return self
                    .stateless(headers, message, authenticated, accepted)
                    .await;
            }
            messages => messages,
        };
        let method = match &messages {
            Messages::Single(Message::Request { method, .. }) => &**method,
            _ => "",
        };
        if matches!(session, Some(Err(_))) && method != "initialize" {
            return Err(Refusal::NoSession);
        }
        match messages {
            Messages::Single(message) => {
                self.single(message, authenticated, revision, accepted)
                    .await
            }
            Messages::Batch(messages) => {
                self.batch(messages, authenticated, revision, accepted)
                    .await
            }
        }
    }

    async fn single(
        self: &Arc<Self>,
        message: Message<'_>,
        authenticated: Authenticated,
        revision: Revision,
        accepted: Accepted,
    ) -> Result<Response<Body>, Refusal> {
        let handled = self
            .handle_message(message, &authenticated, revision, accepted.event_stream)
            .await?;
        let call = match handled {
            Handled::Nothing => return Ok(accepted_response()),
            Handled::Response(text) => return Ok(answer(text, accepted)),
            Handled::Invalid(text) => return Ok(json(StatusCode::BAD_REQUEST, text)),
            Handled::Initialized(text, revision) => {
                let id = Sessions::begin(
                    &self.config.keys,
                    authenticated.subject(),
                    revision,
                    self.environment.now(),
                    &mut self.environment.random(),
                );
                let mut response = answer(text, accepted);
                if let Ok(id) = HeaderValue::from_str(&id) {
                    response.headers_mut().insert(SESSION_ID, id);
                }
                return Ok(response);
            }
            Handled::Call(call) => call,
        };
        let mut running = match self.start_call(call, authenticated).await {
            Ok(running) => running,
            Err(ended) => return Ok(answer(ended, accepted)),
        };
        // The first thing that happens decides how the client is answered.
        match running.next(self).await {
            Step::Response(text) | Step::Unable(text) => Ok(answer(text, accepted)),
            Step::InputRequired(_) => Ok(answer(running.unasked(self), accepted)),
            Step::Notification(first) => {
                let (sender, body) = events();
                self.environment
                    .spawn(Arc::clone(self).stream(running, first, sender));
                Ok(event_stream(body))
            }
        }
    }

    /// Sends what a call has to say until it is over. Returns early, and so cancels the call, when
    /// the client is gone.
    async fn stream(
        self: Arc<Self>,
        mut running: RunningCall<P>,
        first: String,
        mut sender: EventSender,
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
            match step {
                Step::Notification(text) => {
                    if !sender.send(sse::message(&text)).await {
                        return;
                    }
                }
                Step::Response(text) | Step::Unable(text) => {
                    sender.send(sse::message(&text)).await;
                    return;
                }
                Step::InputRequired(_) => {
                    sender.send(sse::message(&running.unasked(&self))).await;
                    return;
                }
            }
        }
    }

    /// Handles the messages of a batch one after the other (2025-03-26 alone).
    async fn batch(
        self: &Arc<Self>,
        messages: Vec<Message<'_>>,
        authenticated: Authenticated,
        revision: Revision,
        accepted: Accepted,
    ) -> Result<Response<Body>, Refusal> {
        let mut responses = Vec::new();
        for message in messages {
            if let Some(response) = self.batched(message, &authenticated, revision).await? {
                responses.push(response);
            }
        }
        Ok(if responses.is_empty() {
            accepted_response()
        } else {
            answer(jsonrpc::batch_response(&responses), accepted)
        })
    }

    /// The response to a message that came with others.
    pub(crate) async fn batched(
        &self,
        message: Message<'_>,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<Option<String>, Refusal> {
        if let Message::Request { id, method, .. } = &message
            && method == "initialize"
        {
            let error = Error::new(
                ErrorCode::InvalidRequest,
                "An initialize request comes alone.",
            );
            return Ok(Some(jsonrpc::error_response(Some(id), &error, revision)));
        }
        let handled = self
            .handle_message(message, authenticated, revision, false)
            .await?;
        Ok(match handled {
            Handled::Nothing => None,
            Handled::Response(text) | Handled::Invalid(text) | Handled::Initialized(text, _) => {
                Some(text)
            }
            Handled::Call(call) => match self.start_call(call, authenticated.clone()).await {
                Err(ended) => Some(ended),
                Ok(mut running) => loop {
                    match running.next(self).await {
                        Step::Notification(_) => {}
                        Step::Response(text) | Step::Unable(text) => break Some(text),
                        Step::InputRequired(_) => break Some(running.unasked(self)),
                    }
                },
            },
        })
    }
}

/// 202, for what wants no answer.
pub(crate) fn accepted_response() -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::new()));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// A response in the kind that the client takes, JSON if it takes both.
pub(crate) fn answer(text: String, accepted: Accepted) -> Response<Body> {
    if accepted.json {
        json(StatusCode::OK, text)
    } else {
        event_stream(Body::whole(sse::message(&text)))
    }
}

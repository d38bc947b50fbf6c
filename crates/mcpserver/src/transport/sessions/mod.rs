//! Streamable HTTP of the revisions with sessions (2025-03-26 to 2025-11-25, Transports).

mod session;
mod states;

pub(crate) use session::{NotFound, Session, Sessions};

use crate::call::client_context::ClientContext;
use crate::call::streamed_call::{CallStart, StreamedCalls};
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::body::events;
use crate::http::rejection::Rejection;
use crate::http::response::{accepted_response, answer, event_stream, json};
use crate::protocol::catalog::CatalogSource;
use crate::protocol::dispatch::{Dispatched, Dispatcher};
use crate::stream::outbound::ClientStream;
use crate::stream::resumable::ResumableStreams;
use crate::stream::session_notifications::{CHANGES, ListeningSession, SessionNotifications};
use crate::stream::session_state::{SessionState, SessionUpdate};
use crate::stream::stored_stream::Reader;
use crate::{Body, Environment, Parts};
use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderMap, Response, StatusCode};
use mcp::Revision;
use mcp::headers::{self, Accepted, LAST_EVENT_ID, SESSION_ID};
use mcp::jsonrpc::{Body as Messages, Message, Outcome, Reply};
use states::SessionStates;
use std::sync::Arc;

/// The transport of the revisions with sessions.
pub(crate) struct SessionTransport<P: Parts> {
    context: Arc<Context<P>>,
    sessions: Sessions,
    states: SessionStates<P>,
    catalog: Arc<CatalogSource<P>>,
    dispatcher: Arc<Dispatcher<P>>,
    streamed: Arc<StreamedCalls<P>>,
    resumable: Arc<ResumableStreams<P>>,
    notifications: Arc<SessionNotifications<P>>,
}

impl<P: Parts> SessionTransport<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        catalog: Arc<CatalogSource<P>>,
        dispatcher: Arc<Dispatcher<P>>,
        streamed: Arc<StreamedCalls<P>>,
        resumable: Arc<ResumableStreams<P>>,
        notifications: Arc<SessionNotifications<P>>,
    ) -> Self {
        Self {
            states: SessionStates::new(context.clone()),
            context,
            sessions: Sessions::new(),
            catalog,
            dispatcher,
            streamed,
            resumable,
            notifications,
        }
    }

    /// Handles the messages of a POST.
    ///
    /// # Errors
    ///
    /// The rejection of the request.
    pub(crate) async fn post(
        &self,
        headers: &HeaderMap,
        messages: Messages<'_>,
        session: Option<Result<Session, NotFound>>,
        revision: Revision,
        authenticated: Authenticated,
        accepted: Accepted,
    ) -> Result<Response<Body>, Rejection> {
        let method = match &messages {
            Messages::Single(Message::Request { method, .. }) => &**method,
            _ => "",
        };
        // An `initialize` may name a revision without sessions.
        let revision = match revision.is_stateless() {
            true => Revision::NEWEST_WITH_SESSIONS,
            false => revision,
        };
        let mut client = ClientContext::without_session(revision);
        client.may_stream = accepted.event_stream;
        // An `initialize` begins a new session, whatever session the client had.
        if method != "initialize"
            && let Some(session) = session
        {
            let session = session.map_err(|_| Rejection::NoSession)?;
            let state = self.states.recent(&session).await?;
            client.capabilities = session.capabilities;
            client.log_level = state.log_level;
            client.session = Some(session.name);
        }
        match messages {
            Messages::Single(message) => {
                Box::pin(self.single(message, headers, authenticated, client, accepted)).await
            }
            Messages::Batch(messages) => {
                Box::pin(self.batch(messages, authenticated, client, accepted)).await
            }
        }
    }

    /// Returns the session that a request names.
    pub(crate) fn session(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Option<Result<Session, NotFound>> {
        let id = headers.get(SESSION_ID)?.to_str().unwrap_or_default();
        let now = self.context.environment.now();
        let keys = &self.context.config.keys;
        Some(self.sessions.find(keys, authenticated.subject(), id, now))
    }

    /// DELETE: the client ends its session (2025-11-25, Transports, Session Management). `None` if the request names none.
    pub(crate) async fn delete(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Option<Response<Body>>, Rejection> {
        let Some(session) = self.session(headers, authenticated) else {
            return Ok(None);
        };
        let session = session.map_err(|_| Rejection::NoSession)?;
        self.states.current(&session).await?;
        let over = SessionState {
            is_over: true,
            ..SessionState::default()
        };
        self.states.keep(&session, over, authenticated).await?;
        let mut response = Response::new(Body::whole(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(Some(response))
    }

    /// Applies an update to the session that a request names.
    async fn apply(
        &self,
        update: SessionUpdate,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Outcome, Rejection> {
        let done = Ok(Ok("{}".to_owned()));
        // Without a session there is no state to change.
        let Some(Ok(session)) = self.session(headers, authenticated) else {
            return done;
        };
        let mut state = self.states.current(&session).await?;
        match state.apply(update) {
            Ok(false) => done,
            Ok(true) => {
                self.states.keep(&session, state, authenticated).await?;
                done
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn single(
        &self,
        message: Message<'_>,
        headers: &HeaderMap,
        authenticated: Authenticated,
        client: ClientContext,
        accepted: Accepted,
    ) -> Result<Response<Body>, Rejection> {
        let revision = client.revision;
        let respond = |reply: &Reply| answer(reply.to_json(revision), accepted);
        let dispatched = self
            .dispatcher
            .dispatch(message, &authenticated, &client)
            .await?;
        let (id, call) = match dispatched {
            Dispatched::Nothing => return Ok(accepted_response()),
            Dispatched::Reply(reply) => return Ok(respond(&reply)),
            Dispatched::Invalid(reply) => {
                return Ok(json(StatusCode::BAD_REQUEST, reply.to_json(revision)));
            }
            Dispatched::Initialized(reply, revision, capabilities) => {
                let id = Sessions::begin(
                    &self.context.config.keys,
                    authenticated.subject(),
                    revision,
                    capabilities,
                    self.context.environment.now(),
                    &mut self.context.environment.random(),
                );
                let mut response = respond(&reply);
                if let Ok(id) = HeaderValue::from_str(&id) {
                    response.headers_mut().insert(SESSION_ID, id);
                }
                return Ok(response);
            }
            Dispatched::Update(id, update) => {
                let outcome = self.apply(update, headers, &authenticated).await?;
                return Ok(respond(&Reply::new(id, outcome)));
            }
            Dispatched::Questions(asking, questions) => {
                let (stream, body) = self.stream(&asking.client, &asking.authenticated).await;
                self.context
                    .environment
                    .spawn(self.dispatcher.run(*asking, questions, stream));
                return Ok(event_stream(body));
            }
            Dispatched::Call(id, call) => (id, call),
        };
        // The first step decides whether the response is a stream.
        let begun = self
            .streamed
            .begin(id.clone(), call, authenticated.clone(), client.clone())
            .await;
        match begun {
            CallStart::Done(outcome) => Ok(respond(&Reply::new(id, outcome))),
            CallStart::Running(streamed) => {
                let (stream, body) = self.stream(&client, &authenticated).await;
                self.context
                    .environment
                    .spawn(Arc::clone(&self.streamed).run(streamed, stream));
                Ok(event_stream(body))
            }
        }
    }

    /// Opens the stream that is the response to a request, and returns its body with it.
    async fn stream(
        &self,
        client: &ClientContext,
        authenticated: &Authenticated,
    ) -> (ClientStream, Body) {
        if let (Some(session), Some(seconds)) =
            (&client.session, self.context.config.stream_seconds)
        {
            let reader = Reader {
                subject: authenticated.subject(),
                session,
                revision: client.revision,
            };
            let (stream, body) = self.resumable.open(&reader, seconds).await;
            return (ClientStream::resumable(stream), body);
        }
        let (sender, body) = events();
        (ClientStream::stream(sender), body)
    }

    /// GET: the rest of a stream whose connection was closed, or else notifications of changes. `None` if the request
    /// names no session, or the stream would never carry anything.
    pub(crate) async fn get(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Option<Response<Body>>, Rejection> {
        let Some(session) = self.session(headers, authenticated) else {
            return Ok(None);
        };
        let session = session.map_err(|_| Rejection::NoSession)?;
        if !headers::accepted(headers).event_stream {
            return Err(Rejection::NotAcceptable("Accept text/event-stream."));
        }
        self.states.current(&session).await?;
        let last = headers.get(LAST_EVENT_ID);
        let last = last.map(|id| id.to_str().unwrap_or_default());
        let (Some(id), Some(seconds)) = (
            last.filter(|id| !id.starts_with(CHANGES)),
            self.context.config.stream_seconds,
        ) else {
            let Ok(catalog) = self.catalog.current().await else {
                return Ok(None);
            };
            let notified = catalog.changes_for(authenticated);
            let listening = ListeningSession {
                name: session.name,
                revision: session.revision,
                ends_at: session.ends_at,
            };
            let stream = self
                .notifications
                .open(listening, authenticated, notified, last);
            return stream.await;
        };
        let reader = Reader {
            subject: authenticated.subject(),
            session: &session.name,
            revision: session.revision,
        };
        let authority = authenticated.authority();
        let resumed = self.resumable.resume(id, &reader, authority, seconds);
        resumed.await.map(Some)
    }

    /// Handles the messages of a batch one after the other (2025-03-26 alone).
    async fn batch(
        &self,
        messages: Vec<Message<'_>>,
        authenticated: Authenticated,
        client: ClientContext,
        accepted: Accepted,
    ) -> Result<Response<Body>, Rejection> {
        let replies = self
            .dispatcher
            .batch_replies(messages, &authenticated, client)
            .await?;
        Ok(replies.map_or_else(accepted_response, |text| answer(text, accepted)))
    }
}

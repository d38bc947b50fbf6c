//! `/mcp`: Streamable HTTP (2025-03-26 to 2025-11-25, Transports). Requests that need no session go
//! on in `stateless`.

use crate::call::client_context::ClientContext;
use crate::call::streamed_call::First;
use crate::http::authenticator::Authenticated;
use crate::http::body::events;
use crate::http::rejection::{RejectedRequest, Rejection};
use crate::http::response::event_stream;
use crate::http::response::json;
use crate::protocol::dispatch::Dispatched;
use crate::stream::outbound::ClientStream;
use crate::stream::resumable::Reader;
use crate::stream::session_notifications::CHANGES;
use crate::stream::session_state::{SessionState, SessionUpdate};
use crate::transport::session::{NotFound, Session, Sessions};
use crate::{Body, Environment, Parts, Server};
use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderMap, Method, Response, StatusCode};
use mcp::headers::{self, Accepted, LAST_EVENT_ID, SESSION_ID};
use mcp::jsonrpc::{self, Body as Messages, Id, Message, Outcome, Reply};
use mcp::{Error, ErrorCode, Lifecycle, Revision, lifecycle, sse};
use std::sync::Arc;

/// The methods there are.
pub(crate) const METHODS: &str = "GET, POST, DELETE, OPTIONS";

/// Those there are where a GET would never get anything.
const METHODS_WITHOUT_STREAM: &str = "POST, DELETE, OPTIONS";

/// Sessions of one person in a minute that something is kept of.
const STATES_PER_MINUTE: u64 = 120;

impl<P: Parts> Server<P> {
    pub(crate) async fn streamable_http<B>(
        self: &Arc<Self>,
        method: &Method,
        headers: &HeaderMap,
        body: B,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, RejectedRequest>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match *method {
            Method::POST => {}
            Method::GET => return Ok(Box::pin(self.get_stream(headers, &authenticated)).await?),
            Method::DELETE => return Ok(Box::pin(self.end_session(headers, &authenticated)).await?),
            _ => return Err(Rejection::Method(METHODS).into()),
        }
        if !headers::is_json(headers) {
            return Err(Rejection::MediaType.into());
        }
        let accepted = headers::accepted(headers);
        if !accepted.json && !accepted.event_stream {
            let reason = "Accept application/json and text/event-stream.";
            return Err(Rejection::NotAcceptable(reason).into());
        }
        // What names no revision that we know is taken for a stateless one, and refused as such.
        let named = headers::protocol_version(headers).unwrap_or(Some(Revision::NEWEST));
        let body = web::read_body(headers, body, self.context.config.message_limit).await?;
        let session = self.session(headers, &authenticated);
        let revision = match (named, &session) {
            (Some(named), _) if named.is_stateless() => named,
            (_, Some(Ok(session))) => session.revision,
            _ => named.unwrap_or(Revision::DEFAULT_WITHOUT_HEADER),
        };
        let messages = jsonrpc::parse(&body, revision).map_err(Rejection::BadRequest)?;
        let messages = match messages {
            Messages::Single(message) if lifecycle(headers, &message) == Lifecycle::Stateless => {
                return Box::pin(self.stateless(headers, message, authenticated, accepted)).await;
            }
            messages => messages,
        };
        let method = match &messages {
            Messages::Single(Message::Request { method, .. }) => &**method,
            _ => "",
        };
        // An `initialize` may name a revision that has none.
        let revision = match revision.is_stateless() {
            true => Revision::NEWEST_WITH_SESSIONS,
            false => revision,
        };
        let mut client = ClientContext::without_session(revision);
        client.may_stream = accepted.event_stream;
        // Whoever initializes begins anew, whatever session they had.
        if method != "initialize"
            && let Some(session) = session
        {
            let session = session.map_err(|_| Rejection::NoSession)?;
            let state = self.session_state(&session).await?;
            client.capabilities = session.capabilities;
            client.log_level = state.log_level;
            client.session = Some(session.name);
        }
        Ok(match messages {
            Messages::Single(message) => {
                Box::pin(self.single(message, headers, authenticated, client, accepted)).await?
            }
            Messages::Batch(messages) => {
                Box::pin(self.batch(messages, authenticated, client, accepted)).await?
            }
        })
    }

    /// The session that a request names.
    fn session(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Option<Result<Session, NotFound>> {
        let id = headers.get(SESSION_ID)?.to_str().unwrap_or_default();
        let now = self.context.environment.now();
        let keys = &self.context.config.keys;
        Some(self.sessions.find(keys, authenticated.subject(), id, now))
    }

    /// What the client has changed in its session.
    ///
    /// # Errors
    ///
    /// No session, if it has ended it.
    async fn session_state(&self, session: &Session) -> Result<SessionState, Rejection> {
        let now = self.context.environment.now();
        let state = self
            .context
            .store
            .get::<SessionState>(&session.name, now)
            .await;
        let state = state.map_err(|error| self.unavailable(&error))?;
        match state {
            Some(state) if state.is_over => Err(Rejection::NoSession),
            state => Ok(state.unwrap_or_default()),
        }
    }

    /// DELETE: the client ends its session (2025-11-25, Transports, Session Management).
    async fn end_session(
        &self,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        let session = self.session(headers, authenticated);
        let session = session.ok_or(Rejection::Method(METHODS_WITHOUT_STREAM))?;
        let session = session.map_err(|_| Rejection::NoSession)?;
        self.session_state(&session).await?;
        let over = SessionState {
            is_over: true,
            ..SessionState::default()
        };
        self.keep_state(&session, &over, authenticated).await?;
        let mut response = Response::new(Body::whole(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    async fn keep_state(
        &self,
        session: &Session,
        state: &SessionState,
        authenticated: &Authenticated,
    ) -> Result<(), Rejection> {
        let kept = self.try_keep_state(session, state, authenticated).await;
        match kept.map_err(|error| self.unavailable(&error))? {
            true => Ok(()),
            false => Err(Rejection::TooMany),
        }
    }

    /// `false` if the person has too many sessions with something to keep.
    async fn try_keep_state(
        &self,
        session: &Session,
        state: &SessionState,
        authenticated: &Authenticated,
    ) -> Result<bool, store::Error> {
        let Session { name, ends_at, .. } = session;
        let now = self.context.environment.now();
        if self
            .context
            .store
            .get::<SessionState>(name, now)
            .await?
            .is_some()
        {
            self.context.store.put(name, state, Some(*ends_at)).await?;
            return Ok(true);
        }
        let limit = format!("mcp-session-limit:{}", authenticated.person());
        if !self
            .context
            .store
            .check_rate_limit(&limit, STATES_PER_MINUTE, 60, now)
            .await?
        {
            return Ok(false);
        }
        self.context.store.create(name, state, *ends_at).await?;
        Ok(true)
    }

    /// Applies an update to the session that a request names.
    async fn apply(
        &self,
        update: SessionUpdate,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Outcome, Rejection> {
        let done = Ok(Ok("{}".to_owned()));
        // Without a session there is nothing to keep it in.
        let Some(Ok(session)) = self.session(headers, authenticated) else {
            return done;
        };
        let mut state = self.session_state(&session).await?;
        match state.apply(update) {
            Ok(false) => done,
            Ok(true) => {
                self.keep_state(&session, &state, authenticated).await?;
                done
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn single(
        self: &Arc<Self>,
        message: Message<'_>,
        headers: &HeaderMap,
        authenticated: Authenticated,
        client: ClientContext,
        accepted: Accepted,
    ) -> Result<Response<Body>, Rejection> {
        let revision = client.revision;
        let respond = |reply: &Reply| answer(reply.to_json(revision), accepted);
        let dispatched = self.dispatch(message, &authenticated, &client).await?;
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
                    .spawn(Arc::clone(self).run_request(*asking, questions, stream));
                return Ok(event_stream(body));
            }
            Dispatched::Call(id, call) => (id, call),
        };
        // What happens first decides how the client is answered.
        let begun = self
            .begin(id.clone(), call, authenticated.clone(), client.clone())
            .await;
        match begun {
            First::Done(outcome) => Ok(respond(&Reply::new(id, outcome))),
            First::GoesOn(streamed) => {
                let (stream, body) = self.stream(&client, &authenticated).await;
                self.context
                    .environment
                    .spawn(Arc::clone(self).run(streamed, stream));
                Ok(event_stream(body))
            }
        }
    }

    /// The stream that answers a request, and its body.
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

    /// GET: the rest of a stream that was broken off, or else what changes.
    async fn get_stream(
        self: &Arc<Self>,
        headers: &HeaderMap,
        authenticated: &Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        const NONE: Rejection = Rejection::Method(METHODS_WITHOUT_STREAM);
        let session = self.session(headers, authenticated).ok_or(NONE)?;
        let session = session.map_err(|_| Rejection::NoSession)?;
        if !headers::accepted(headers).event_stream {
            return Err(Rejection::NotAcceptable("Accept text/event-stream."));
        }
        self.session_state(&session).await?;
        let last = headers.get(LAST_EVENT_ID);
        let last = last.map(|id| id.to_str().unwrap_or_default());
        let (Some(id), Some(seconds)) = (
            last.filter(|id| !id.starts_with(CHANGES)),
            self.context.config.stream_seconds,
        ) else {
            let stream = self.listen_in_session(session, authenticated, last).await?;
            return stream.ok_or(NONE);
        };
        let reader = Reader {
            subject: authenticated.subject(),
            session: &session.name,
            revision: session.revision,
        };
        let authority = authenticated.authority();
        self.resumable.resume(id, &reader, authority, seconds).await
    }

    /// Handles the messages of a batch one after the other (2025-03-26 alone).
    async fn batch(
        self: &Arc<Self>,
        messages: Vec<Message<'_>>,
        authenticated: Authenticated,
        client: ClientContext,
        accepted: Accepted,
    ) -> Result<Response<Body>, Rejection> {
        let replies = self.batch_replies(messages, &authenticated, client).await?;
        Ok(replies.map_or_else(accepted_response, |text| answer(text, accepted)))
    }

    /// Returns the replies to the messages of a batch as one array; `None` if no message expects a
    /// response.
    pub(crate) async fn batch_replies(
        self: &Arc<Self>,
        messages: Vec<Message<'_>>,
        authenticated: &Authenticated,
        client: ClientContext,
    ) -> Result<Option<String>, Rejection> {
        let client = ClientContext {
            may_stream: false,
            ..client
        };
        let mut responses = Vec::new();
        for message in messages {
            let reply = self.batched(message, authenticated, &client).await?;
            responses.extend(reply.map(|reply| reply.to_json(client.revision)));
        }
        Ok((!responses.is_empty()).then(|| jsonrpc::batch_response(&responses)))
    }

    /// The reply to a message that came with others.
    async fn batched(
        self: &Arc<Self>,
        message: Message<'_>,
        authenticated: &Authenticated,
        client: &ClientContext,
    ) -> Result<Option<Reply>, Rejection> {
        let alone = |id: Id, what: &str| {
            let reason = format!("{what} comes alone.");
            let error = Error::new(ErrorCode::InvalidRequest, reason);
            Ok(Some(Reply::new(id, Err(error))))
        };
        if let Message::Request { id, method, .. } = &message
            && method == "initialize"
        {
            return alone(id.clone(), "An initialize request");
        }
        let dispatched = self.dispatch(message, authenticated, client).await?;
        let (id, call) = match dispatched {
            Dispatched::Nothing => return Ok(None),
            Dispatched::Reply(reply)
            | Dispatched::Invalid(reply)
            | Dispatched::Initialized(reply, _, _) => return Ok(Some(reply)),
            Dispatched::Update(id, _) => {
                return alone(id, "A request that changes the session");
            }
            // Who cannot be asked in between has no capabilities, and is asked nothing.
            Dispatched::Questions(asking, _) => {
                return Ok(Some(Reply::new(asking.id, Err(Error::internal()))));
            }
            Dispatched::Call(id, call) => (id, call),
        };
        let outcome = self.call_to_end(call, authenticated.clone()).await;
        Ok(Some(Reply::new(id, outcome)))
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

//! HTTP+SSE (2024-11-05, Transports) at `/sse` and `/messages`.
//!
//! The client opens a stream at `/sse`, whose first event has the URL for messages, and posts its messages
//! there. Each is handled in its own POST. Responses go into the session's mailbox, from which the stream
//! takes them.
//!
//! The session ends with its stream, and a client cannot open the same session with a newer token. So the
//! stream does not end with the token that opened it, but with the grant.

use crate::call::client_context::ClientContext;
use crate::call::streamed_call::{CallStart, StreamedCalls};
use crate::call::tool_call::PreparedCall;
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::body::{EventSender, events};
use crate::http::endpoints::EndpointUrls;
use crate::http::grant_watch::GrantWatch;
use crate::http::rejection::Rejection;
use crate::http::response::event_stream;
use crate::protocol::catalog::CatalogSource;
use crate::protocol::dispatch::{Dispatched, Dispatcher};
use crate::stream::mailbox::{MailboxId, MailboxRead, OpenError, PostError, Reader, Session};
use crate::stream::outbound::{ClientStream, Outbound};
use crate::stream::poll_loop::{Poll, Polled, poll_loop};
use crate::stream::session_notifications::{Listener, SessionNotifications};
use crate::stream::timing::{HEARTBEAT_INTERVAL, pace};
use crate::{Body, Environment, Parts};
use futures::channel::oneshot;
use futures::future::select;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode, Uri};
use mcp::headers;
use mcp::jsonrpc::{self, Body as Messages, Id, Reply};
use mcp::{Error, ErrorCode, Revision, sse};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use store::ReadAhead;

/// The time that the response to a POST waits for the call that the POST began.
const CALL_WAIT_TIMEOUT: Duration = Duration::from_secs(2);

/// The endpoints `/sse` and `/messages`.
pub(crate) struct HttpSse<P: Parts> {
    context: Arc<Context<P>>,
    grants: Arc<GrantWatch<P>>,
    catalog: Arc<CatalogSource<P>>,
    dispatcher: Arc<Dispatcher<P>>,
    streamed: Arc<StreamedCalls<P>>,
    outbound: Arc<Outbound<P>>,
    notifications: Arc<SessionNotifications<P>>,
}

impl<P: Parts> HttpSse<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        grants: Arc<GrantWatch<P>>,
        catalog: Arc<CatalogSource<P>>,
        dispatcher: Arc<Dispatcher<P>>,
        streamed: Arc<StreamedCalls<P>>,
        outbound: Arc<Outbound<P>>,
        notifications: Arc<SessionNotifications<P>>,
    ) -> Self {
        Self {
            context,
            grants,
            catalog,
            dispatcher,
            streamed,
            outbound,
            notifications,
        }
    }

    /// GET `/sse`.
    pub(crate) async fn open(
        self: &Arc<Self>,
        headers: &HeaderMap,
        endpoints: &EndpointUrls,
        authenticated: &Authenticated,
    ) -> Result<Response<Body>, Rejection> {
        if !headers::accepted(headers).event_stream {
            return Err(Rejection::NotAcceptable("Accept text/event-stream."));
        }
        let listener = match self.catalog.current().await {
            Ok(catalog) => {
                let notified = catalog.changes_for(authenticated);
                let listener = self.notifications.listener(notified).await;
                listener.map_err(|error| Rejection::unavailable(&error))?
            }
            Err(_) => None,
        };
        let (id, sealed) = self
            .outbound
            .mailboxes()
            .open(
                authenticated.subject(),
                self.context.environment.now(),
                &mut self.context.environment.random(),
            )
            .await
            .map_err(|error| match error {
                OpenError::TooMany => Rejection::TooMany,
                OpenError::Store(error) => Rejection::unavailable(&error),
            })?;
        let endpoint = sse::endpoint(&format!("{}?sessionId={sealed}", endpoints.messages));
        let (sender, body) = events();
        let authenticated = authenticated.clone();
        let work = Arc::clone(self).deliver(id, endpoint, listener, authenticated, sender);
        self.context.environment.spawn(work);
        Ok(event_stream(body))
    }

    /// Takes messages out of the mailbox and sends them, until the client is gone.
    async fn deliver(
        self: Arc<Self>,
        id: MailboxId,
        endpoint: String,
        listener: Option<Listener>,
        authenticated: Authenticated,
        mut sender: EventSender,
    ) {
        if sender.send(endpoint).await
            && let Err(error) = self
                .deliver_messages(&id, listener, &authenticated, ClientStream::stream(sender))
                .await
        {
            log_line::write(format_args!("mcp: a stream ends early: {error}"));
        }
        if let Err(error) = self.outbound.mailboxes().close(&id).await {
            log_line::write(format_args!("mcp: a mailbox is left to the sweep: {error}"));
        }
    }

    async fn deliver_messages(
        &self,
        id: &MailboxId,
        listener: Option<Listener>,
        authenticated: &Authenticated,
        stream: ClientStream,
    ) -> Result<(), store::Error> {
        let mut delivery = Delivery {
            server: self,
            id,
            reader: self.outbound.mailboxes().read(id),
            listener,
            stream,
            reads: 0,
            since_heartbeat: Duration::ZERO,
        };
        poll_loop(
            &self.context,
            &self.grants,
            authenticated.authority(),
            pace,
            &mut delivery,
        )
        .await
    }

    /// POST `/messages`.
    pub(crate) async fn post<B>(
        self: &Arc<Self>,
        uri: &Uri,
        headers: &HeaderMap,
        body: B,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, Rejection>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !headers::is_json(headers) {
            return Err(Rejection::MediaType);
        }
        let id = session_id(uri)
            .and_then(|sealed| {
                self.outbound
                    .mailboxes()
                    .find(authenticated.subject(), sealed)
            })
            .ok_or(Rejection::NoSession)?;
        let body = web::read_body(headers, body, self.context.config.message_limit).await?;
        let now = self.context.environment.now();
        let session = self
            .outbound
            .mailboxes()
            .session(&id, now)
            .await
            .map_err(|error| Rejection::unavailable(&error))?
            .ok_or(Rejection::NoSession)?;
        let revision = session.revision.unwrap_or(Revision::V2024_11_05);
        let client = ClientContext {
            revision,
            capabilities: session.capabilities,
            log_level: session.state.log_level,
            may_stream: true,
            session: Some(id.name().to_owned()),
        };
        let messages = jsonrpc::parse(&body, revision).map_err(Rejection::BadRequest)?;
        let message = match messages {
            Messages::Single(message) => message,
            Messages::Batch(messages) => {
                let replies = self
                    .dispatcher
                    .batch_replies(messages, &authenticated, client)
                    .await?;
                if let Some(replies) = replies {
                    self.reply(&id, &replies).await?;
                }
                return Ok(accepted());
            }
        };
        let reply = match self
            .dispatcher
            .dispatch(message, &authenticated, &client)
            .await?
        {
            Dispatched::Nothing => None,
            Dispatched::Reply(reply) | Dispatched::Invalid(reply) => Some(reply),
            Dispatched::Initialized(reply, revision, capabilities) => {
                let session = Session {
                    revision: Some(revision),
                    capabilities,
                    ..session
                };
                self.keep_session(&id, &session, now).await?;
                Some(reply)
            }
            Dispatched::Update(request, update) => {
                let mut session = session;
                let outcome = match session.state.apply(update) {
                    Ok(is_new) => {
                        if is_new {
                            self.keep_session(&id, &session, now).await?;
                        }
                        Ok("{}".to_owned())
                    }
                    Err(error) => Err(error),
                };
                Some(Reply::new(request, outcome))
            }
            Dispatched::Questions(asking, questions) => {
                let stream = ClientStream::mail(id.clone());
                self.context
                    .environment
                    .spawn(self.dispatcher.run(*asking, questions, stream));
                None
            }
            Dispatched::Call(request, call) => {
                let (ended, end) = oneshot::channel::<()>();
                let work =
                    Arc::clone(self).call_by_mail(request, call, authenticated, client, id.clone());
                self.context.environment.spawn(async move {
                    work.await;
                    // The request may have ended.
                    let _ = ended.send(());
                });
                let timeout = pin!(self.context.environment.sleep(CALL_WAIT_TIMEOUT));
                select(end, timeout).await;
                None
            }
        };
        if let Some(reply) = reply {
            self.reply(&id, &reply.to_json(revision)).await?;
        }
        Ok(accepted())
    }

    async fn keep_session(
        &self,
        id: &MailboxId,
        session: &Session,
        now: u64,
    ) -> Result<(), Rejection> {
        let kept = self.outbound.mailboxes().keep(id, session, now).await;
        kept.map_err(|error| Rejection::unavailable(&error))
    }

    /// Makes a call whose messages go into a mailbox.
    async fn call_by_mail(
        self: Arc<Self>,
        request: Id,
        call: PreparedCall,
        authenticated: Authenticated,
        client: ClientContext,
        id: MailboxId,
    ) {
        let revision = client.revision;
        let begun = self
            .streamed
            .begin(request.clone(), call, authenticated, client);
        match begun.await {
            CallStart::Done(outcome) => {
                let reply = Reply::new(request, outcome);
                self.outbound
                    .post_or_log(&id, &reply.to_json(revision))
                    .await;
            }
            CallStart::Running(streamed) => {
                Arc::clone(&self.streamed)
                    .run(streamed, ClientStream::mail(id))
                    .await;
            }
        }
    }

    async fn reply(&self, id: &MailboxId, message: &str) -> Result<(), Rejection> {
        self.outbound
            .mailboxes()
            .post(id, message, &self.context.environment)
            .await
            .map_err(|error| match error {
                PostError::TooLarge => Rejection::BadRequest(Error::new(
                    ErrorCode::InternalError,
                    "The response is too large for this transport.",
                )),
                error => Rejection::unavailable(&error),
            })
    }
}

/// The delivery of a mailbox to the stream of its session.
struct Delivery<'a, P: Parts> {
    server: &'a HttpSse<P>,
    id: &'a MailboxId,
    reader: Reader,
    listener: Option<Listener>,
    stream: ClientStream,
    reads: u32,
    since_heartbeat: Duration,
}

impl<P: Parts> Delivery<'_, P> {
    async fn session(&self) -> Result<Option<Session>, store::Error> {
        let now = self.server.context.environment.now();
        self.server.outbound.mailboxes().session(self.id, now).await
    }
}

impl<P: Parts> Poll for Delivery<'_, P> {
    type End = ();

    fn next_key(&self) -> Option<String> {
        let HttpSse {
            outbound,
            notifications,
            ..
        } = self.server;
        match &self.listener {
            Some(listener) if is_for_changes(self.reads.wrapping_add(1)) => {
                notifications.next_key(listener)
            }
            _ => self.reader.next_key(&outbound.mailboxes()),
        }
    }

    async fn look(&mut self, ahead: &mut ReadAhead) -> Result<Polled<()>, store::Error> {
        let HttpSse {
            context,
            outbound,
            notifications,
            ..
        } = self.server;
        let mailboxes = outbound.mailboxes();
        let now = context.environment.now();
        self.reads = self.reads.wrapping_add(1);
        let messages = match &mut self.listener {
            Some(listener) if is_for_changes(self.reads) => {
                let subscriptions = async {
                    let session = mailboxes.session(self.id, now).await?;
                    Ok(session.unwrap_or_default().state.subscriptions)
                };
                notifications.news(listener, subscriptions, ahead).await?
            }
            _ => match self.reader.look(&mailboxes, now, ahead).await? {
                MailboxRead::Message(message) => vec![message],
                MailboxRead::Part => return Ok(Polled::Found),
                MailboxRead::Nothing => Vec::new(),
            },
        };
        if messages.is_empty() {
            return Ok(Polled::Nothing);
        }
        for message in &messages {
            if !outbound.send(&mut self.stream, message).await {
                return Ok(Polled::End(()));
            }
        }
        Ok(Polled::Found)
    }

    async fn rest(&mut self, waited: Duration) -> Result<Option<()>, store::Error> {
        let outbound = &self.server.outbound;
        if !outbound.keep_alive(&mut self.stream, waited).await {
            return Ok(Some(()));
        }
        self.since_heartbeat += waited;
        if self.since_heartbeat >= HEARTBEAT_INTERVAL {
            self.since_heartbeat = Duration::ZERO;
            let Some(session) = self.session().await? else {
                return Ok(Some(()));
            };
            let now = self.server.context.environment.now();
            outbound.mailboxes().keep(self.id, &session, now).await?;
        }
        Ok(None)
    }

    fn grant_ended(&self) {}
}

/// Whether the read with this number is for changes: every fourth is, so that an idle session costs no more reads.
fn is_for_changes(read: u32) -> bool {
    read.is_multiple_of(4)
}

fn session_id(uri: &Uri) -> Option<&str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("sessionId="))
}

/// Returns 202 with the text that the SDKs' servers send.
fn accepted() -> Response<Body> {
    let mut response = Response::new(Body::whole("Accepted"));
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

//! The way to the server: its sessions, and what is sent again.

use crate::discovered::Discovered;
use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::{Exchange, Sent};
use crate::lifecycles::{Lifecycles, is_of_stateless, may_be_of_before};
use crate::outgoing::{Outgoing, initialize, notification, set_level};
use crate::peer::Peer;
use crate::posted::{Posted, Refused, post};
use crate::sessions::{Lease, Session, Sessions};
use crate::settings::Settings;
use crate::wire::{Head, MAX_SHORT_BYTES, Wire};
use http::{HeaderMap, HeaderValue, StatusCode};
use mcp::headers::SESSION_ID;
use mcp::{ErrorCode, Lifecycle, Revision};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The way to the server.
pub(crate) struct Connection<E: Environment> {
    pub(crate) wire: Arc<Wire<E>>,
    lifecycles: Lifecycles<E>,
    sessions: Arc<Sessions<E>>,
}

/// The revisions with sessions that are offered, newest first.
const SESSION_REVISIONS: [Revision; 3] = [
    Revision::V2025_11_25,
    Revision::V2025_06_18,
    Revision::V2025_03_26,
];

/// A session id that servers give has no more.
const MAX_SESSION_ID_BYTES: usize = 1024;

impl<E: Environment> Connection<E> {
    pub(crate) fn new(settings: Settings, environment: E) -> Self {
        let wire = Arc::new(Wire::new(settings, environment));
        Self {
            lifecycles: Lifecycles::new(Arc::clone(&wire)),
            sessions: Arc::new(Sessions::new(Arc::clone(&wire))),
            wire,
        }
    }

    /// Sends a request, of whose response `max_bytes` are taken. What was certainly not done is sent again, once: in a
    /// new session, or in the other lifecycle if the server has another one than before.
    ///
    /// # Errors
    ///
    /// If it is not answered with messages.
    pub(crate) async fn send(
        &self,
        peer: &Peer,
        outgoing: &Outgoing,
        max_bytes: usize,
        deadline: Duration,
    ) -> Result<Exchange<E>, Error> {
        let known = self.lifecycles.known();
        let lifecycle = match known {
            Some(lifecycle) => lifecycle,
            None => self.lifecycles.find_out(peer, deadline).await?.0,
        };
        let error = match self
            .send_in(lifecycle, peer, outgoing, max_bytes, deadline)
            .await
        {
            Ok(exchange) => return Ok(exchange),
            Err(error) => error,
        };
        let may_have_changed = known.is_some()
            && self.wire.settings.revision.is_none()
            && match (&error, lifecycle) {
                (Error::Rpc(error), Lifecycle::Stateless) => may_be_of_before(error),
                (Error::Rpc(error), Lifecycle::Session) => is_of_stateless(error),
                (Error::Status(status), Lifecycle::Stateless) => status.is_client_error(),
                (Error::NoRevision, Lifecycle::Session) => true,
                _ => false,
            };
        if may_have_changed
            && let Ok((found, _)) = self.lifecycles.find_out(peer, deadline).await
            && found != lifecycle
        {
            return self
                .send_in(found, peer, outgoing, max_bytes, deadline)
                .await;
        }
        Err(error)
    }

    /// Sends a request in this lifecycle.
    async fn send_in(
        &self,
        lifecycle: Lifecycle,
        peer: &Peer,
        outgoing: &Outgoing,
        max_bytes: usize,
        deadline: Duration,
    ) -> Result<Exchange<E>, Error> {
        let authorization = peer.authorization.as_ref();
        if lifecycle == Lifecycle::Stateless {
            let sent = Sent::new(&self.wire, None, authorization);
            let (headers, body) = outgoing.stateless(sent.id(), peer);
            return match post(&self.wire, sent, headers, body, max_bytes, deadline).await? {
                Posted::Response(exchange) => Ok(exchange),
                Posted::Refused(refused) => Err(refused.into_error()),
            };
        }
        let mut is_second = false;
        loop {
            let lease = self.session(peer, deadline).await?;
            let may_be_unknown = lease.is_reused && !is_second;
            let sent = Sent::new(&self.wire, Some(lease), authorization);
            let (headers, body) = (sent.session_headers(), outgoing.in_session(sent.id()));
            match post(&self.wire, sent, headers, body, max_bytes, deadline).await? {
                Posted::Response(exchange) => return Ok(exchange),
                Posted::Refused(refused) if may_be_unknown && is_of_unknown_session(&refused) => {
                    if let Some(lease) = refused.sent.end() {
                        lease.give_up();
                    }
                    is_second = true;
                }
                Posted::Refused(refused) => return Err(refused.into_error()),
            }
        }
    }

    /// Returns what the server says of itself, and the session in which it says so, if there are any.
    ///
    /// # Errors
    ///
    /// If it says nothing.
    pub(crate) async fn discover(
        &self,
        peer: &Peer,
        deadline: Duration,
    ) -> Result<(Discovered, Option<Lease<E>>), Error> {
        let lifecycle = match self.lifecycles.known() {
            Some(lifecycle) => lifecycle,
            None => match self.lifecycles.find_out(peer, deadline).await? {
                (_, Some(discovered)) => return Ok((discovered, None)),
                (lifecycle, None) => lifecycle,
            },
        };
        if lifecycle == Lifecycle::Session {
            let lease = self.session(peer, deadline).await?;
            return Ok((lease.session.discovered.clone(), Some(lease)));
        }
        let outgoing = Outgoing::discover();
        let sent = self.send(peer, &outgoing, MAX_SHORT_BYTES, deadline);
        let result = sent.await?.result().await?;
        let (discovered, _) = Discovered::of_discover(&result).map_err(Error::Malformed)?;
        Ok((discovered, None))
    }

    /// Returns the session of this caller, and begins one if there is none.
    async fn session(&self, peer: &Peer, deadline: Duration) -> Result<Lease<E>, Error> {
        let lease = match self.sessions.find(peer) {
            Some(lease) => lease,
            None => self.begin(peer, deadline).await?,
        };
        if let Some(level) = lease.session.new_log_level(peer.log_level) {
            let headers = lease.session.headers();
            let authorization = peer.authorization.as_ref();
            let body = set_level(level).in_session(self.wire.new_id());
            // Without it there are other log messages, and no other call.
            let posted = self
                .wire
                .post(headers, authorization, body, MAX_SHORT_BYTES, deadline);
            drop(posted.await);
        }
        Ok(lease)
    }

    /// Begins a session (2025-11-25, Lifecycle). A server that does not take a revision is offered an older one.
    async fn begin(&self, peer: &Peer, deadline: Duration) -> Result<Lease<E>, Error> {
        let newest = self.wire.settings.revision.unwrap_or(SESSION_REVISIONS[0]);
        let offers = SESSION_REVISIONS
            .into_iter()
            .filter(|offer| *offer <= newest);
        let mut refused = Error::NoRevision;
        for offer in offers {
            match self.initialize(offer, peer, deadline).await {
                Ok(session) => {
                    let ready = notification("notifications/initialized", &json!({}));
                    let (headers, authorization) = (session.headers(), peer.authorization.as_ref());
                    self.wire
                        .post(headers, authorization, ready, MAX_SHORT_BYTES, deadline)
                        .await?;
                    return Ok(self.sessions.add(session));
                }
                Err(Error::Rpc(error)) if error.is(ErrorCode::MethodNotFound) => {
                    return Err(Error::NoRevision);
                }
                Err(Error::Rpc(error)) if !is_of_stateless(&error) => refused = Error::Rpc(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    async fn initialize(
        &self,
        offer: Revision,
        peer: &Peer,
        deadline: Duration,
    ) -> Result<Session, Error> {
        let sent = Sent::new(&self.wire, None, peer.authorization.as_ref());
        let body = initialize(offer, peer).in_session(sent.id());
        let authorization = peer.authorization.as_ref();
        let posted = self.wire.post(
            HeaderMap::new(),
            authorization,
            body,
            MAX_SHORT_BYTES,
            deadline,
        );
        let (headers, messages) = match posted.await? {
            Head::Messages(headers, messages) => (headers, messages),
            Head::Accepted => return Err(Error::Malformed("initialize is not answered")),
            Head::Failed(_, Some((_, error))) => return Err(Error::Rpc(error)),
            Head::Failed(status, None) => return Err(Error::Status(status)),
        };
        let id = headers.get(SESSION_ID).map(session_id).transpose()?;
        let result = sent.answered(messages, deadline).result().await?;
        let (discovered, revision) =
            Discovered::of_initialize(&result).map_err(Error::Malformed)?;
        Ok(Session::new(id, revision, discovered, peer))
    }
}

/// Returns whether the server does not know the session. It ought to answer 404; some answer 400.
fn is_of_unknown_session<E: Environment>(refused: &Refused<E>) -> bool {
    refused.status == StatusCode::NOT_FOUND
        || (refused.status == StatusCode::BAD_REQUEST && !refused.is_answer())
}

/// Takes a session id, which holds visible characters alone.
fn session_id(id: &HeaderValue) -> Result<HeaderValue, Error> {
    let bytes = id.as_bytes();
    let is_id = (1..=MAX_SESSION_ID_BYTES).contains(&bytes.len())
        && bytes.iter().all(|byte| (0x21..=0x7e).contains(byte));
    let mut id = id.clone();
    id.set_sensitive(true);
    is_id.then_some(id).ok_or(Error::Malformed(
        "it gives a session id that sessions cannot have",
    ))
}

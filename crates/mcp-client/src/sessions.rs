//! The sessions of revisions up to 2025-11-25 (Transports, Session Management). A session belongs to one caller: whatever a
//! server keeps in it, no other person meets.

use crate::credentials::Header;
use crate::discovered::Discovered;
use crate::environment::Environment;
use crate::peer::Peer;
use crate::wire::Wire;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mcp::headers::{PROTOCOL_VERSION, SESSION_ID};
use mcp::{ClientCapabilities, LogLevel, Revision};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A session.
pub(crate) struct Session {
    /// Servers that keep nothing between requests give none.
    pub(crate) id: Option<HeaderValue>,
    pub(crate) revision: Revision,
    pub(crate) discovered: Discovered,
    subject: Option<String>,
    capabilities: ClientCapabilities,
    latest: Mutex<Latest>,
}

struct Latest {
    authorization: Option<Header>,
    log_level: Option<LogLevel>,
    users: usize,
    used_at: Duration,
    /// The server has said that it does not know the session.
    is_unknown: bool,
}

impl Session {
    pub(crate) fn new(
        id: Option<HeaderValue>,
        revision: Revision,
        discovered: Discovered,
        peer: &Peer,
    ) -> Self {
        Self {
            id,
            revision,
            discovered,
            subject: peer.subject.clone(),
            capabilities: peer.capabilities,
            latest: Mutex::new(Latest {
                authorization: peer.authorization.clone(),
                log_level: None,
                users: 0,
                used_at: Duration::ZERO,
                is_unknown: false,
            }),
        }
    }

    /// Returns the headers of every request of the session.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        // 2025-03-26 has no such header.
        if self.revision.has_structured_content() {
            let revision = HeaderValue::from_static(self.revision.as_str());
            headers.insert(PROTOCOL_VERSION, revision);
        }
        if let Some(id) = &self.id {
            headers.insert(HeaderName::from_static(SESSION_ID), id.clone());
        }
        headers
    }

    /// Returns the level that the server has to be told, and takes it as told.
    pub(crate) fn new_log_level(&self, wanted: Option<LogLevel>) -> Option<LogLevel> {
        let wanted = wanted.filter(|_| self.discovered.capabilities.logging.is_some())?;
        let latest = &mut *self.latest();
        let is_new = latest.log_level != Some(wanted);
        latest.log_level = Some(wanted);
        is_new.then_some(wanted)
    }

    fn is_for(&self, peer: &Peer) -> bool {
        self.subject == peer.subject && self.capabilities == peer.capabilities
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sessions of this instance.
pub(crate) struct Sessions<E> {
    wire: Arc<Wire<E>>,
    kept: Mutex<Vec<Arc<Session>>>,
}

/// The use of a session by one request.
pub(crate) struct Lease<E: Environment> {
    sessions: Arc<Sessions<E>>,
    pub(crate) session: Arc<Session>,
    /// Whether the session was there before the request: it may have ended.
    pub(crate) is_reused: bool,
}

/// Sessions that an instance keeps.
const MAX_SESSIONS: usize = 64;

/// For the request that ends a session: at most, and where the caller waits for it.
const END_TIMEOUT: Duration = Duration::from_secs(5);
const SHORT_END_TIMEOUT: Duration = Duration::from_secs(1);

impl<E: Environment> Sessions<E> {
    pub(crate) fn new(wire: Arc<Wire<E>>) -> Self {
        Self {
            wire,
            kept: Mutex::default(),
        }
    }

    /// Returns the session of this caller, if there is one.
    pub(crate) fn find(self: &Arc<Self>, peer: &Peer) -> Option<Lease<E>> {
        let session = self
            .kept()
            .iter()
            .find(|session| session.is_for(peer))
            .cloned()?;
        session
            .latest()
            .authorization
            .clone_from(&peer.authorization);
        Some(self.lease(session, true))
    }

    /// Keeps a new session, in place of an earlier one of the same caller.
    pub(crate) fn add(self: &Arc<Self>, session: Session) -> Lease<E> {
        let session = Arc::new(session);
        let lease = self.lease(Arc::clone(&session), false);
        let left = {
            let kept = &mut *self.kept();
            let is_same = |other: &Arc<Session>| {
                other.subject == session.subject && other.capabilities == session.capabilities
            };
            let left = match kept.iter().position(is_same) {
                Some(same) => Some(kept.remove(same)),
                None if kept.len() >= MAX_SESSIONS => {
                    let oldest = (0..kept.len()).min_by_key(|&at| kept[at].latest().used_at);
                    oldest.map(|oldest| kept.remove(oldest))
                }
                None => None,
            };
            kept.push(Arc::clone(&session));
            left
        };
        if let Some(left) = left.filter(|left| left.latest().users == 0) {
            self.end(&left);
        }
        if !E::SESSION_IDLE.is_zero() && session.id.is_some() {
            let sessions = Arc::clone(self);
            self.wire
                .environment
                .spawn(async move { sessions.end_when_idle(session).await });
        }
        lease
    }

    fn lease(self: &Arc<Self>, session: Arc<Session>, is_reused: bool) -> Lease<E> {
        {
            let latest = &mut *session.latest();
            latest.users += 1;
            latest.used_at = self.wire.environment.elapsed();
        }
        Lease {
            sessions: Arc::clone(self),
            session,
            is_reused,
        }
    }

    async fn end_when_idle(self: Arc<Self>, session: Arc<Session>) {
        let mut idle_at = self.wire.environment.elapsed() + E::SESSION_IDLE;
        loop {
            let now = self.wire.environment.elapsed();
            self.wire
                .environment
                .sleep(idle_at.saturating_sub(now))
                .await;
            idle_at = {
                let latest = session.latest();
                let now = self.wire.environment.elapsed();
                let since = if latest.users > 0 {
                    now
                } else {
                    latest.used_at
                };
                since + E::SESSION_IDLE
            };
            let is_idle = idle_at <= self.wire.environment.elapsed();
            if is_idle && self.forget(&session) {
                self.end(&session);
            }
            if is_idle || !self.is_kept(&session) {
                return;
            }
        }
    }

    fn is_kept(&self, session: &Arc<Session>) -> bool {
        self.kept().iter().any(|kept| Arc::ptr_eq(kept, session))
    }

    /// Returns whether the session was kept until now.
    fn forget(&self, session: &Arc<Session>) -> bool {
        let mut kept = self.kept();
        let before = kept.len();
        kept.retain(|kept| !Arc::ptr_eq(kept, session));
        kept.len() < before
    }

    /// Tells the server that the session is over. Not every server wants to know.
    fn end(&self, session: &Arc<Session>) {
        if session.id.is_none() || session.latest().is_unknown {
            return;
        }
        let (wire, session) = (Arc::clone(&self.wire), Arc::clone(session));
        self.wire.environment.spawn(async move {
            let authorization = session.latest().authorization.clone();
            let timeout = match E::SESSION_IDLE.is_zero() {
                true => SHORT_END_TIMEOUT,
                false => END_TIMEOUT,
            };
            let deadline = wire.environment.elapsed() + timeout;
            let (headers, body) = (session.headers(), Bytes::new());
            let ended = wire.send(
                Method::DELETE,
                headers,
                authorization.as_ref(),
                body,
                deadline,
            );
            drop(ended.await);
        });
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Session>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Environment> Lease<E> {
    /// Gives up a session that the server does not know any more.
    pub(crate) fn give_up(self) {
        self.session.latest().is_unknown = true;
        self.sessions.forget(&self.session);
    }
}

impl<E: Environment> Drop for Lease<E> {
    fn drop(&mut self) {
        let is_unused = {
            let latest = &mut *self.session.latest();
            latest.users = latest.users.saturating_sub(1);
            latest.used_at = self.sessions.wire.environment.elapsed();
            latest.users == 0
        };
        let is_kept = self.sessions.is_kept(&self.session);
        if is_unused && (!is_kept || E::SESSION_IDLE.is_zero()) {
            self.sessions.forget(&self.session);
            self.sessions.end(&self.session);
        }
    }
}

//! Notifications of changes on the GET stream of a session (2025-11-25, Transports, Listening for Messages
//! from the Server).
//!
//! No message goes to more than one stream of a session (Multiple Connections): the newest stream gets it,
//! and the others end at that moment. The store has which one is the newest, as streams of one session may
//! be on different machines.

use crate::context::Context;
use crate::contract::tools::{Changed, Changes};
use crate::http::authenticated::Authenticated;
use crate::http::body::{EventSender, events};
use crate::http::grant_watch::GrantWatch;
use crate::http::rejection::Rejection;
use crate::http::response::event_stream;
use crate::rate_limit;
use crate::stream::change_feed::{ChangeFeed, ChangeReader, FeedRead};
use crate::stream::poll_loop::{Poll, Polled, poll_loop};
use crate::stream::session_state::SessionState;
use crate::stream::timing::{KEEP_ALIVE_INTERVAL, RETRY_MILLISECONDS, pace};
use crate::{Body, Environment, Parts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use mcp::{Revision, sse};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::{ReadAhead, Record};

/// The key of the limit of streams that listen for changes, with sessions and without.
pub(crate) const LISTEN_LIMIT: &str = "listen-limit";

/// The prefix of the ids of events that tell of changes.
pub(crate) const CHANGES: &str = "changes.";

/// The newest stream of a session.
#[derive(Serialize, Deserialize)]
struct NewestStream(String);

impl Record for NewestStream {
    const KIND: &'static str = "mcp-listening";
}

/// The reader of the changes that a session is notified of.
pub(crate) struct Listener {
    reader: ChangeReader,
    notified: Changes,
}

/// A session whose client listens.
pub(crate) struct ListeningSession {
    pub(crate) name: String,
    pub(crate) revision: Revision,
    /// In seconds since the Unix epoch.
    pub(crate) ends_at: u64,
}

/// A stream of a session.
struct SessionStream {
    session: ListeningSession,
    authenticated: Authenticated,
    /// The value of the record while this is the newest stream.
    newest: NewestStream,
}

/// The streams of session notifications.
pub(crate) struct SessionNotifications<P: Parts> {
    context: Arc<Context<P>>,
    grants: Arc<GrantWatch<P>>,
    changes: Arc<ChangeFeed<P>>,
}

impl<P: Parts> SessionNotifications<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        grants: Arc<GrantWatch<P>>,
        changes: Arc<ChangeFeed<P>>,
    ) -> Self {
        Self {
            context,
            grants,
            changes,
        }
    }

    /// Returns a listener for these kinds of changes; `None` if there are none.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn listener(
        &self,
        notified: Changes,
    ) -> Result<Option<Listener>, store::Error> {
        if notified == Changes::default() {
            return Ok(None);
        }
        let reader = self.changes.reader().await?;
        Ok(Some(Listener { reader, notified }))
    }

    /// Returns the key that the next look for a listener's notifications reads first.
    pub(crate) fn next_key(&self, listener: &Listener) -> Option<String> {
        listener.reader.next_key(&self.changes)
    }

    /// Returns the notifications for a listener. One read of the store if there are none, unless that was read `ahead`.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn news(
        &self,
        listener: &mut Listener,
        subscriptions: impl Future<Output = Result<Vec<String>, store::Error>>,
        ahead: &mut ReadAhead,
    ) -> Result<Vec<String>, store::Error> {
        let notified = listener.notified;
        let changed = match listener.reader.look(&self.changes, ahead).await? {
            FeedRead::Nothing => return Ok(Vec::new()),
            FeedRead::Change(Changed::Resource(uri)) => {
                let is_notified = notified.resource_contents && subscriptions.await?.contains(&uri);
                let changed = is_notified.then_some(Changed::Resource(uri));
                changed.into_iter().collect()
            }
            FeedRead::Change(changed) => vec![changed],
            FeedRead::Anything => {
                let mut changed = vec![Changed::Tools, Changed::Prompts, Changed::Resources];
                if notified.resource_contents {
                    changed.extend(subscriptions.await?.into_iter().map(Changed::Resource));
                }
                changed
            }
        };
        let messages = changed.iter().filter(|changed| match changed {
            Changed::Tools => notified.tools,
            Changed::Prompts => notified.prompts,
            Changed::Resources => notified.resources,
            Changed::Resource(_) => notified.resource_contents,
        });
        Ok(messages.map(|changed| changed.to_message(None)).collect())
    }

    /// Returns the response to a session's GET; `None` if its stream would never carry anything.
    pub(crate) async fn open(
        self: &Arc<Self>,
        session: ListeningSession,
        authenticated: &Authenticated,
        notified: Changes,
        last_event: Option<&str>,
    ) -> Result<Option<Response<Body>>, Rejection> {
        let listener = self.listener(notified).await;
        let listener = listener.map_err(|error| Rejection::unavailable(&error))?;
        let Some(mut listener) = listener else {
            return Ok(None);
        };
        let now = self.context.environment.now();
        let (store, person) = (&self.context.store, authenticated.person());
        let is_within_limit = rate_limit::check(store, LISTEN_LIMIT, &person, now).await;
        if !is_within_limit.map_err(|error| Rejection::unavailable(&error))? {
            return Err(Rejection::TooMany);
        }
        if let Some(number) = last_event.and_then(change_number) {
            listener.reader.go_back_to(number);
        }
        // After the listener has begun, so that a change in between is on one stream at least.
        let newest = self.become_newest(&session, authenticated).await;
        let newest = newest.map_err(|error| Rejection::unavailable(&error))?;
        let stream = SessionStream {
            session,
            authenticated: authenticated.clone(),
            newest,
        };
        let (sender, body) = events();
        self.context
            .environment
            .spawn(Arc::clone(self).deliver(listener, stream, sender));
        Ok(Some(event_stream(body)))
    }

    /// Makes a new stream the newest of its session.
    async fn become_newest(
        &self,
        session: &ListeningSession,
        authenticated: &Authenticated,
    ) -> Result<NewestStream, store::Error> {
        let bytes: [u8; 12] = self.context.environment.random().random();
        let newest = NewestStream(URL_SAFE_NO_PAD.encode(bytes));
        let now = self.context.environment.now();
        let name = &session.name;
        let ends_at = authenticated.ends_at.min(session.ends_at);
        if self
            .context
            .store
            .get::<NewestStream>(name, now)
            .await?
            .is_some()
        {
            self.context.store.put(name, &newest, Some(ends_at)).await?;
        } else {
            self.context.store.create(name, &newest, ends_at).await?;
        }
        Ok(newest)
    }

    async fn is_newest(&self, stream: &SessionStream) -> Result<bool, store::Error> {
        let now = self.context.environment.now();
        let newest = self
            .context
            .store
            .get::<NewestStream>(&stream.session.name, now)
            .await?;
        Ok(newest.is_none_or(|newest| newest.0 == stream.newest.0))
    }

    async fn deliver(
        self: Arc<Self>,
        mut listener: Listener,
        stream: SessionStream,
        mut sender: EventSender,
    ) {
        let delivered = self.deliver_news(&mut listener, &stream, &mut sender).await;
        if let Err(error) = delivered {
            log_line::write(format_args!("mcp: a stream ends early: {error}"));
        }
    }

    async fn deliver_news(
        &self,
        listener: &mut Listener,
        stream: &SessionStream,
        sender: &mut EventSender,
    ) -> Result<(), store::Error> {
        let began = self.context.environment.now();
        let stream_seconds = self.context.config.stream_seconds;
        let closes_at = stream_seconds.map(|seconds| began + seconds);
        if closes_at.is_some() && stream.session.revision.polls() {
            let id = change_id(listener.reader.last());
            if !sender.send(sse::priming(&id, RETRY_MILLISECONDS)).await {
                return Ok(());
            }
        }
        let mut delivery = NewsDelivery {
            notifications: self,
            listener,
            stream,
            sender,
            closes_at,
            silent: Duration::ZERO,
        };
        let authority = stream.authenticated.authority();
        poll_loop(
            &self.context,
            &self.grants,
            authority,
            slow_pace,
            &mut delivery,
        )
        .await
    }
}

/// Returns the pace of changes, which may wait longer than messages.
fn slow_pace(idle: Duration) -> Duration {
    pace(idle).max(Duration::from_millis(100))
}

/// The delivery of notifications to the stream of a session.
struct NewsDelivery<'a, P: Parts> {
    notifications: &'a SessionNotifications<P>,
    listener: &'a mut Listener,
    stream: &'a SessionStream,
    sender: &'a mut EventSender,
    closes_at: Option<u64>,
    silent: Duration,
}

impl<P: Parts> NewsDelivery<'_, P> {
    async fn state(&self) -> Result<Option<SessionState>, store::Error> {
        let Context {
            store, environment, ..
        } = &*self.notifications.context;
        store
            .get(&self.stream.session.name, environment.now())
            .await
    }
}

impl<P: Parts> Poll for NewsDelivery<'_, P> {
    type End = ();

    fn next_key(&self) -> Option<String> {
        self.notifications.next_key(self.listener)
    }

    async fn look(&mut self, ahead: &mut ReadAhead) -> Result<Polled<()>, store::Error> {
        const END: Result<Polled<()>, store::Error> = Ok(Polled::End(()));
        let SessionStream {
            session,
            authenticated,
            ..
        } = self.stream;
        let Context {
            store, environment, ..
        } = &*self.notifications.context;
        let now = environment.now();
        if authenticated.ends_at <= now {
            return END;
        }
        if self.closes_at.is_some_and(|at| now >= at) && session.revision.polls() {
            self.sender.send(sse::retry(RETRY_MILLISECONDS)).await;
            return END;
        }
        let subscriptions = async {
            let state = store.get::<SessionState>(&session.name, now).await?;
            Ok(state.unwrap_or_default().subscriptions)
        };
        let news = self
            .notifications
            .news(self.listener, subscriptions, ahead)
            .await?;
        if news.is_empty() {
            return Ok(Polled::Nothing);
        }
        if !self.notifications.is_newest(self.stream).await? {
            return END;
        }
        for message in news {
            let event = match self.closes_at {
                Some(_) => {
                    let id = change_id(self.listener.reader.last());
                    sse::message_with_id(&id, &message)
                }
                None => sse::message(&message),
            };
            if !self.sender.send(event).await {
                return END;
            }
        }
        self.silent = Duration::ZERO;
        Ok(Polled::Found)
    }

    async fn rest(&mut self, waited: Duration) -> Result<Option<()>, store::Error> {
        self.silent += waited;
        if self.silent < KEEP_ALIVE_INTERVAL {
            return Ok(None);
        }
        self.silent = Duration::ZERO;
        let now = self.notifications.context.environment.now();
        let is_over = self.state().await?.is_some_and(|state| state.is_over)
            || self.stream.session.ends_at <= now
            || !self.notifications.is_newest(self.stream).await?
            || !self.sender.send(sse::KEEP_ALIVE.to_owned()).await;
        Ok(is_over.then_some(()))
    }

    fn grant_ended(&self) {}
}

/// Returns the id of the event for the change with this number. It is not sealed: changes are the same for
/// every person, and what a token's holder may know of them is decided again.
fn change_id(number: u64) -> String {
    format!("{CHANGES}{number}")
}

fn change_number(id: &str) -> Option<u64> {
    id.strip_prefix(CHANGES)?.parse().ok()
}

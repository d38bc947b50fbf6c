//! `subscriptions/listen`: streams of notifications (2026-07-28, Subscriptions).
//!
//! A stream reads the changes from the store, so any instance can have it. It ends with the token that
//! opened it, with that token's grant, and when its client is gone. When `stream_seconds` are over it ends
//! without a result, after which clients listen again.

use super::request::{REVISION, Request};
use crate::context::Context;
use crate::contract::tools::{Changed, Changes};
use crate::http::authenticated::Authenticated;
use crate::http::body::events;
use crate::http::grant_watch::GrantWatch;
use crate::http::rejection::Rejection;
use crate::http::response::event_stream;
use crate::protocol::catalog::CatalogSource;
use crate::protocol::methods::MethodError;
use crate::rate_limit;
use crate::stream::change_feed::{ChangeFeed, ChangeReader, FeedRead};
use crate::stream::outbound::{ClientStream, Outbound};
use crate::stream::poll_loop::{Poll, Polled, poll_loop};
use crate::stream::session_notifications::LISTEN_LIMIT;
use crate::tasks::{Fingerprint, TaskId, Tasks, ViewError};
use crate::transport::stateless::tasks::missing_tasks_capability;
use crate::{Body, Environment, Parts};
use http::Response;
use mcp::jsonrpc::Id;
use mcp::{Filter, subscription_ended};
use std::sync::Arc;
use std::time::Duration;
use store::ReadAhead;

/// The client of a stream.
struct Listener {
    subscription: Id,
    authenticated: Authenticated,
    filter: Filter,
    /// `None` if nothing that passes the filter ever changes.
    changes: Option<ChangeReader>,
    /// The tasks of the filter, each with the state of its last notification.
    tasks: Vec<(TaskId, Option<Fingerprint>)>,
    /// When the tasks are read next (seconds since the Unix epoch).
    next_tasks: u64,
}

/// The streams of `subscriptions/listen`.
pub(crate) struct Listeners<P: Parts> {
    context: Arc<Context<P>>,
    catalog: Arc<CatalogSource<P>>,
    changes: Arc<ChangeFeed<P>>,
    tasks: Arc<Tasks<P>>,
    grants: Arc<GrantWatch<P>>,
    outbound: Arc<Outbound<P>>,
}

impl<P: Parts> Listeners<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        catalog: Arc<CatalogSource<P>>,
        changes: Arc<ChangeFeed<P>>,
        tasks: Arc<Tasks<P>>,
        grants: Arc<GrantWatch<P>>,
        outbound: Arc<Outbound<P>>,
    ) -> Self {
        Self {
            context,
            catalog,
            changes,
            tasks,
            grants,
            outbound,
        }
    }

    pub(super) async fn listen(
        self: &Arc<Self>,
        request: &Request<'_>,
        authenticated: Authenticated,
    ) -> Result<Response<Body>, MethodError> {
        if !request.accepted.event_stream {
            return Err(Rejection::NotAcceptable("Accept text/event-stream.").into());
        }
        let wanted = Filter::read(request.params)?;
        // SEP-2663, Task Status Notifications.
        if !wanted.task_ids.is_empty() && !request.metadata.capabilities.knows_tasks {
            return Err(missing_tasks_capability().into());
        }
        let catalog = self.catalog.current().await?;
        let now = self.context.environment.now();
        let (store, person) = (&self.context.store, authenticated.person());
        let is_within_limit = rate_limit::check(store, LISTEN_LIMIT, &person, now)
            .await
            .map_err(|error| Rejection::unavailable(&error))?;
        if !is_within_limit {
            return Err(Rejection::TooMany.into());
        }
        let mut tasks = Vec::new();
        for shown in &wanted.task_ids {
            let Some(id) = self.tasks.find(&authenticated, shown) else {
                continue;
            };
            match self.tasks.view(&id, &authenticated).await {
                Ok(Some(_)) => tasks.push((id, None)),
                Ok(None) | Err(ViewError::Scopes(_)) => {}
                Err(ViewError::Store(error)) => {
                    return Err(Rejection::unavailable(&error).into());
                }
            }
        }
        let mut filter = granted(wanted, catalog.changes_for(&authenticated));
        let changes = if filter == Filter::default() {
            None
        } else {
            let changes = self.changes.reader().await;
            Some(changes.map_err(|error| Rejection::unavailable(&error))?)
        };
        filter.task_ids = tasks.iter().map(|(id, _)| id.shown.clone()).collect();
        let listener = Listener {
            subscription: request.id.clone(),
            authenticated,
            filter,
            changes,
            tasks,
            next_tasks: now,
        };
        let (sender, body) = events();
        self.context
            .environment
            .spawn(Arc::clone(self).deliver(listener, ClientStream::stream(sender)));
        Ok(event_stream(body))
    }

    /// Sends notifications until the client is gone, or the token ends.
    async fn deliver(self: Arc<Self>, mut listener: Listener, mut stream: ClientStream) {
        let first = listener.filter.acknowledged(&listener.subscription);
        if !self.outbound.send(&mut stream, &first).await {
            return;
        }
        let began = self.context.environment.now();
        let stream_seconds = self.context.config.stream_seconds;
        let mut subscription = Subscription {
            listeners: &*self,
            closes_at: stream_seconds.map(|seconds| began + seconds),
            listener: &mut listener,
            stream: &mut stream,
        };
        let authority = subscription.listener.authenticated.authority();
        let polled = poll_loop(
            &self.context,
            &self.grants,
            authority,
            pace,
            &mut subscription,
        );
        match polled.await {
            Ok(ListenEnd::Closed) => return,
            Ok(ListenEnd::Ended) => {}
            Err(error) => log_line::write(format_args!("mcp: a stream ends early: {error}")),
        }
        let last = subscription_ended(listener.subscription, &self.context.envelope(REVISION));
        self.outbound.finish(stream, &last, REVISION).await;
    }
}

/// Why a stream ends.
enum ListenEnd {
    /// The client is gone, or has to listen again.
    Closed,
    /// The token or its grant has ended.
    Ended,
}

/// The stream of a listener.
struct Subscription<'a, P: Parts> {
    listeners: &'a Listeners<P>,
    listener: &'a mut Listener,
    stream: &'a mut ClientStream,
    closes_at: Option<u64>,
}

impl<P: Parts> Poll for Subscription<'_, P> {
    type End = ListenEnd;

    fn next_key(&self) -> Option<String> {
        let changes = self.listener.changes.as_ref()?;
        changes.next_key(&self.listeners.changes)
    }

    async fn look(&mut self, ahead: &mut ReadAhead) -> Result<Polled<ListenEnd>, store::Error> {
        let now = self.listeners.context.environment.now();
        if self.listener.authenticated.ends_at <= now {
            return Ok(Polled::End(ListenEnd::Ended));
        }
        if self.closes_at.is_some_and(|closes_at| closes_at <= now) {
            return Ok(Polled::End(ListenEnd::Closed));
        }
        let Some(messages) = self.listener.look(self.listeners, ahead).await? else {
            return Ok(Polled::Nothing);
        };
        for message in messages {
            if !self.listeners.outbound.send(self.stream, &message).await {
                return Ok(Polled::End(ListenEnd::Closed));
            }
        }
        Ok(Polled::Found)
    }

    async fn rest(&mut self, waited: Duration) -> Result<Option<ListenEnd>, store::Error> {
        let outbound = &self.listeners.outbound;
        let is_open = outbound.keep_alive(self.stream, waited).await;
        Ok((!is_open).then_some(ListenEnd::Closed))
    }

    fn grant_ended(&self) -> ListenEnd {
        ListenEnd::Ended
    }
}

/// Returns how long to wait before the next read, after so much time without a change.
fn pace(idle: Duration) -> Duration {
    if idle < Duration::from_secs(10) {
        Duration::from_millis(200)
    } else {
        Duration::from_secs(1)
    }
}

/// Returns the part of `wanted` that exists and that the token's holder may know.
fn granted(wanted: Filter, changes: Changes) -> Filter {
    let mut uris = wanted.resource_subscriptions;
    uris.retain(|_| changes.resource_contents);
    uris.sort_unstable();
    uris.dedup();
    Filter {
        tools_list_changed: wanted.tools_list_changed && changes.tools,
        prompts_list_changed: wanted.prompts_list_changed && changes.prompts,
        resources_list_changed: wanted.resources_list_changed && changes.resources,
        resource_subscriptions: uris,
        task_ids: Vec::new(),
    }
}

impl Listener {
    /// Returns the notifications to send now; `None` if nothing changed.
    async fn look<P: Parts>(
        &mut self,
        server: &Listeners<P>,
        ahead: &mut ReadAhead,
    ) -> Result<Option<Vec<String>>, store::Error> {
        let now = server.context.environment.now();
        if self.next_tasks <= now && !self.tasks.is_empty() {
            self.next_tasks = now + 1;
            let messages = self.look_at_tasks(server).await?;
            if !messages.is_empty() {
                return Ok(Some(messages));
            }
        }
        let Some(changes) = &mut self.changes else {
            return Ok(None);
        };
        let changed = match changes.look(&server.changes, ahead).await? {
            FeedRead::Nothing => return Ok(None),
            FeedRead::Change(changed) => vec![changed],
            FeedRead::Anything => everything(&self.filter),
        };
        let notified = changed.iter().filter(|changed| match changed {
            Changed::Tools => self.filter.tools_list_changed,
            Changed::Prompts => self.filter.prompts_list_changed,
            Changed::Resources => self.filter.resources_list_changed,
            Changed::Resource(uri) => self.filter.resource_subscriptions.contains(uri),
        });
        let messages = notified.map(|changed| changed.to_message(Some(&self.subscription)));
        Ok(Some(messages.collect()))
    }

    /// Returns the notifications of tasks whose state has changed. A final state is the last notification of
    /// its task.
    async fn look_at_tasks<P: Parts>(
        &mut self,
        server: &Listeners<P>,
    ) -> Result<Vec<String>, store::Error> {
        let mut messages = Vec::new();
        for (id, sent) in std::mem::take(&mut self.tasks) {
            let view = match server.tasks.view(&id, &self.authenticated).await {
                Ok(Some(view)) => view,
                Ok(None) | Err(ViewError::Scopes(_)) => continue,
                Err(ViewError::Store(error)) => return Err(error),
            };
            let fingerprint = view.fingerprint();
            if sent.as_ref() != Some(&fingerprint) {
                let message = view.task(&id).to_notification(&self.subscription);
                messages.extend(message.ok());
            }
            if !view.state.is_final() {
                self.tasks.push((id, Some(fingerprint)));
            }
        }
        Ok(messages)
    }
}

/// Returns all changes that pass this filter.
fn everything(filter: &Filter) -> Vec<Changed> {
    let resources = filter.resource_subscriptions.iter().cloned();
    [Changed::Tools, Changed::Prompts, Changed::Resources]
        .into_iter()
        .chain(resources.map(Changed::Resource))
        .collect()
}

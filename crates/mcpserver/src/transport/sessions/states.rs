//! The states of sessions. A session whose client has changed nothing has none in the store.

use super::Session;
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::rejection::Rejection;
use crate::stream::session_state::SessionState;
use crate::trusted::Trusted;
use crate::{Environment, Parts, rate_limit};
use cache::Cache;
use std::sync::Arc;

/// States kept in memory per generation of the cache.
const MAX_STATES: usize = 512;

/// Reads and writes the states.
pub(crate) struct SessionStates<P: Parts> {
    context: Arc<Context<P>>,
    /// By the names of the sessions; `None` if there is no record.
    found: Cache<String, Trusted<Option<SessionState>>>,
}

impl<P: Parts> SessionStates<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self {
            context,
            found: Cache::new(MAX_STATES),
        }
    }

    /// Returns the state of a session as this instance read it less than `grant_check` seconds ago, or as it is now.
    ///
    /// # Errors
    ///
    /// Fails with no session if the client has deleted it.
    pub(crate) async fn recent(&self, session: &Session) -> Result<SessionState, Rejection> {
        let (now, seconds) = (self.now(), self.context.config.grant_check);
        match self.found.get(&session.name) {
            Some(found) if found.is_recent(now, seconds) => active(found.value),
            _ => self.current(session).await,
        }
    }

    /// Returns the state of a session.
    ///
    /// # Errors
    ///
    /// Fails with no session if the client has deleted it.
    pub(crate) async fn current(&self, session: &Session) -> Result<SessionState, Rejection> {
        let state = self.read(session).await;
        active(state.map_err(|error| Rejection::unavailable(&error))?)
    }

    /// Writes the state of a session.
    ///
    /// # Errors
    ///
    /// Fails if the person has begun to change too many sessions.
    pub(crate) async fn keep(
        &self,
        session: &Session,
        state: SessionState,
        authenticated: &Authenticated,
    ) -> Result<(), Rejection> {
        let kept = self.try_keep(session, state, authenticated).await;
        match kept.map_err(|error| Rejection::unavailable(&error))? {
            true => Ok(()),
            false => Err(Rejection::TooMany),
        }
    }

    /// Returns `false` if the person has begun to change too many sessions.
    async fn try_keep(
        &self,
        session: &Session,
        state: SessionState,
        authenticated: &Authenticated,
    ) -> Result<bool, store::Error> {
        let Session { name, ends_at, .. } = session;
        let store = &self.context.store;
        if self.read(session).await?.is_some() {
            store.put(name, &state, Some(*ends_at)).await?;
        } else {
            let person = authenticated.person();
            if !rate_limit::check(store, "mcp-session-limit", &person, self.now()).await? {
                return Ok(false);
            }
            store.create(name, &state, *ends_at).await?;
        }
        self.found
            .insert(name.clone(), Trusted::new(Some(state), self.now()));
        Ok(true)
    }

    async fn read(&self, session: &Session) -> Result<Option<SessionState>, store::Error> {
        let (name, now) = (&session.name, self.now());
        let state: Option<SessionState> = self.context.store.get(name, now).await?;
        self.found
            .insert(name.clone(), Trusted::new(state.clone(), now));
        Ok(state)
    }

    fn now(&self) -> u64 {
        self.context.environment.now()
    }
}

fn active(state: Option<SessionState>) -> Result<SessionState, Rejection> {
    match state {
        Some(state) if state.is_over => Err(Rejection::NoSession),
        state => Ok(state.unwrap_or_default()),
    }
}

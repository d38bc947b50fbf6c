//! The watch of the grant, or the presented token, of work that outlives its request. When that ends, the
//! work ends as if its client had cancelled it.
//!
//! Such work checks its grant once in [`CHECK_INTERVAL`], at the cost of one read of the store; loops read what they
//! look for in the same step. Work that ends within the first interval costs none.

use crate::context::Context;
use crate::http::authenticated::{Authenticated, Source};
use crate::trusted::Trusted;
use crate::{Environment, Parts};
use cache::Cache;
use events::Outcome;
use grants::{Grants, OpenedGrant};
use mcp::{Error, ErrorCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::{MAX_LAG_WAIT, ReadAhead, poll_intervals};

/// Opened grants kept in memory per generation of the cache.
const MAX_GRANTS: usize = 512;

/// The time between two checks of a grant.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Seconds after its issue for which a token is fresh: its grant may be of the same moment.
const FRESH_TOKEN_AGE: u64 = 60;

/// The grant or token that work was begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Authority {
    /// The grant with this id.
    Grant(String),
    /// A token without a grant of ours, which expires at this time (seconds since the Unix epoch).
    Token(u64),
}

/// What interrupts a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// Its time is over.
    Timeout,
    /// Its grant has ended.
    GrantEnded,
}

impl Interruption {
    /// Returns the outcome of the interrupted call, for its event.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Timeout => Outcome::Timeout,
            Self::GrantEnded => Outcome::GrantEnded,
        }
    }
}

impl Authenticated {
    pub(crate) fn authority(&self) -> Authority {
        match &self.source {
            Source::Grant { id, .. } => Authority::Grant(id.clone()),
            Source::Presented(_) => Authority::Token(self.ends_at),
        }
    }
}

/// The grants that requests are made with. What a grant says is opened once. Whether it is active is read from the
/// store: for work each time, for a token if the last read is `grant_check` seconds old.
pub(crate) struct GrantWatch<P: Parts> {
    context: Arc<Context<P>>,
    found: Cache<String, Trusted<Arc<OpenedGrant>>>,
}

impl<P: Parts> GrantWatch<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self {
            context,
            found: Cache::new(MAX_GRANTS),
        }
    }

    /// Returns the grant with this id, or `None` once it has ended.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn find(
        &self,
        id: &str,
        now: u64,
    ) -> Result<Option<Arc<OpenedGrant>>, store::Error> {
        self.find_ahead(id, now, &mut ReadAhead::default()).await
    }

    async fn find_ahead(
        &self,
        id: &str,
        now: u64,
        ahead: &mut ReadAhead,
    ) -> Result<Option<Arc<OpenedGrant>>, store::Error> {
        let known = self.found.get(id).map(|known| known.value);
        let found = self.grants().find_cached(id, now, known, ahead).await?;
        if let Some(opened) = &found {
            let found = Trusted::new(Arc::clone(opened), now);
            self.found.insert(id.to_owned(), found);
        }
        Ok(found)
    }

    fn grants(&self) -> Grants<'_, P::KeyValue> {
        Grants::new(&self.context.store, &self.context.config.keys)
    }

    /// Returns the grant of a token that was issued at `issued_at` (seconds since the Unix epoch), as
    /// [`find`](Self::find) does. A grant that this instance found active less than `grant_check` seconds ago is not looked
    /// for: one that has ended is refused within that time. On a store of several regions a fresh token may come before its
    /// grant does, so this looks again for some seconds there.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn find_of_token(
        &self,
        id: &str,
        issued_at: u64,
        now: u64,
    ) -> Result<Option<Arc<OpenedGrant>>, store::Error> {
        if let Some(known) = self.found.get(id)
            && known.is_recent(now, self.context.config.grant_check)
            && known.value.grant.expires_at > now
        {
            return Ok(Some(known.value));
        }
        let is_fresh = now < issued_at.saturating_add(FRESH_TOKEN_AGE);
        let mut found = self.find(id, now).await?;
        if !is_fresh || !self.context.store.has_several_regions() {
            return Ok(found);
        }
        for interval in poll_intervals(MAX_LAG_WAIT) {
            if found.is_some() {
                break;
            }
            self.context.environment.sleep(interval).await;
            found = self.find(id, now).await?;
        }
        Ok(found)
    }

    /// Returns whether work may go on. The access token of a grant may have expired.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn is_valid(&self, authority: &Authority) -> Result<bool, store::Error> {
        let (is_valid, _) = self.is_valid_beside(authority, None).await?;
        Ok(is_valid)
    }

    /// Returns the same, and what the key `beside` has, which is read in the same step.
    ///
    /// # Errors
    ///
    /// The store's.
    async fn is_valid_beside(
        &self,
        authority: &Authority,
        beside: Option<String>,
    ) -> Result<(bool, ReadAhead), store::Error> {
        let now = self.context.environment.now();
        match authority {
            Authority::Token(expires_at) => Ok((*expires_at > now, ReadAhead::default())),
            Authority::Grant(id) => {
                let mut ahead = match beside {
                    Some(beside) => {
                        let keys = vec![self.grants().key(id), beside];
                        ReadAhead::read(&self.context.store, keys).await?
                    }
                    None => ReadAhead::default(),
                };
                let found = self.find_ahead(id, now, &mut ahead).await?;
                Ok((found.is_some(), ahead))
            }
        }
    }

    /// Waits until a call has to end: after `limit`, or soon after its grant has ended. An error of the store
    /// ends no call.
    pub(crate) async fn interruption(&self, authority: Authority, limit: Duration) -> Interruption {
        let environment = &self.context.environment;
        let began = environment.now();
        let mut waited = Duration::ZERO;
        loop {
            let wait = CHECK_INTERVAL.min(limit.saturating_sub(waited));
            environment.sleep(wait).await;
            waited += wait;
            if waited >= limit {
                return Interruption::Timeout;
            }
            match self.is_valid(&authority).await {
                Ok(true) => {}
                Ok(false) => return Interruption::GrantEnded,
                Err(error) => log_line::write(format_args!("mcp: {error}")),
            }
            // The time of the store counts as well.
            let passed = environment.now().saturating_sub(began);
            waited = waited.max(Duration::from_secs(passed.saturating_sub(1)));
        }
    }
}

/// The check of an [`Authority`] once in [`CHECK_INTERVAL`], for loops that wait in smaller steps.
pub(crate) struct AuthorityCheck {
    authority: Authority,
    waited: Duration,
}

impl AuthorityCheck {
    pub(crate) fn new(authority: Authority) -> Self {
        Self {
            authority,
            waited: Duration::ZERO,
        }
    }

    /// Returns whether the work may go on, after a wait of this length, and what was read ahead: the key `next` of the
    /// work, if the store was read.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn is_valid<P: Parts>(
        &mut self,
        grants: &GrantWatch<P>,
        wait: Duration,
        next: Option<String>,
    ) -> Result<(bool, ReadAhead), store::Error> {
        self.waited += wait;
        if self.waited < CHECK_INTERVAL {
            return Ok((true, ReadAhead::default()));
        }
        self.waited = Duration::ZERO;
        grants.is_valid_beside(&self.authority, next).await
    }
}

/// The error that answers a request whose grant has ended in the meantime.
pub(crate) fn grant_ended() -> Error {
    Error::new(
        ErrorCode::Refused,
        "The request was cancelled: the authorization it was made with has ended. Sign in again.",
    )
}

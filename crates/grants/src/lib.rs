//! Grants: what a person has allowed a client, with its authorization code and refresh tokens (RFC 6749
//! sections 4.1 and 6).
//!
//! The authorization server begins, redeems, refreshes and ends grants. The MCP server reads a
//! grant again after `grant_check` seconds at the latest, so that the end of a grant ends all of its tokens within that
//! time. The record of a grant never changes, so two requests cannot race for it. What changes has records of its own:
//!
//! | record | holds | written |
//! | --- | --- | --- |
//! | `grant:<id>` | the [`Grant`], sealed | once, when the person has signed in |
//! | `code:<id>` | a counter: whether the code was redeemed, and when | once |
//! | `refresh:<id>` | the generation of the newest refresh token, and when it was issued | at each refresh |
//! | `upstream:<id>` | the identity provider's [`UpstreamTokens`], and what their refresh brought of the person, sealed | when they are refreshed |
//! | `subject:<tag>`, `subject-grant:<tag>.<n>` | which grants a person has, and when they began: see [`Page`] | once a grant |
//! | `upstream-refresh:<id>.<generation>.<attempt>` | a counter: who refreshes them | likewise |
//!
//! One ledger line of the sweep covers a grant and its records, and is written with them in one step. A grant that
//! ends gets another line, which is due at once, before any record is removed, so that the sweep removes within
//! hours what a kill or a late write leaves.
//!
//! Neither codes nor refresh tokens are stored in any form: each has the id of its grant and a message
//! authentication code under the master secret. A leaked store reveals no token, no profile and no person's
//! name.

mod beginning;
mod client_credentials;
mod client_subject;
mod code;
mod ending;
mod grant;
mod grant_index;
mod grant_limits;
mod grant_record;
mod index_slots;
mod record_kinds;
mod reevaluation;
mod refresh;
mod revocation;
mod token_format;
mod upstream;
mod upstream_refresh;

pub use beginning::{BeginError, NewGrant, UnconfirmedGrant};
pub use client_subject::{client_subject, is_client_subject};
pub use code::{PresentedCode, Redeemed};
pub use grant::{CodeBinding, Grant, ShownClient};
pub use grant_index::{Ended, Listed, Page, PageCursor};
pub use grant_limits::{MAX_GRANTS_PER_CLIENT, MAX_GRANTS_PER_HOUR};
pub use grant_record::OpenedGrant;
pub use reevaluation::{GrantEnd, Reevaluation};
pub use refresh::{PresentedRefreshToken, Refreshed, ReuseTerms};
pub use revocation::RevocationQueue;
pub use upstream::{RefreshOutcome, Upstream, UpstreamRecords};
pub use upstream_refresh::{Environment, Need, UpstreamRefreshError};

use grant_record::GrantRecords;
use index_slots::IndexSlots;
use keys::KeyRing;
use std::sync::Arc;
use store::{KeyValue, ReadAhead, Store};

/// The grants in a store, readable with the keys of a ring.
pub struct Grants<'a, K> {
    store: &'a Store<K>,
    keys: &'a KeyRing,
    revocations: Option<&'a RevocationQueue>,
}

impl<'a, K: KeyValue> Grants<'a, K> {
    /// Returns the grants in `store`, sealed and authenticated with `keys`.
    pub fn new(store: &'a Store<K>, keys: &'a KeyRing) -> Self {
        Self {
            store,
            keys,
            revocations: None,
        }
    }

    /// Returns the same grants; the upstream tokens of those that end are put into `revocations`.
    pub fn with_revocations(self, revocations: &'a RevocationQueue) -> Self {
        Self {
            revocations: Some(revocations),
            ..self
        }
    }

    /// Returns the grant with this id, unless it has ended by `now` (seconds since the Unix epoch). One
    /// read of the store.
    ///
    /// # Errors
    ///
    /// Fails if the store does. A record that no key of the ring opens is an ended grant: its key was
    /// dropped.
    pub async fn find(&self, id: &str, now: u64) -> Result<Option<Grant>, store::Error> {
        let ahead = &mut ReadAhead::default();
        let opened = self.find_cached(id, now, None, ahead).await?;
        Ok(opened.map(|opened| Arc::unwrap_or_clone(opened).grant))
    }

    /// Returns the same for a grant that was `opened` before: its record is compared with what it was
    /// then, which costs less than opening it again. Reads nothing if the record's [`key`](Self::key) was read
    /// `ahead`.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn find_cached(
        &self,
        id: &str,
        now: u64,
        opened: Option<Arc<OpenedGrant>>,
        ahead: &mut ReadAhead,
    ) -> Result<Option<Arc<OpenedGrant>>, store::Error> {
        self.records().find(id, now, opened, ahead).await
    }

    /// Returns the key of a grant's record, for a [`ReadAhead`].
    pub fn key(&self, id: &str) -> String {
        self.records().key(id)
    }

    /// Returns the upstream tokens of these grants.
    pub fn upstream_records(&self) -> UpstreamRecords<'a, K> {
        UpstreamRecords {
            store: self.store,
            keys: self.keys,
        }
    }

    fn index_slots(&self) -> IndexSlots<'a, K> {
        IndexSlots {
            store: self.store,
            keys: self.keys,
        }
    }

    fn records(&self) -> GrantRecords<'a, K> {
        GrantRecords {
            store: self.store,
            keys: self.keys,
        }
    }
}

/// Why a code or a refresh token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was not issued here, has expired, or its grant has ended.
    #[error("it is unknown, expired or ended")]
    Invalid,
    /// It was used before; its grant has been ended.
    #[error("it was used before, so its grant has been ended")]
    Reused,
    /// The code was redeemed a moment ago. What it gave lives on.
    #[error("it was used a moment ago")]
    Repeated,
    /// The refresh token was replaced, and its client proves who it is: the grant lives on.
    #[error("it was replaced by a newer one")]
    Replaced,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

#[cfg(test)]
mod tests;

//! Grants: what a person has allowed a client, and the code and refresh tokens that stand for it.
//!
//! The authorization server begins, redeems, refreshes and ends grants; the MCP server looks one up
//! at every call, so that ending a grant ends all of its tokens at once. A grant's record never
//! changes, which leaves nothing for two requests to race on; what does change lies in records of
//! its own:
//!
//! | record | holds | written |
//! | --- | --- | --- |
//! | `grant:<id>` | the [`Grant`], sealed | once, when the person has signed in |
//! | `code:<id>` | a counter: whether the code was redeemed | once |
//! | `refresh:<id>` | the generation of the newest refresh token | at each refresh |
//! | `upstream:<id>` | the identity provider's [`UpstreamTokens`], sealed | when they are refreshed |
//! | `subject:<tag>`, `subject-grant:<tag>.<n>` | which grants a person has: see [`Page`] | once a grant |
//! | `upstream-refresh:<id>.<generation>.<attempt>` | a counter: who refreshes them | likewise |
//!
//! Neither codes nor refresh tokens are stored in any form: each names its grant and carries an
//! authentication code that only the holder of the master secret can make. A leaked store gives
//! nobody a token, a profile, or the name of a person.

mod code;
mod grant;
mod handle;
mod machine;
mod refresh;
mod subject;
mod upstream;

pub use code::{PresentedCode, Redeemed};
pub use grant::{CodeBinding, Grant, NewGrant, OpenedGrant, Profile, ShownClient};
pub use machine::{client_subject, is_client_subject};
pub use refresh::{PresentedRefreshToken, Refreshed};
pub use subject::{Ended, Listed, Page, Place};
pub use upstream::{Upstream, UpstreamTokens};

use keys::KeyRing;
use store::{KeyValue, Store};

/// The grants in a store, readable with the keys of a ring.
pub struct Grants<'a, K> {
    store: &'a Store<K>,
    keys: &'a KeyRing,
}

impl<'a, K: KeyValue> Grants<'a, K> {
    /// The grants in `store`, sealed and authenticated with `keys`.
    pub fn new(store: &'a Store<K>, keys: &'a KeyRing) -> Self {
        Self { store, keys }
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

#[cfg(test)]
mod tests;

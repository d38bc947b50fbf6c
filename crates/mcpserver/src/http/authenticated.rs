//! The identity of an authenticated request.

use crate::Caller;
use crate::http::rejection::Rejection;
use crate::rate_limit;
use events::TraceContext;
use grants::OpenedGrant;
use std::sync::Arc;

/// The holder of a valid access token.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated {
    /// As tools see the caller, without a credential.
    pub(crate) caller: Caller,
    /// The source of a credential for tools.
    pub(crate) source: Source,
    /// When the token ends (seconds since the Unix epoch).
    pub(crate) ends_at: u64,
    /// The trace that the request belongs to.
    pub(crate) trace: Option<TraceContext>,
}

/// Where the person's credential comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The grant of this id.
    Grant {
        id: String,
        opened: Arc<OpenedGrant>,
    },
    /// The Authorization header, which has this value.
    Presented(String),
}

impl Authenticated {
    pub(crate) fn subject(&self) -> &str {
        &self.caller.profile.subject
    }

    /// Returns the person's name in the keys of [`rate_limit`].
    pub(crate) fn person(&self) -> String {
        rate_limit::person(self.subject())
    }

    /// # Errors
    ///
    /// Fails with insufficient scope if the token lacks one of `scopes`. The error also names the scopes that
    /// the token has, so that a client that asks for all of them keeps these.
    pub(crate) fn require_scopes(&self, scopes: &[String]) -> Result<(), Rejection> {
        let granted = &self.caller.scopes;
        let missing = scopes.iter().filter(|scope| !granted.contains(scope));
        let missing: Vec<_> = missing.cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Rejection::InsufficientScope(
            [&granted[..], &missing].concat(),
        ))
    }
}

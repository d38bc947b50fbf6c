//! Who a request is authenticated as.

use crate::Caller;
use crate::http::rejection::Rejection;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events::TraceContext;
use grants::OpenedGrant;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The holder of a valid access token.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated {
    /// As tools see them, without a credential.
    pub(crate) caller: Caller,
    /// Where a credential would come from.
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

    /// Whose limits these are, as the store may know it.
    pub(crate) fn person(&self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(self.subject())[..16])
    }

    /// # Errors
    ///
    /// Insufficient scope, if the token lacks one of `scopes`. It names what the token has besides,
    /// so that a client that asks for these loses nothing.
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

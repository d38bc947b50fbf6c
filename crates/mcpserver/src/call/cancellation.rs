//! `notifications/cancelled` (2025-11-25, Cancellation).
//!
//! The notification is an HTTP request of its own, perhaps at another instance than the call. So the store
//! has it, under a hash of session and request id, for as long as such a call could run. Calls that last
//! look for it.

use crate::call::client_context::ClientContext;
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::rate_limit;
use crate::stream::session_state::SessionState;
use crate::{Environment, Parts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp::jsonrpc::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use store::Record;

/// Seconds that a cancellation is kept beyond the time of a call.
const EXTRA_TTL: u64 = 60;

/// The record of a cancelled request.
#[derive(Serialize, Deserialize)]
struct Cancelled {}

impl Record for Cancelled {
    const KIND: &'static str = "mcp-cancelled";
}

/// The cancelled requests in the store.
pub(crate) struct Cancellations<P: Parts> {
    context: Arc<Context<P>>,
}

impl<P: Parts> Cancellations<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self { context }
    }

    /// Stores that the client has cancelled a request.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn cancel(
        &self,
        request: &Id,
        client: &ClientContext,
        authenticated: &Authenticated,
    ) -> Result<(), store::Error> {
        let Some(session) = &client.session else {
            return Ok(());
        };
        let now = self.context.environment.now();
        let (store, person) = (&self.context.store, authenticated.person());
        if !rate_limit::check(store, "mcp-cancel-limit", &person, now).await? {
            return Ok(());
        }
        let ends_at = now + self.context.config.call_timeout + EXTRA_TTL;
        self.context
            .store
            .create(&name(session, request), &Cancelled {}, ends_at)
            .await
    }

    /// Returns whether the client has cancelled a request, or deleted its session.
    pub(crate) async fn is_given_up(&self, request: &Id, client: &ClientContext) -> bool {
        let Some(session) = &client.session else {
            return false;
        };
        let name = name(session, request);
        let now = self.context.environment.now();
        let cancelled = self.context.store.get::<Cancelled>(&name, now).await;
        if matches!(cancelled, Ok(Some(_))) {
            return true;
        }
        let state = self.context.store.get::<SessionState>(session, now).await;
        matches!(state, Ok(Some(SessionState { is_over: true, .. })))
    }
}

fn name(session: &str, request: &Id) -> String {
    let text = format!("{session} {}", request.as_json());
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..16])
}

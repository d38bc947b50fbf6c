//! Revocation at the identity provider (RFC 7009) of the upstream tokens of grants that have ended.

use crate::Grants;
use identity::UpstreamTokens;
use std::sync::{Mutex, PoisonError};
use store::KeyValue;

/// Tokens that a queue holds. What goes beyond lives at the provider until it ends there by itself.
const MAX_QUEUED: usize = 200;

/// What one request leaves to be revoked once it is answered. Revocation is best effort: the grant
/// has ended whatever the provider says.
#[derive(Default)]
pub struct RevocationQueue(Mutex<Vec<UpstreamTokens>>);

impl RevocationQueue {
    /// Takes out what is there.
    pub fn take(&self) -> Vec<UpstreamTokens> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, tokens: UpstreamTokens) {
        let mut queued = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queued.len() < MAX_QUEUED {
            queued.push(tokens);
        }
    }
}

impl<K: KeyValue> Grants<'_, K> {
    /// Queues tokens that no client has any more for revocation, if there is a queue.
    pub fn revoke_upstream(&self, tokens: UpstreamTokens) {
        if let Some(revocations) = self.revocations {
            revocations.push(tokens);
        }
    }
}

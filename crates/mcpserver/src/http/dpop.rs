//! Tokens that are bound to a key: whoever shows one also proves the key, for this one request (RFC
//! 9449 section 7).
//!
//! A proof is taken once, on every machine: that costs three writes of the store, which calls with a
//! bearer token do not. So a sixteenth of these requests also sweeps a little, behind its answer.

use crate::http::authenticator::{Authenticated, not_ours};
use crate::http::endpoints::EndpointUrls;
use crate::http::rejection::Rejection;
use crate::{Environment, Parts, Server};
use dpop::ProofVerifier;
use http::request::Parts as Head;
use rand::Rng;
use std::sync::Arc;

/// One in so many requests with a proof also sweeps.
const SWEEP_EVERY: u32 = 16;

/// Ledger lines that such a sweep reads at most: more than that many requests enter.
const SWEEP_LINES: u64 = 64;

impl<P: Parts> Server<P> {
    /// The holder of a bound token, whose hash is `hash`, if the request proves its key.
    pub(crate) async fn possessed(
        self: &Arc<Self>,
        head: &Head,
        token: &str,
        hash: &[u8; 32],
        endpoints: &EndpointUrls,
        now: u64,
    ) -> Result<Authenticated, Rejection> {
        const UNBOUND: Rejection = Rejection::InvalidToken(
            "The token is not bound to a key: present it with the Bearer scheme.",
        );
        if self
            .context
            .config
            .authorization_server
            .external()
            .is_some()
        {
            return Err(UNBOUND);
        }
        let claims = self
            .claims_of(token, hash)
            .map_err(|error| not_ours(&error))?;
        let bound_to = claims.cnf.as_ref().ok_or(UNBOUND)?;
        let url = format!("{}{}", endpoints.issuer, head.uri.path());
        let request = dpop::Request {
            method: head.method.as_str(),
            url: &url,
            access_token: Some(token),
        };
        let proof = self
            .proof_verifier()
            .check(&head.headers, request, now)
            .and_then(|proof| proof.ok_or(dpop::Error::Missing))
            .map_err(Rejection::Proof)?;
        if proof.thumbprint() != bound_to.jkt {
            return Err(Rejection::InvalidToken(
                "The token is bound to another key than the proof's.",
            ));
        }
        let authenticated = self.require_active_grant(&claims, endpoints, now).await?;
        match proof.claim(&self.context.store).await {
            Ok(true) => {
                self.sweep_sometimes(now);
                Ok(authenticated)
            }
            Ok(false) => Err(Rejection::Proof(dpop::Error::Replayed)),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    fn sweep_sometimes(self: &Arc<Self>, now: u64) {
        if !self
            .context
            .environment
            .random()
            .next_u32()
            .is_multiple_of(SWEEP_EVERY)
        {
            return;
        }
        let server = Arc::clone(self);
        self.context.environment.spawn(async move {
            if let Err(error) = server.context.store.sweep(now, SWEEP_LINES).await {
                server
                    .context
                    .environment
                    .log(&format!("mcp: the sweep stopped: {error}"));
            }
        });
    }

    pub(crate) fn proof_verifier(&self) -> ProofVerifier<'_> {
        ProofVerifier::new(&self.context.config.keys, self.context.config.dpop_nonces)
    }
}

//! Proofs of possession (RFC 9449 section 7) of requests whose access tokens are bound to a key.
//!
//! A proof is accepted once on all machines. That costs three writes to the store, which a bearer token does
//! not. So one in sixteen of these requests also sweeps a little, after its response.

use crate::context::Context;
use crate::http::endpoints::EndpointUrls;
use crate::http::rejection::Rejection;
use crate::{Environment, Parts};
use dpop::ProofVerifier;
use http::HeaderValue;
use http::request::Parts as Head;
use rand::Rng;
use std::sync::Arc;

/// Steps of the sweep behind a request: more than the requests between two such sweeps add ledger lines.
const MAX_SWEEP_STEPS: u64 = 64;

/// The verification of proofs.
pub(crate) struct DpopProofs<P: Parts> {
    context: Arc<Context<P>>,
}

impl<P: Parts> DpopProofs<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self { context }
    }

    /// Returns the nonce for the next proof, if proofs have to have one.
    pub(crate) fn nonce(&self, now: u64) -> Option<HeaderValue> {
        self.verifier().nonce(now)
    }

    /// Returns the proof of a request, if it is one for this request, this token and the key with the
    /// thumbprint `bound_to`. Does not check whether the proof was used before.
    ///
    /// # Errors
    ///
    /// [`Rejection::Proof`] or [`Rejection::InvalidToken`].
    pub(crate) fn verify(
        &self,
        head: &Head,
        token: &str,
        bound_to: &str,
        endpoints: &EndpointUrls,
        now: u64,
    ) -> Result<dpop::Proof, Rejection> {
        let url = format!("{}{}", endpoints.issuer, head.uri.path());
        let request = dpop::Request {
            method: head.method.as_str(),
            url: &url,
            access_token: Some(token),
        };
        let proof = self
            .verifier()
            .check(&head.headers, request, now)
            .and_then(|proof| proof.ok_or(dpop::Error::Missing))
            .map_err(Rejection::Proof)?;
        if proof.thumbprint() != bound_to {
            return Err(Rejection::InvalidToken(
                "The token is bound to another key than the proof's.",
            ));
        }
        Ok(proof)
    }

    /// Marks a proof as used.
    ///
    /// # Errors
    ///
    /// [`Rejection::Proof`] if it was used before; [`Rejection::Unavailable`].
    pub(crate) async fn consume(&self, proof: &dpop::Proof, now: u64) -> Result<(), Rejection> {
        match proof.claim(&self.context.store).await {
            Ok(true) => {
                self.sweep_if_due(now);
                Ok(())
            }
            Ok(false) => Err(Rejection::Proof(dpop::Error::Replayed)),
            Err(error) => Err(Rejection::unavailable(&error)),
        }
    }

    fn sweep_if_due(&self, now: u64) {
        let environment = &self.context.environment;
        store::sweep_if_due(
            &self.context,
            environment.random().next_u32(),
            now,
            MAX_SWEEP_STEPS,
            |sweep| environment.spawn(sweep),
            |error| log_line::write(format_args!("mcp: the sweep stopped: {error}")),
        );
    }

    fn verifier(&self) -> ProofVerifier<'_> {
        ProofVerifier::new(&self.context.config.keys, self.context.config.dpop_nonces)
    }
}

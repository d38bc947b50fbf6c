//! The authorization server: discovery, client registration, `/authorize`, `/callback`, `/token`,
//! `/revoke` and `/introspect`, over any key-value store and any identity provider.
//!
//! What the protocol says is in `oauth`; what a grant is, in `grants`. Here the two meet storage,
//! pages and the provider. The components `metadata` and `authorize` are thin shells around
//! [`endpoints`].
//!
//! # The way of a sign-in
//!
//! Nothing is stored until a person has signed in: what one step hands to the next is sealed, and
//! travels with the browser.
//!
//! 1. `GET /authorize` shows the consent page. Its form carries the checked request, sealed for the
//!    browser's consent cookie.
//! 2. `POST /authorize` opens it: a form that another site made has no such seal. After the
//!    person's yes it sets the login cookie and sends the browser to the identity provider, with a
//!    `state` that is sealed for that cookie.
//! 3. `GET /callback` opens the state with the cookie: another browser's state stays shut. Then the
//!    grant is made, and the browser goes back to the client with a code.

mod client_authentication;
pub mod client_metadata_documents;
pub mod clients;
mod consent;
mod date;
mod destination;
pub mod endpoints;
pub mod identity;
mod limits;
mod pages;
mod remembered_consents;
mod responses;
mod session;
mod sign_in;
mod sign_ins_in_progress;
pub mod upstream_revocation;

pub use grants::RevocationQueue;
pub use responses::read_request;
pub use sign_ins_in_progress::SignInsInProgress;

use client_metadata_documents::Documents;
use config::{Base, Server};
use dpop::ProofVerifier;
use events::{Event, Events, TraceContext};
use grants::Grants;
use http::HeaderMap;
use limits::Limits;
use oauth::redirect_uri::PrivateUse;
use oauth::resource::Resources;
use oauth::{Client, ErrorCode};
use std::fmt::Display;
use store::{KeyValue, Store};
use web::RequestSource;

/// What every endpoint may look at.
pub struct Context<'a, K> {
    /// The configuration.
    pub config: &'a Server,
    /// Where the server is, as this request sees it.
    pub base: &'a Base,
    /// The key-value store.
    pub store: &'a Store<K>,
    /// Where clients' metadata documents come from; nothing is fetched without it.
    pub documents: Option<&'a Documents>,
    /// Where the request comes from, for limits.
    pub source: RequestSource,
    /// Where the upstream tokens of grants that end are put, to be revoked after the answer; they are
    /// not revoked without it.
    pub revocations: Option<&'a RevocationQueue>,
    /// Where the events of the request go.
    pub events: Events<'a>,
    /// Seconds since the Unix epoch.
    pub now: u64,
}

impl<'a, K: KeyValue> Context<'a, K> {
    fn grants(&self) -> Grants<'a, K> {
        let grants = Grants::new(self.store, &self.config.keys);
        match self.revocations {
            Some(revocations) => grants.with_revocations(revocations),
            None => grants,
        }
    }

    fn clients(&self) -> clients::Clients<'a, K> {
        clients::Clients::new(self.limits(), self.config, self.documents)
    }

    fn limits(&self) -> Limits<'a, K> {
        Limits {
            store: self.store,
            keys: &self.config.keys,
            source: self.source,
        }
    }

    /// Whether the operator has configured a client: it is not one that anybody may be.
    fn is_configured(&self, client: &Client) -> bool {
        let configured = &self.config.clients.pre_registered;
        configured
            .iter()
            .any(|known| known.client_id == client.client_id)
    }

    /// Which private-use schemes the redirect URIs of a client may have.
    fn private_use(&self, client: &Client) -> PrivateUse {
        if self.is_configured(client) {
            PrivateUse::Any
        } else {
            self.config.clients.private_use
        }
    }

    /// Whoever checks proofs of possession.
    fn proof_verifier(&self) -> ProofVerifier<'a> {
        ProofVerifier::new(&self.config.keys, self.config.dpop_nonces)
    }

    fn resources(&self) -> Resources {
        Resources::new(self.base.as_str())
    }
}

impl<K> Context<'_, K> {
    /// Writes the event that a request was not answered as it asked.
    fn refused(&self, endpoint: &str, code: ErrorCode, reason: &impl Display) {
        self.events.record(&Event::Refusal {
            endpoint,
            error: code.as_str(),
            reason: &reason.to_string(),
        });
    }
}

/// Where a request comes from, for [`Context::source`].
pub fn request_source(config: &Server, headers: &HeaderMap) -> RequestSource {
    RequestSource::read(headers, config.client_address_header.as_ref())
}

/// The events of a request, written to the log, for [`Context::events`]. `now` is in seconds since the
/// Unix epoch.
pub fn request_events(config: &Server, headers: &HeaderMap, now: u64) -> Events<'static> {
    let trace = TraceContext::of(headers);
    Events::new(config.events, now, trace, &events::to_log)
}

#[cfg(test)]
mod tests;

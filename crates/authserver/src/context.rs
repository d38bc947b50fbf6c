//! The context of a request: configuration, store, base URL, limits and events.

use crate::client_metadata_documents::Documents;
use crate::clients::Clients;
use crate::limits::Limits;
use crate::responses;
use config::{BaseUrl, Server};
use dpop::ProofVerifier;
use events::{Event, Events, TraceContext};
use grants::{Grants, RevocationQueue};
use http::HeaderMap;
use oauth::redirect_uri::PrivateUse;
use oauth::resource::Resources;
use oauth::{Client, Error, ErrorCode};
use std::fmt::Display;
use store::{KeyValue, Store};
use web::{RequestSource, Response};

/// The context in which an endpoint handles a request.
pub struct Context<'a, K> {
    /// The configuration.
    pub config: &'a Server,
    /// Where the server is, as this request sees it.
    pub base: &'a BaseUrl,
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
    pub(crate) fn grants(&self) -> Grants<'a, K> {
        let grants = Grants::new(self.store, &self.config.keys);
        match self.revocations {
            Some(revocations) => grants.with_revocations(revocations),
            None => grants,
        }
    }

    pub(crate) fn clients(&self) -> Clients<'a, K> {
        Clients::new(self.limits(), self.config, self.documents)
    }

    pub(crate) fn limits(&self) -> Limits<'a, K> {
        Limits {
            store: self.store,
            keys: &self.config.keys,
            source: self.source,
        }
    }

    /// Whether the operator has configured a client.
    pub(crate) fn is_configured(&self, client: &Client) -> bool {
        let configured = &self.config.clients.pre_registered;
        configured
            .iter()
            .any(|known| known.client_id == client.client_id)
    }

    /// Returns which private-use schemes the redirect URIs of a client may have.
    pub(crate) fn private_use(&self, client: &Client) -> PrivateUse {
        if self.is_configured(client) {
            PrivateUse::Any
        } else {
            self.config.clients.private_use
        }
    }

    /// Returns the verifier of DPoP proofs (RFC 9449).
    pub(crate) fn proof_verifier(&self) -> ProofVerifier<'a> {
        ProofVerifier::new(&self.config.keys, self.config.dpop_nonces)
    }

    pub(crate) fn resources(&self) -> Resources {
        Resources::new(self.base.as_str())
    }
}

impl<K> Context<'_, K> {
    /// Writes the event that a request was refused.
    pub(crate) fn refused(&self, endpoint: &str, code: ErrorCode, reason: &impl Display) {
        self.events.record(&Event::Refusal {
            endpoint,
            error: code.as_str(),
            reason: &reason.to_string(),
        });
    }

    /// Writes the event that a request was refused, and returns the response (RFC 6749 section 5.2).
    pub(crate) fn refuse(&self, endpoint: &str, error: &Error) -> Response {
        self.refused(endpoint, error.code, &error.description);
        responses::error(error)
    }
}

/// Returns where a request comes from, for [`Context::source`].
pub fn request_source(config: &Server, headers: &HeaderMap) -> RequestSource {
    RequestSource::read(headers, config.client_address_header.as_ref())
}

/// Returns the events of a request, written to the log, for [`Context::events`]. `now` is in seconds since the
/// Unix epoch.
pub fn request_events(config: &Server, headers: &HeaderMap, now: u64) -> Events<'static> {
    let trace = TraceContext::of(headers);
    Events::new(config.events, now, trace, &events::to_log)
}

//! Fingerprints of what a person consents to: short enough for a cookie, and of no use to who reads one.

use oauth::authorization_request::{AuthorizationRequest, Target};
use oauth::{Client, secret};
use serde::{Deserialize, Serialize};

/// 132 bits of a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(text: &str) -> Self {
        let mut hash = secret::hash(text);
        hash.truncate(22);
        Self(hash)
    }

    /// Of what a person says yes to.
    pub(crate) fn of_consent(
        client: &Client,
        target: &Target,
        request: &AuthorizationRequest,
        provider_scopes: &[String],
    ) -> Self {
        Self::of_json(&(
            &client.client_id,
            &client.metadata,
            &target.redirect_uri,
            &request.scopes,
            &request.resources,
            provider_scopes,
        ))
    }

    /// Of where the answers of a client go: the part of what a person said yes to that a request
    /// with an error in it still has.
    pub(crate) fn of_destination(client: &Client, target: &Target) -> Self {
        Self::of_json(&(&client.client_id, &client.metadata, &target.redirect_uri))
    }

    fn of_json(value: &impl Serialize) -> Self {
        Self::of(&serde_json::to_string(value).unwrap_or_default())
    }
}

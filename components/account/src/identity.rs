//! The identity provider that this component is composed with: it revokes the tokens of grants that
//! end here.

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unused_qualifications,
        clippy::all,
        clippy::pedantic
    )]
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "gatehouse:account/account",
        path: ["../../wit/identity", "wit"],
        generate_all,
    });
}

use authserver::identity::{ProviderError, TokenRevoker, UpstreamTokens};
use bindings::gatehouse::identity::provider;

/// The composed provider.
pub(crate) struct Composed;

impl TokenRevoker for Composed {
    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), ProviderError> {
        let revoked = provider::revoke(provider::Tokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        });
        revoked.await.map_err(|error| match error {
            provider::Error::Misconfigured(text) => ProviderError::Misconfigured(text),
            provider::Error::Refused(text) => ProviderError::Refused(text),
            provider::Error::Unavailable(text) => ProviderError::Unavailable(text),
        })
    }
}

//! Any OpenID Connect provider as the identity provider: the contract `wit/identity`, exported for the
//! authorization server and the MCP server.
//!
//! What the provider is sent and what its responses mean is in `crates/oidc`; here are the variables, read once
//! per instance.
#![allow(unsafe_code)]

use identity::{
    CodeExchange, Error, Login, Presented, Refreshed, SignIn, SignInProvider, TokenRefresher,
    TokenRevoker, TokenVerifier, UpstreamTokens,
};
use identity_export::{Instance, Outbound};
use oidc::{Provider, Settings};
use platform::time::now;
use platform::variables;
use std::sync::OnceLock;

type Component = identity_export::Component<OpenId>;
identity_export::export!(Component with_types_in identity_export::bindings);

/// The provider, with its cache of metadata and keys.
struct OpenId(Provider<Outbound>);

impl Instance for OpenId {
    async fn get() -> &'static Self {
        static PROVIDER: OnceLock<OpenId> = OnceLock::new();
        if let Some(provider) = PROVIDER.get() {
            return provider;
        }
        let values = variables::read(Settings::VARIABLES).await;
        let settings = Settings::read(|name| values.get(name).map(String::as_str));
        PROVIDER.get_or_init(|| Self(Provider::new(settings, Outbound)))
    }
}

impl SignInProvider for OpenId {
    async fn display_name(&self) -> String {
        self.0.display_name()
    }

    async fn scopes(&self) -> Vec<String> {
        self.0.scopes()
    }

    async fn login_url(&self, login: Login) -> Result<String, Error> {
        self.0.login_url(&login, now()).await
    }

    async fn exchange_code(&self, exchange: CodeExchange) -> Result<SignIn, Error> {
        self.0.exchange_code(&exchange, now()).await
    }
}

impl TokenRefresher for OpenId {
    async fn refresh(&self, refresh_token: &str, wants_profile: bool) -> Result<Refreshed, Error> {
        self.0.refresh(refresh_token, wants_profile, now()).await
    }
}

impl TokenRevoker for OpenId {
    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), Error> {
        self.0.revoke(&tokens, now()).await
    }
}

impl TokenVerifier for OpenId {
    async fn verify(&self, access_token: &str) -> Result<Presented, Error> {
        self.0.verify(access_token, now()).await
    }
}

//! How a person signs in with any OpenID Connect provider: the identity contract (`wit/identity`),
//! exported for the authorization server and the MCP server.
//!
//! What the provider is sent and what its answers mean is in `crates/oidc`; here are the variables,
//! read once per instance.
#![allow(unsafe_code)]

use identity::{Outbound, Provider};
use oidc::{CodeExchange, Error, Login, Presented, Refreshed, Settings, SignIn, Tokens};
use platform::variables;
use std::sync::OnceLock;

type Component = identity::Component<OpenId>;
identity::export!(Component with_types_in identity::bindings);

/// The provider, with what is remembered of its metadata and keys.
struct OpenId(oidc::Provider<Outbound>);

impl Provider for OpenId {
    async fn get() -> &'static Self {
        static PROVIDER: OnceLock<OpenId> = OnceLock::new();
        if let Some(provider) = PROVIDER.get() {
            return provider;
        }
        let values = variables::read(Settings::VARIABLES).await;
        let settings = Settings::read(|name| values.get(name).map(String::as_str));
        PROVIDER.get_or_init(|| Self(oidc::Provider::new(settings, Outbound)))
    }

    fn display_name(&self) -> String {
        self.0.display_name()
    }

    fn scopes(&self) -> Vec<String> {
        self.0.scopes()
    }

    async fn login_url(&self, login: &Login, now: u64) -> Result<String, Error> {
        self.0.login_url(login, now).await
    }

    async fn exchange_code(&self, exchange: &CodeExchange, now: u64) -> Result<SignIn, Error> {
        self.0.exchange_code(exchange, now).await
    }

    async fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
        now: u64,
    ) -> Result<Refreshed, Error> {
        self.0.refresh(refresh_token, wants_profile, now).await
    }

    async fn revoke(&self, tokens: &Tokens, now: u64) -> Result<(), Error> {
        self.0.revoke(tokens, now).await
    }

    async fn verify(&self, access_token: &str, now: u64) -> Result<Presented, Error> {
        self.0.verify(access_token, now).await
    }
}

//! Descope as the identity provider: the contract `wit/identity`, exported for the authorization server and the
//! MCP server.
//!
//! What Descope is sent and what its responses mean is in `crates/descope`; here are the variables, read once
//! per instance.
#![allow(unsafe_code)]

use descope::{Descope, Settings};
use identity::{
    CodeExchange, Error, Login, Presented, Refreshed, SignIn, SignInProvider, TokenRefresher,
    TokenRevoker, TokenVerifier, UpstreamTokens,
};
use identity_export::{Instance, Outbound};
use platform::time::now;
use platform::variables;
use std::sync::OnceLock;

type Component = identity_export::Component<Project>;
identity_export::export!(Component with_types_in identity_export::bindings);

/// The project, with its cache of public keys.
struct Project(Descope<Outbound>);

impl Instance for Project {
    async fn get() -> &'static Self {
        static PROJECT: OnceLock<Project> = OnceLock::new();
        if let Some(project) = PROJECT.get() {
            return project;
        }
        let values = variables::read(Settings::VARIABLES).await;
        let settings = Settings::read(|name| values.get(name).map(String::as_str));
        PROJECT.get_or_init(|| Self(Descope::new(settings, Outbound)))
    }
}

impl SignInProvider for Project {
    async fn display_name(&self) -> String {
        "Descope".to_owned()
    }

    async fn scopes(&self) -> Vec<String> {
        self.0.scopes()
    }

    async fn login_url(&self, login: Login) -> Result<String, Error> {
        self.0.login_url(&login)
    }

    async fn exchange_code(&self, exchange: CodeExchange) -> Result<SignIn, Error> {
        self.0.exchange_code(&exchange, now()).await
    }
}

impl TokenRefresher for Project {
    async fn refresh(&self, refresh_token: &str, wants_profile: bool) -> Result<Refreshed, Error> {
        self.0.refresh(refresh_token, wants_profile, now()).await
    }
}

impl TokenRevoker for Project {
    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), Error> {
        self.0.revoke(&tokens, now()).await
    }
}

impl TokenVerifier for Project {
    async fn verify(&self, access_token: &str) -> Result<Presented, Error> {
        self.0.verify(access_token, now()).await
    }
}

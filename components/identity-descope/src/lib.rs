//! How a person signs in with Descope: the identity contract (`wit/identity`), exported for the
//! authorization server and the MCP server.
//!
//! What Descope is sent and what its answers mean is in `crates/descope`; here are the variables,
//! read once per instance.
#![allow(unsafe_code)]

use descope::{
    CodeExchange, Descope, Error, Login, Presented, Refreshed, Settings, SignIn, Tokens,
};
use identity::{Outbound, Provider};
use platform::variables;
use std::sync::OnceLock;

type Component = identity::Component<Project>;
identity::export!(Component with_types_in identity::bindings);

/// The project, with its cache of public keys.
struct Project(Descope<Outbound>);

impl Provider for Project {
    async fn get() -> &'static Self {
        static PROJECT: OnceLock<Project> = OnceLock::new();
        if let Some(project) = PROJECT.get() {
            return project;
        }
        let values = variables::read(Settings::VARIABLES).await;
        let settings = Settings::read(|name| values.get(name).map(String::as_str));
        PROJECT.get_or_init(|| Self(Descope::new(settings, Outbound)))
    }

    fn display_name(&self) -> String {
        "Descope".to_owned()
    }

    fn scopes(&self) -> Vec<String> {
        self.0.scopes()
    }

    async fn login_url(&self, login: &Login, _now: u64) -> Result<String, Error> {
        self.0.login_url(login)
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

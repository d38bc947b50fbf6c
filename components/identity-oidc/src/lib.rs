//! Any OpenID Connect provider as the identity provider: the contract `wit/identity`, exported for the authorization server and the
//! MCP server.
//!
//! Requests to the provider and the meaning of its responses are in `crates/oidc`.
#![allow(unsafe_code)]

use identity_export::{Instance, Outbound, SharedDocuments};
use oidc::{Provider, Settings};
use platform::key_value::KeyValueStore;
use platform::variables::Variables;
use std::sync::OnceLock;

type Component = identity_export::Component<OpenId>;
identity_export::export!(Component with_types_in identity_export::bindings);

struct OpenId;

impl Instance for OpenId {
    type Client = Provider<Outbound, KeyValueStore>;
    const VARIABLES: &'static [&'static str] = Settings::VARIABLES;

    fn cell() -> &'static OnceLock<Self::Client> {
        static CLIENT: OnceLock<Provider<Outbound, KeyValueStore>> = OnceLock::new();
        &CLIENT
    }

    fn client(variables: &Variables, shared: SharedDocuments) -> Self::Client {
        Provider::new(Settings::read(|name| variables.get(name)), Outbound, shared)
    }
}

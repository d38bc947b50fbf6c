//! Descope as the identity provider: the contract `wit/identity`, exported for the authorization server and the
//! MCP server.
//!
//! Requests to the provider and the meaning of its responses are in `crates/descope`.
#![allow(unsafe_code)]

use descope::{Descope, Settings};
use identity_export::{Instance, Outbound, SharedDocuments};
use platform::key_value::KeyValueStore;
use platform::variables::Variables;
use std::sync::OnceLock;

type Component = identity_export::Component<Project>;
identity_export::export!(Component with_types_in identity_export::bindings);

struct Project;

impl Instance for Project {
    type Client = Descope<Outbound, KeyValueStore>;
    const VARIABLES: &'static [&'static str] = Settings::VARIABLES;

    fn cell() -> &'static OnceLock<Self::Client> {
        static CLIENT: OnceLock<Descope<Outbound, KeyValueStore>> = OnceLock::new();
        &CLIENT
    }

    fn client(variables: &Variables, shared: SharedDocuments) -> Self::Client {
        Descope::new(Settings::read(|name| variables.get(name)), Outbound, shared)
    }
}

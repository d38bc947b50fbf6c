//! The offer of a remote MCP server as a tools component: the contract `wit/tools`, exported over the crate `mcp-client`.
//!
//! It runs as the dependency of a tool server, which gives it the variables and the host: docs/tools.md shows how.
#![allow(unsafe_code)]

mod environment;

use environment::Platform;
use mcp_client::{Client, Settings};
use platform::variables::Variables;
use std::sync::OnceLock;
use tools_export::Instance;

type Component = tools_export::Component<RemoteServer>;
tools_export::export!(Component with_types_in tools_export::bindings);

struct RemoteServer;

impl Instance for RemoteServer {
    type Provider = Client<Platform>;
    const VARIABLES: &'static [&'static str] = Settings::VARIABLES;

    fn cell() -> &'static OnceLock<Self::Provider> {
        static CLIENT: OnceLock<Client<Platform>> = OnceLock::new();
        &CLIENT
    }

    fn provider(variables: &Variables) -> Self::Provider {
        Client::new(Settings::read(|name| variables.get(name)), Platform)
    }
}

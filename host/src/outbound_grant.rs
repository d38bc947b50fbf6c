//! The grant of outbound connections: hosts that a component may reach, and the client that reaches them.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
};

use http::{Request, Response};
use wasmtime_wasi_http::WasiBody;

use crate::{
    allowed_hosts::AllowedHosts, blocked_networks::BlockedNetworks, http_connector::Client,
    rate::Rate,
};

/// A component's way out.
pub(crate) struct Outbound {
    pub(crate) allowed: AllowedHosts,
    pub(crate) shared: Arc<Shared>,
}

/// What all components' ways out have in common.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) blocked: Arc<BlockedNetworks>,
    /// How many requests may be sent.
    pub(crate) rate: Option<Rate>,
    /// Where requests to other components of the application go.
    pub(crate) application: OnceLock<Weak<dyn Application>>,
}

/// A response of another component.
pub(crate) type Chained<'a> =
    Pin<Box<dyn Future<Output = anyhow::Result<Response<WasiBody>>> + Send + 'a>>;

/// The application that a component belongs to, as its requests reach it.
pub(crate) trait Application: Send + Sync {
    /// Returns the address that the host listens on.
    fn address(&self) -> SocketAddr;

    /// Sends a request to another component (local service chaining).
    fn chain<'a>(&'a self, component: &'a str, request: Request<WasiBody>) -> Chained<'a>;
}

/// Returns what the operator reads of a destination that is not allowed: what was tried, and what would allow it, as in Spin.
pub(crate) fn refusal(component: &str, tried: &str, pattern: &str) -> String {
    format!(
        "Outbound network destination not allowed: component {component:?} tried to {tried}. \
         To allow it, add {pattern:?} to allowed_outbound_hosts of [component.{component}] in the manifest"
    )
}

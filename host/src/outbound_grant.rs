//! What a component may reach, and what it reaches it by.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock, Weak},
};

use http::{Request, Response};
use wasmtime_wasi_http::WasiBody;

use crate::{allowed_hosts::AllowedHosts, http_connector::Client};

/// A component's way out.
pub(crate) struct Outbound {
    pub(crate) allowed: AllowedHosts,
    pub(crate) shared: Arc<Shared>,
}

/// What all components' ways out have in common.
pub(crate) struct Shared {
    pub(crate) client: Client,
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

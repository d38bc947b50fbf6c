//! The harness of the black-box tests: a running Gatehouse with an identity provider of its own, and the clients
//! and people that talk to it.

pub mod certified;
pub mod client;
mod flavour;
mod gatehouse;
pub mod mcp;
mod origin;
mod page;
pub mod person;
pub mod ports;
mod provider;
pub mod proxy;
pub mod published;
mod remote_server;
pub mod schema;
pub mod scripts;
pub mod secrets;
pub mod signed;
pub mod sse;
pub mod stateless;
mod wire;
mod workspace;

pub use certified::CertifiedProvider;
pub use client::{Client, Tokens};
pub use flavour::Flavour;
pub use gatehouse::{Gatehouse, Settings, Stalls};
pub use mcp::Mcp;
pub use origin::Origin;
pub use page::{Form, Page};
pub use person::Person;
pub use provider::Provider;
pub use proxy::Proxy;
pub use published::Published;
pub use remote_server::RemoteServer;
pub use sse::{SseStream, sse_events};
pub use stateless::Stateless;
pub use workspace::over_tested_wasm;

/// The keys that the tests use; they guard nothing.
pub const ENCRYPTION_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The Rust of the tutorial is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tools.md")]
struct Tutorial;

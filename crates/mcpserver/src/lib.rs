//! The MCP endpoint, apart from Spin: who may call, the two HTTP transports, and the way of a call
//! to its tool.
//!
//! Everything it touches is a [`Parts`]: a key-value store, an identity provider, tools, and an
//! [`Environment`] of clock, sleep, randomness and spawned work. The component puts Spin and two
//! composed components there, the tests put memory.
//!
//! What an authenticated `tools/call` costs: one read of the store, for the grant, and no write;
//! with a proof of possession, three writes more.

mod authentication;
mod body;
mod cache;
mod calls;
mod credential;
mod environment;
mod http_sse;
mod identity;
mod mailbox;
mod messages;
mod origin;
mod place;
mod possession;
mod refusal;
mod server;
mod session;
mod streamable_http;
mod toolbox;
mod tools;

pub use body::Body;
pub use environment::{Environment, Parts};
pub use identity::{IdentityError, IdentityProvider, Presented};
pub use server::Server;
pub use tools::{Call, Caller, Credential, Event, Events, Failure, OfferedTool, ToolProvider};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

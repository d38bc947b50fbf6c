//! The MCP endpoint, apart from Spin: who may call, the two HTTP transports, and the way of a call
//! to its tool.
//!
//! Everything it touches is a [`Parts`]: a key-value store, an identity provider, tools, and an
//! [`Environment`] of clock, sleep, randomness and spawned work. The component puts Spin and two
//! composed components there, the tests put memory.
//!
//! What an authenticated `tools/call` costs: one read of the store, for the grant, and no write; in a
//! session one read more, and with a proof of possession three writes.

mod authentication;
mod authority;
mod body;
mod cache;
mod calls;
mod cancellation;
mod catalog;
mod changes;
mod checked;
mod conversation;
mod credential;
mod cursor;
mod environment;
mod events;
mod http_sse;
mod identity;
mod input;
mod line;
mod listening;
mod mailbox;
mod messages;
mod origin;
mod place;
mod possession;
mod presented;
mod questions;
mod refusal;
mod requests;
mod resumption;
mod sandbox;
mod server;
mod session;
mod stateless;
mod streamable_http;
mod talk;
mod tasks;
mod tools;

pub use body::Body;
pub use environment::{Environment, Parts};
pub use identity::{IdentityError, IdentityProvider, Presented, TokenKind};
pub use server::Server;
pub use tools::{
    Answer, Asked, Call, Caller, Changed, Changes, Completion, Credential, Event, Events, Failure,
    InputRequest, InputRequired, Offer, OfferedPrompt, OfferedTool, PromptRequest, Read,
    ResourceOffer, Round, TaskUse, ToolProvider,
};

#[cfg(any(test, feature = "testing"))]
mod test_environment;
#[cfg(feature = "testing")]
pub use test_environment::TestEnvironment;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

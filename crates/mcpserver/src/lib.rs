//! The MCP endpoint, apart from Spin: authentication, the HTTP transports, and calls of tools.
//!
//! The rooms, from the top down: `server`, `router`, `transport`, `tasks`, `protocol`, `call`, `stream`, `http`,
//! `contract`. Each uses only those below it.
//!
//! Everything it touches is a [`Parts`]: a key-value store, an identity provider, tools, and an
//! [`Environment`] of clock, sleep, randomness and spawned work. The component puts Spin and two
//! composed components there, the tests put memory.
//!
//! The cost of an authenticated `tools/call`: one read of the store, for the grant, unless this instance read it less than
//! `grant_check` seconds ago, and no write; in a session one read more in that time, and with a proof of possession three writes.

mod call;
mod context;
mod contract;
mod http;
mod protocol;
mod rate_limit;
mod router;
mod server;
mod stream;
mod tasks;
mod transport;
mod trusted;

pub use self::http::body::Body;
pub use contract::environment::{Environment, Parts};
pub use contract::identity::IdentityProvider;
pub use contract::tools::{
    Answer, Call, Caller, Changed, Changes, Completion, Credential, Event, Events, Failure,
    InputRequest, InputRequired, Offer, OfferedPrompt, OfferedTool, PromptRequest, Read,
    ResourceOffer, Round, RoundResult, TaskUse, ToolProvider,
};
pub use server::Server;

#[cfg(any(test, feature = "testing"))]
mod test_environment;
#[cfg(feature = "testing")]
pub use test_environment::TestEnvironment;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

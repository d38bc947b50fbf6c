//! The client of a remote MCP server, whose tools, resources and prompts the tools contract offers.
//!
//! Servers of 2026-07-28 are asked without a session, those of 2025-11-25, 2025-06-18 and 2025-03-26 within one, over
//! Streamable HTTP. The crate has the rules: HTTP, the clock and spawned work are an [`Environment`]'s. A server is not
//! trusted: what it sends is bounded in bytes, number and time, and read or left out, never repeated into the log of the
//! operator without its bounds.

mod asking;
mod client;
mod connection;
mod content;
mod credentials;
mod definitions;
mod discovered;
mod environment;
mod error;
mod event_reader;
mod exchange;
mod incoming;
mod json;
mod lifecycles;
mod lists;
mod messages;
mod names;
mod notifications;
mod outgoing;
mod pattern;
mod peer;
mod posted;
mod question;
mod remote;
mod reports;
mod results;
mod round;
mod sessions;
mod settings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod uri;
mod wire;

pub use client::{CallSteps, Client};
pub use environment::{Environment, SendError};
pub use event_reader::EventReader;
pub use settings::Settings;

//! Tool adapters, the tools components that offer what others serve, an HTTP API or an MCP server. In common they have
//! patterns of names, hosts that may be called without TLS, and credentials that come back.

pub mod redaction;

mod hosts;
mod wildcard;

pub use hosts::stays_here;
pub use wildcard::fits;

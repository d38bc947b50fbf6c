//! Gatehouse over HTTP, rule by rule.

mod authorize;
mod configuration;
mod discovery;
mod mcp_endpoint;
mod register;
mod restart;
mod sse;
mod token;
mod tools;
mod way_through;

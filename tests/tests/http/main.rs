//! Gatehouse over HTTP, rule by rule.

mod authorize;
mod configuration;
mod descope_mode;
mod discovery;
mod mcp_endpoint;
mod register;
mod restart;
mod size;
mod sse;
mod token;
mod tools;
mod way_through;

//! Gatehouse over HTTP, rule by rule.

mod authorize;
mod client_documents;
mod configuration;
mod configured_clients;
mod descope_mode;
mod discovery;
mod identity_provider;
mod mcp_2026;
mod mcp_endpoint;
mod register;
mod registered_client;
mod restart;
mod size;
mod sse;
mod token;
mod tools;
mod way_through;

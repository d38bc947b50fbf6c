//! Gatehouse over HTTP, rule by rule.

mod account;
mod admin;
mod authorize;
mod callback;
mod client_documents;
mod configuration;
mod configured_clients;
mod consent;
mod descope_mode;
mod discovery;
mod identity_provider;
mod mcp_2026;
mod mcp_endpoint;
mod pages;
mod register;
mod registered_client;
mod restart;
mod size;
mod sse;
mod sweep;
mod token;
mod tools;
mod way_through;

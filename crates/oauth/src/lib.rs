//! The OAuth protocol as MCP uses it: requests and their checks, clients and their registration,
//! errors, metadata, access tokens.
//!
//! Pure: nothing here knows of storage, of Spin or of a web framework. Time and randomness are
//! arguments, so every rule about them can be tested.

pub mod access_token;
pub mod authorization_request;
pub mod client;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_metadata;
pub mod document;
mod error;
pub mod introspection;
pub mod look_alike;
pub mod metadata;
mod parameters;
pub mod pkce;
pub mod pre_registered;
pub mod redirect_uri;
pub mod registration;
pub mod resource;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod token;
mod visible_text;

pub use client::Client;
pub use error::{Error, ErrorCode};
pub use parameters::{ParameterError, Parameters};

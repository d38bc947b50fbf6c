//! HTTP requests before they are MCP messages: base URLs, origins, authentication (RFC 6750, RFC
//! 9449), and the responses to rejected requests.

pub(crate) mod authenticated;
pub(crate) mod authenticator;
pub(crate) mod authorization;
pub(crate) mod base_urls;
pub(crate) mod body;
pub(crate) mod dpop;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod grant_watch;
pub(crate) mod origin;
pub(crate) mod presented_token;
pub(crate) mod rejection;
pub(crate) mod response;
pub(crate) mod scheme;

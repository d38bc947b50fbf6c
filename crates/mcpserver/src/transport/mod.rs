//! The transports: Streamable HTTP with sessions, its stateless revision, and HTTP+SSE.

pub(crate) mod http_sse;
pub(crate) mod sessions;
pub(crate) mod stateless;
pub(crate) mod streamable_http;

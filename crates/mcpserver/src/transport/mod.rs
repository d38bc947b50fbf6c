//! The transports: Streamable HTTP with sessions, its stateless revision, and HTTP+SSE.

pub(crate) mod http_sse;
pub(crate) mod session;
pub(crate) mod stateless;
pub(crate) mod streamable_http;

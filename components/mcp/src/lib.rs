//! The MCP endpoint: `/mcp` (Streamable HTTP), `/sse` and `/messages` (HTTP+SSE).
//!
//! The crate `mcpserver` has its routes, and answers; here it gets its parts: Spin's key-value store, the identity
//! component that `spin.toml` composes it with, and the tools components that the variable `tools` names.

mod environment;
mod router;

platform::http_component!(router::router);

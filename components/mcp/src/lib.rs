//! The MCP endpoint: `/mcp` (Streamable HTTP), `/sse` and `/messages` (HTTP+SSE).
//!
//! What it does is in the crate `mcpserver`; here it gets its parts: Spin's key-value store, and the
//! two components that `spin.toml` composes it with.

#[cfg(not(portable))]
mod bindings;
#[cfg(portable)]
#[path = "bindings_portable.rs"]
mod bindings;
mod environment;
mod tools;

use identity_import::Composed;
use mcpserver::{Parts, Server};
use platform::axum::Router;
use platform::axum::extract::Request;
use platform::key_value::KeyValueStore;

platform::http_component!(router);

/// What the server stands on here.
struct Gatehouse;

impl Parts for Gatehouse {
    type KeyValue = KeyValueStore;
    type Identity = Composed;
    type Tools = tools::Tools;
    type Environment = environment::Platform;
}

async fn router() -> Router {
    match instance::configuration(instance::granted::MCP).await {
        Ok(config) => {
            let key_value = instance::key_value(&config);
            let server = Server::<Gatehouse>::new(
                config,
                key_value,
                Composed,
                tools::Tools,
                environment::Platform,
            );
            Router::new().fallback(move |request: Request| {
                let server = server.clone();
                async move {
                    server
                        .handle(request)
                        .await
                        .map(platform::axum::body::Body::new)
                }
            })
        }
        Err(problems) => {
            Router::new().fallback(move || async move { misconfigured::json(&problems) })
        }
    }
}

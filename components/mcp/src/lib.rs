//! The MCP endpoint: `/mcp` (Streamable HTTP), `/sse` and `/messages` (HTTP+SSE).
//!
//! The crate `mcpserver` has its routes, and answers; here it gets its parts: Spin's key-value store, the identity
//! component that `spin.toml` composes it with, and the tools components that the variable `tools` names.

mod environment;

use config::Problem;
use environment::Platform;
use identity_import::Composed;
use mcpserver::{Parts, Server};
use platform::axum::Router;
use platform::axum::body::Body;
use platform::axum::extract::{Request, State};
use platform::axum::response::Response;
use platform::key_value::KeyValueStore;
use std::sync::Arc;
use tool_sources::{Source, Sources};
use tools_import::ToolsComponent;

platform::http_component!(router);

/// What the server stands on here.
struct Gatehouse;

impl Parts for Gatehouse {
    type KeyValue = KeyValueStore;
    type Identity = Composed;
    type Tools = Sources<ToolsComponent>;
    type Environment = Platform;
}

/// The server, or what is wrong with its configuration.
type Configured = Result<Arc<Server<Gatehouse>>, Vec<Problem>>;

async fn router() -> Router {
    let config = instance::configuration(instance::granted::MCP).await;
    let server = config.map(|config| {
        let key_value = instance::key_value(&config);
        let tools = Sources::new(
            config
                .tools
                .iter()
                .map(String::as_str)
                .map(source)
                .collect(),
        );
        Server::<Gatehouse>::new(config, key_value, Composed, tools, Platform)
    });
    Router::new().fallback(handle).with_state(Arc::new(server))
}

fn source(name: &str) -> Source<ToolsComponent> {
    Source {
        id: name.to_owned(),
        provider: ToolsComponent::named(name),
    }
}

async fn handle(State(server): State<Arc<Configured>>, request: Request) -> Response<Body> {
    match server.as_ref() {
        Ok(server) => server.handle(request).await.map(Body::new),
        Err(problems) => misconfigured::json(problems).map(Body::new),
    }
}

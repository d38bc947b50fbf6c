//! The router of the component: the server, made of its parts, or the problems of its configuration.

use crate::environment::Platform;
use config::Problem;
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

/// The parts of the server here.
struct Gatehouse;

impl Parts for Gatehouse {
    type KeyValue = KeyValueStore;
    type Identity = Composed;
    type Tools = Sources<ToolsComponent>;
    type Environment = Platform;
}

/// The server, or what is wrong with its configuration.
type Configured = Result<Arc<Server<Gatehouse>>, Vec<Problem>>;

/// Returns the router of an instance, whose server is made of the variables.
pub(crate) async fn router() -> Router {
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

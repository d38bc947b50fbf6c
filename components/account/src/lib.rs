//! The component `account`: `/account`, where a person sees and ends what they have allowed, and
//! `/admin`, where an operator does.

use authserver::{Context, endpoints};
use axum::Router;
use axum::extract::{Request, State};
use instance::{Instance, Parts};
use platform::time::now;
use std::sync::Arc;
use web::Response;

platform::http_component!(router);

async fn router() -> Router {
    Router::new()
        .fallback(handle)
        .with_state(Arc::new(Instance::read(instance::granted::ACCOUNT).await))
}

async fn handle(State(instance): State<Arc<Instance>>, request: Request) -> Response {
    let (Parts { config, store }, base) = match instance.place(request.headers()) {
        Ok(place) => place,
        Err(problems) if web::wants_html(request.headers()) => {
            return web::problem_page(&problems);
        }
        Err(problems) => return web::problem_json(&problems),
    };
    let request = match authserver::read_request(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let context = Context {
        config,
        base: &base,
        store,
        documents: None,
        source: authserver::request_source(config, request.headers()),
        now: now(),
    };
    let path = request.uri().path();
    if path.starts_with("/admin") {
        return endpoints::admin::handle(&context, now, &request).await;
    }
    match config.authorization_server.external() {
        Some(external) => {
            endpoints::elsewhere::handle(external, request.method(), request.headers())
        }
        None => endpoints::account::handle(&context, &request).await,
    }
}

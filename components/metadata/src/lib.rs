//! The component `metadata`: discovery documents, public keys, and client registration.

use authserver::{Context, MAX_BODY, endpoints};
use axum::Router;
use axum::extract::{Request, State};
use instance::{Instance, Parts};
use std::sync::Arc;
use web::Response;

platform::http_component!(router);

async fn router() -> Router {
    Router::new()
        .fallback(handle)
        .with_state(Arc::new(Instance::read().await))
}

async fn handle(State(instance): State<Arc<Instance>>, request: Request) -> Response {
    let (Parts { config, store }, base) = match instance.place(request.headers()) {
        Ok(place) => place,
        Err(problems) => return web::problem_json(&problems),
    };
    if request.uri().path().starts_with("/.well-known/") {
        let (method, path) = (request.method(), request.uri().path());
        return endpoints::well_known::handle(config, &base, method, path);
    }
    if let Some(external) = config.authorization_server.external() {
        return endpoints::elsewhere::handle(external, request.method(), request.headers());
    }
    let request = match web::read_request(request, MAX_BODY).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let context = Context {
        config,
        base: &base,
        store,
        documents: None,
        now: platform::time::now(),
    };
    let random = &mut instance::random();
    let response = if request.uri().path() == "/register" {
        endpoints::register::handle(&context, random, &request).await
    } else {
        endpoints::registered_client::handle(&context, random, &request).await
    };
    instance.sweep_sometimes();
    response
}

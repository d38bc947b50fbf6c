//! The component `metadata`: discovery documents, public keys, and client registration.

use authserver::endpoints::well_known::WellKnown;
use authserver::{Context, endpoints};
use axum::Router;
use axum::extract::{Request, State};
use instance::{Instance, Parts};
use std::sync::Arc;
use web::Response;

platform::http_component!(router);

async fn router() -> Router {
    Router::new().fallback(handle).with_state((
        Arc::new(Instance::read(instance::granted::METADATA).await),
        Arc::new(WellKnown::default()),
    ))
}

async fn handle(
    State((instance, well_known)): State<(Arc<Instance>, Arc<WellKnown>)>,
    request: Request,
) -> Response {
    let response = answer(&instance, &well_known, request).await;
    instance.secured(response)
}

async fn answer(instance: &Arc<Instance>, well_known: &WellKnown, request: Request) -> Response {
    let (Parts { config, store }, base) = match instance.place(request.headers()) {
        Ok(place) => place,
        Err(problems) => return misconfigured::json(&problems),
    };
    if request.uri().path().starts_with("/.well-known/") {
        return well_known.handle(config, &base, &request);
    }
    if let Some(external) = config.authorization_server.external() {
        return endpoints::external_authorization_server::handle(
            external,
            request.method(),
            request.headers(),
        );
    }
    let request = match authserver::read_request(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let now = platform::time::now();
    let context = Context {
        config,
        base: &base,
        store,
        documents: None,
        source: authserver::request_source(config, request.headers()),
        revocations: None,
        events: authserver::request_events(config, request.headers(), now),
        now,
    };
    let random = &mut instance::random();
    let response = if request.uri().path() == "/register" {
        endpoints::register::handle(&context, random, &request).await
    } else {
        endpoints::registered_client::handle(&context, random, &request).await
    };
    // A refusal costs no write.
    if response.status().is_success() {
        instance.sweep_sometimes();
    }
    response
}

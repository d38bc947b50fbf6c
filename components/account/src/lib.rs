//! The component `account`: `/account`, where a person sees and ends what they have allowed, and
//! `/admin`, where an operator does.

use authserver::{Context, RevocationQueue, endpoints, upstream_revocation};
use axum::Router;
use axum::extract::{Request, State};
use identity_import::Composed;
use instance::{Instance, Parts};
use platform::time::{now, timeout};
use std::sync::Arc;
use store::KeyValue;
use web::Response;

platform::http_component!(router);

async fn router() -> Router {
    Router::new()
        .fallback(handle)
        .with_state(Arc::new(Instance::read(instance::granted::ACCOUNT).await))
}

async fn handle(State(instance): State<Arc<Instance>>, request: Request) -> Response {
    let response = answer(&instance, request).await;
    instance.secured(response)
}

async fn answer(instance: &Instance, request: Request) -> Response {
    let (Parts { config, store }, base) = match instance.place(request.headers()) {
        Ok(place) => place,
        Err(problems) => return misconfigured::respond(&problems, request.headers()),
    };
    let request = match authserver::read_request(request).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let revocations = RevocationQueue::default();
    let now = now();
    let context = Context {
        config,
        base: &base,
        store,
        documents: None,
        source: authserver::request_source(config, request.headers()),
        revocations: Some(&revocations),
        events: authserver::request_events(config, request.headers(), now),
        now,
    };
    let response = route(&context, &request).await;
    let ended = revocations.take();
    if !ended.is_empty() {
        platform::spawn(async move {
            let revoked = upstream_revocation::run(&Composed, ended);
            timeout(upstream_revocation::TIMEOUT, revoked).await;
        });
    }
    response
}

async fn route<K: KeyValue>(context: &Context<'_, K>, request: &web::Request) -> Response {
    if request.uri().path().starts_with("/admin") {
        return endpoints::admin::handle(context, now, request).await;
    }
    match context.config.authorization_server.external() {
        Some(external) => endpoints::external_authorization_server::handle(
            external,
            request.method(),
            request.headers(),
        ),
        None => endpoints::account::handle(context, request).await,
    }
}

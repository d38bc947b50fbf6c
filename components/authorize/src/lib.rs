//! The component `authorize`: `/authorize`, `/callback`, `/account/sign-in`, `/token`, `/revoke` and
//! `/introspect`.

mod client_metadata;

use authserver::client_metadata_documents::Documents;
use authserver::{Context, RevocationQueue, SignInsInProgress, endpoints, upstream_revocation};
use axum::Router;
use axum::extract::{Request, State};
use client_metadata::ClientMetadata;
use identity_import::Composed;
use instance::{Instance, Parts};
use platform::time::{sleep, timeout};
use std::sync::Arc;
use web::Response;

platform::http_component!(router);

async fn router() -> Router {
    Router::new().fallback(handle).with_state((
        Arc::new(Instance::read(instance::granted::AUTHORIZE).await),
        Arc::new(Documents::new(ClientMetadata)),
        Arc::new(SignInsInProgress::default()),
    ))
}

async fn handle(
    State((instance, documents, in_progress)): State<(
        Arc<Instance>,
        Arc<Documents>,
        Arc<SignInsInProgress>,
    )>,
    request: Request,
) -> Response {
    let response = answer(&instance, &documents, &in_progress, request).await;
    instance.secured(response)
}

async fn answer(
    instance: &Arc<Instance>,
    documents: &Documents,
    in_progress: &SignInsInProgress,
    request: Request,
) -> Response {
    let (Parts { config, store }, base) = match instance.place(request.headers()) {
        Ok(place) => place,
        Err(problems) => return misconfigured::respond(&problems, request.headers()),
    };
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
    let revocations = RevocationQueue::default();
    let now = platform::time::now();
    let context = Context {
        config,
        base: &base,
        store,
        documents: Some(documents),
        source: authserver::request_source(config, request.headers()),
        revocations: Some(&revocations),
        events: authserver::request_events(config, request.headers(), now),
        now,
    };
    let random = &mut instance::random();
    let response = match request.uri().path() {
        "/authorize" => endpoints::authorize::handle(&context, random, &Composed, &request).await,
        "/callback" => {
            let provider = &Composed;
            endpoints::callback::handle(&context, random, provider, in_progress, sleep, &request)
                .await
        }
        "/account/sign-in" => {
            endpoints::account_sign_in::handle(&context, random, &Composed, &request).await
        }
        "/token" => {
            let response =
                endpoints::token::handle(&context, random, &Composed, sleep, &request).await;
            instance.sweep_sometimes();
            response
        }
        "/revoke" => endpoints::revoke::handle(&context, &request).await,
        "/introspect" => endpoints::introspect::handle(&context, &request).await,
        _ => web::text(http::StatusCode::NOT_FOUND, "Not found\n"),
    };
    let ended = revocations.take();
    if !ended.is_empty() {
        platform::spawn(async move {
            let revoked = upstream_revocation::run(&Composed, ended);
            timeout(upstream_revocation::TIMEOUT, revoked).await;
        });
    }
    response
}

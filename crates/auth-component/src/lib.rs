//! The authorization server in components: each serves the [`Endpoints`] of one table of
//! [routes](authserver::routes).
//!
//! ```ignore
//! platform::http_component!(router);
//!
//! async fn router() -> Router {
//!     auth_component::router(Metadata::default()).await
//! }
//! ```

mod account;
mod authorize;
mod client_metadata;
mod metadata;

pub use account::Account;
pub use authorize::Authorize;
pub use metadata::Metadata;

use authserver::client_metadata_documents::Documents;
use authserver::routes::receive;
use authserver::{Context, RevocationQueue, upstream_revocation};
use identity::{TokenRevoker, UpstreamTokens};
use instance::{Instance, Parts};
use platform::axum::Router;
use platform::axum::extract::Request;
use platform::key_value::KeyValueStore;
use platform::time::{now, timeout};
use std::sync::Arc;
use web::Response;
use web::routes::Route;

/// The endpoints of a component.
pub trait Endpoints: Send + Sync + 'static {
    /// An endpoint.
    type Endpoint: Copy + Send + Sync + 'static;

    /// The variables that the component is granted.
    const VARIABLES: &'static [&'static str];

    /// The routes.
    const ROUTES: &'static [Route<Self::Endpoint>];

    /// Returns where clients' metadata documents come from; nothing is fetched without it.
    fn documents(&self) -> Option<&Documents> {
        None
    }

    /// Whether `path` is served where another authorization server issues the tokens, too.
    fn is_always_served(_path: &str) -> bool {
        false
    }

    /// Whether some of the store is swept, now and then, after such a response.
    fn sweeps(_endpoint: Self::Endpoint, _response: &Response) -> bool {
        false
    }

    /// Revokes the upstream tokens of grants that ended, after the response.
    fn revoke(&self, _ended: Vec<UpstreamTokens>) {}

    /// Answers a request.
    fn handle(
        &self,
        endpoint: Self::Endpoint,
        context: &Context<'_, KeyValueStore>,
        request: &web::Request,
    ) -> impl Future<Output = Response> + Send;
}

/// Returns the router of a component with these endpoints.
pub async fn router<E: Endpoints>(endpoints: E) -> Router {
    let instance = Arc::new(Instance::read(E::VARIABLES).await);
    let endpoints = Arc::new(endpoints);
    Router::new().fallback(move |request: Request| {
        let (instance, endpoints) = (Arc::clone(&instance), Arc::clone(&endpoints));
        async move {
            let response = answer(&instance, &*endpoints, request).await;
            instance.secured(response)
        }
    })
}

async fn answer<E: Endpoints>(
    instance: &Arc<Instance>,
    endpoints: &E,
    request: Request,
) -> Response {
    let (Parts { config, store }, base) = match instance.parts_and_base_url(request.headers()) {
        Ok(found) => found,
        Err(problems) => return misconfigured::respond(&problems, request.headers()),
    };
    if let Some(external) = config.authorization_server.external()
        && !E::is_always_served(request.uri().path())
    {
        let (method, headers) = (request.method(), request.headers());
        return authserver::endpoints::external_authorization_server::handle(
            external, method, headers,
        );
    }
    let (route, endpoint, request) = match receive(E::ROUTES, request).await {
        Ok(received) => received,
        Err(response) => return response,
    };
    let revocations = RevocationQueue::default();
    let now = now();
    let context = Context {
        config,
        base: &base,
        store,
        documents: endpoints.documents().filter(|_| config.clients.documents),
        source: authserver::request_source(config, request.headers()),
        revocations: Some(&revocations),
        events: authserver::request_events(config, request.headers(), now),
        now,
    };
    let response = endpoints.handle(endpoint, &context, &request).await;
    if E::sweeps(endpoint, &response) {
        instance.sweep_if_due();
    }
    let ended = revocations.take();
    if !ended.is_empty() {
        endpoints.revoke(ended);
    }
    route.finish(request.method(), response)
}

/// Revokes upstream tokens while the response is on its way.
fn revoke_later(revoker: impl TokenRevoker + Send + 'static, ended: Vec<UpstreamTokens>) {
    platform::spawn(async move {
        let revoked = upstream_revocation::run(&revoker, ended);
        timeout(upstream_revocation::TIMEOUT, revoked).await;
    });
}

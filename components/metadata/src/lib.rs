//! The component `metadata`: discovery documents, public keys, and client registration.

use auth_component::Endpoints;
use authserver::Context;
use authserver::endpoints::well_known::WellKnown;
use authserver::endpoints::{register, registered_client};
use authserver::routes::{METADATA, MetadataEndpoint};
use platform::axum::Router;
use platform::key_value::KeyValueStore;
use web::routes::Route;
use web::{Request, Response};

platform::http_component!(router);

async fn router() -> Router {
    auth_component::router(Metadata::default()).await
}

#[derive(Default)]
struct Metadata(WellKnown);

impl Endpoints for Metadata {
    type Endpoint = MetadataEndpoint;
    const VARIABLES: &'static [&'static str] = instance::granted::METADATA;
    const ROUTES: &'static [Route<MetadataEndpoint>] = METADATA;

    fn is_always_served(path: &str) -> bool {
        path.starts_with("/.well-known/")
    }

    /// A refusal costs no write.
    fn sweeps(endpoint: MetadataEndpoint, response: &Response) -> bool {
        endpoint != MetadataEndpoint::WellKnown && response.status().is_success()
    }

    async fn handle(
        &self,
        endpoint: MetadataEndpoint,
        context: &Context<'_, KeyValueStore>,
        request: &Request,
    ) -> Response {
        let random = &mut instance::random();
        match endpoint {
            MetadataEndpoint::WellKnown => {
                let (path, headers) = (request.uri().path(), request.headers());
                self.0.handle(context.config, context.base, path, headers)
            }
            MetadataEndpoint::Register => register::handle(context, random, request).await,
            MetadataEndpoint::RegisteredClient => {
                registered_client::handle(context, random, request).await
            }
        }
    }
}

//! Discovery documents, public keys, and client registration.

use crate::Endpoints;
use authserver::endpoints::well_known::WellKnown;
use authserver::routes::{METADATA, MetadataEndpoint};
use authserver::{Context, dispatch};
use platform::key_value::KeyValueStore;
use web::routes::Route;
use web::{Request, Response};

/// The routes [`METADATA`].
#[derive(Default)]
pub struct Metadata(WellKnown);

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
        dispatch::metadata(endpoint, context, random, &self.0, request).await
    }
}

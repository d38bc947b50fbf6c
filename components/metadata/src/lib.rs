//! The component `metadata`: discovery documents, public keys, and client registration. The routes are
//! `authserver::routes::METADATA`.

use auth_component::Metadata;
use platform::axum::Router;

platform::http_component!(router);

async fn router() -> Router {
    auth_component::router(Metadata::default()).await
}

//! The component `authorize`: `/authorize`, `/callback`, `/account/sign-in`, `/token`, `/revoke` and
//! `/introspect`. The routes are `authserver::routes::AUTHORIZE`.

use auth_component::Authorize;
use identity_import::Composed;
use platform::axum::Router;

platform::http_component!(router);

async fn router() -> Router {
    auth_component::router(Authorize::new(Composed)).await
}

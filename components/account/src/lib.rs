//! The component `account`: `/account`, where a person sees and ends what they have allowed, and `/admin`, where
//! an operator does. The routes are `authserver::routes::ACCOUNT`.

use auth_component::Account;
use identity_import::Composed;
use platform::axum::Router;

platform::http_component!(router);

async fn router() -> Router {
    auth_component::router(Account(Composed)).await
}

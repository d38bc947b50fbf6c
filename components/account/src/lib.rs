//! The component `account`: `/account`, where a person sees and ends what they have allowed, and `/admin`, where
//! an operator does.

use auth_component::Endpoints;
use authserver::Context;
use authserver::endpoints::{account, admin};
use authserver::routes::{ACCOUNT, AccountEndpoint};
use identity::UpstreamTokens;
use identity_import::Composed;
use platform::axum::Router;
use platform::key_value::KeyValueStore;
use platform::time::now;
use web::routes::Route;
use web::{Request, Response};

platform::http_component!(router);

async fn router() -> Router {
    auth_component::router(Account).await
}

struct Account;

impl Endpoints for Account {
    type Endpoint = AccountEndpoint;
    const VARIABLES: &'static [&'static str] = instance::granted::ACCOUNT;
    const ROUTES: &'static [Route<AccountEndpoint>] = ACCOUNT;

    fn is_always_served(path: &str) -> bool {
        path.starts_with("/admin")
    }

    fn revoke(ended: Vec<UpstreamTokens>) {
        auth_component::revoke_later(Composed, ended);
    }

    async fn handle(
        &self,
        endpoint: AccountEndpoint,
        context: &Context<'_, KeyValueStore>,
        request: &Request,
    ) -> Response {
        match endpoint {
            AccountEndpoint::Show => account::handle(context, request).await,
            AccountEndpoint::Act(action) => account::handle_action(context, action, request).await,
            AccountEndpoint::NoSuchPage => account::no_such_page(context),
            AccountEndpoint::Admin => admin::handle(context, now, request).await,
        }
    }
}

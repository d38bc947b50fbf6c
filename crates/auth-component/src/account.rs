//! `/account`, where a person sees and ends what they have allowed, and `/admin`, where an operator does.

use crate::{Endpoints, revoke_later};
use authserver::routes::{ACCOUNT, AccountEndpoint};
use authserver::{Context, dispatch};
use identity::{TokenRevoker, UpstreamTokens};
use platform::key_value::KeyValueStore;
use platform::time::now;
use web::routes::Route;
use web::{Request, Response};

/// The routes [`ACCOUNT`], over an identity provider.
pub struct Account<P>(pub P);

impl<P: TokenRevoker + Copy + Send + 'static> Endpoints for Account<P> {
    type Endpoint = AccountEndpoint;
    const VARIABLES: &'static [&'static str] = instance::granted::ACCOUNT;
    const ROUTES: &'static [Route<AccountEndpoint>] = ACCOUNT;

    fn is_always_served(path: &str) -> bool {
        path.starts_with("/admin")
    }

    fn revoke(&self, ended: Vec<UpstreamTokens>) {
        revoke_later(self.0, ended);
    }

    async fn handle(
        &self,
        endpoint: AccountEndpoint,
        context: &Context<'_, KeyValueStore>,
        request: &Request,
    ) -> Response {
        dispatch::account(endpoint, context, now, request).await
    }
}

//! From an endpoint of a table of routes to the function that answers its requests.

use crate::context::Context;
use crate::endpoints::well_known::WellKnown;
use crate::endpoints::{
    account, account_sign_in, admin, authorize, callback, introspect, register, registered_client,
    revoke, token,
};
use crate::routes::{AccountEndpoint, AuthorizeEndpoint, MetadataEndpoint};
use crate::sign_ins_in_progress::SignInsInProgress;
use identity::{SignInProvider, TokenRefresher};
use rand::CryptoRng;
use std::time::Duration;
use store::KeyValue;
use web::{Request, Response};

/// Answers a request to an endpoint of [`AUTHORIZE`](crate::routes::AUTHORIZE).
pub async fn authorize<K: KeyValue, S: Future<Output = ()> + Send>(
    endpoint: AuthorizeEndpoint,
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &(impl SignInProvider + TokenRefresher),
    in_progress: &SignInsInProgress,
    sleep: impl Fn(Duration) -> S + Sync,
    request: &Request,
) -> Response {
    match endpoint {
        AuthorizeEndpoint::Authorize => authorize::handle(context, random, provider, request).await,
        AuthorizeEndpoint::Callback => {
            callback::handle(context, random, provider, in_progress, sleep, request).await
        }
        AuthorizeEndpoint::AccountSignIn => {
            account_sign_in::handle(context, random, provider, request).await
        }
        AuthorizeEndpoint::Token => token::handle(context, random, provider, sleep, request).await,
        AuthorizeEndpoint::Revoke => revoke::handle(context, request).await,
        AuthorizeEndpoint::Introspect => introspect::handle(context, request).await,
    }
}

/// Answers a request to an endpoint of [`ACCOUNT`](crate::routes::ACCOUNT). `clock` returns the seconds since the
/// Unix epoch.
pub async fn account<K: KeyValue>(
    endpoint: AccountEndpoint,
    context: &Context<'_, K>,
    clock: impl Fn() -> u64,
    request: &Request,
) -> Response {
    match endpoint {
        AccountEndpoint::Show => account::handle(context, request).await,
        AccountEndpoint::Act(action) => account::handle_action(context, action, request).await,
        AccountEndpoint::NoSuchPage => account::no_such_page(context),
        AccountEndpoint::Admin(endpoint) => admin::handle(endpoint, context, clock, request).await,
    }
}

/// Answers a request to an endpoint of [`METADATA`](crate::routes::METADATA).
pub async fn metadata<K: KeyValue>(
    endpoint: MetadataEndpoint,
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    well_known: &WellKnown,
    request: &Request,
) -> Response {
    match endpoint {
        MetadataEndpoint::WellKnown => {
            let (path, headers) = (request.uri().path(), request.headers());
            well_known.handle(context.config, context.base, path, headers)
        }
        MetadataEndpoint::Register => register::handle(context, random, request).await,
        MetadataEndpoint::RegisteredClient => {
            registered_client::handle(context, random, request).await
        }
    }
}

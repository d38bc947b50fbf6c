//! The component `authorize`: `/authorize`, `/callback`, `/account/sign-in`, `/token`, `/revoke` and
//! `/introspect`.

mod client_metadata;

use auth_component::Endpoints;
use authserver::client_metadata_documents::Documents;
use authserver::endpoints::{account_sign_in, authorize, callback, introspect, revoke, token};
use authserver::routes::{AUTHORIZE, AuthorizeEndpoint};
use authserver::{Context, SignInsInProgress};
use client_metadata::ClientMetadata;
use identity::UpstreamTokens;
use identity_import::Composed;
use platform::axum::Router;
use platform::key_value::KeyValueStore;
use platform::time::sleep;
use web::routes::Route;
use web::{Request, Response};

platform::http_component!(router);

async fn router() -> Router {
    auth_component::router(Authorize {
        documents: Documents::new(ClientMetadata),
        in_progress: SignInsInProgress::default(),
    })
    .await
}

struct Authorize {
    documents: Documents,
    in_progress: SignInsInProgress,
}

impl Endpoints for Authorize {
    type Endpoint = AuthorizeEndpoint;
    const VARIABLES: &'static [&'static str] = instance::granted::AUTHORIZE;
    const ROUTES: &'static [Route<AuthorizeEndpoint>] = AUTHORIZE;

    fn documents(&self) -> Option<&Documents> {
        Some(&self.documents)
    }

    fn sweeps(endpoint: AuthorizeEndpoint, _response: &Response) -> bool {
        endpoint == AuthorizeEndpoint::Token
    }

    fn revoke(ended: Vec<UpstreamTokens>) {
        auth_component::revoke_later(Composed, ended);
    }

    async fn handle(
        &self,
        endpoint: AuthorizeEndpoint,
        context: &Context<'_, KeyValueStore>,
        request: &Request,
    ) -> Response {
        let random = &mut instance::random();
        match endpoint {
            AuthorizeEndpoint::Authorize => {
                authorize::handle(context, random, &Composed, request).await
            }
            AuthorizeEndpoint::Callback => {
                let in_progress = &self.in_progress;
                callback::handle(context, random, &Composed, in_progress, sleep, request).await
            }
            AuthorizeEndpoint::AccountSignIn => {
                account_sign_in::handle(context, random, &Composed, request).await
            }
            AuthorizeEndpoint::Token => {
                token::handle(context, random, &Composed, sleep, request).await
            }
            AuthorizeEndpoint::Revoke => revoke::handle(context, request).await,
            AuthorizeEndpoint::Introspect => introspect::handle(context, request).await,
        }
    }
}

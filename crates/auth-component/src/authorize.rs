//! `/authorize`, `/callback`, `/account/sign-in`, `/token`, `/revoke` and `/introspect`.

use crate::client_metadata::ClientMetadata;
use crate::{Endpoints, revoke_later};
use authserver::client_metadata_documents::Documents;
use authserver::routes::{AUTHORIZE, AuthorizeEndpoint};
use authserver::{Context, SignInsInProgress, dispatch};
use identity::{SignInProvider, TokenRefresher, TokenRevoker, UpstreamTokens};
use platform::key_value::KeyValueStore;
use platform::time::sleep;
use web::routes::Route;
use web::{Request, Response};

/// The routes [`AUTHORIZE`], over an identity provider.
pub struct Authorize<P> {
    provider: P,
    documents: Documents,
    in_progress: SignInsInProgress,
}

impl<P> Authorize<P> {
    /// Returns the endpoints over `provider`. Documents of clients come from the component `client-metadata`.
    pub fn new(provider: P) -> Self {
        Self {
            provider,
            documents: Documents::new(ClientMetadata),
            in_progress: SignInsInProgress::default(),
        }
    }
}

impl<P> Endpoints for Authorize<P>
where
    P: SignInProvider + TokenRefresher + TokenRevoker + Copy + Send + 'static,
{
    type Endpoint = AuthorizeEndpoint;
    const VARIABLES: &'static [&'static str] = instance::granted::AUTHORIZE;
    const ROUTES: &'static [Route<AuthorizeEndpoint>] = AUTHORIZE;

    fn documents(&self) -> Option<&Documents> {
        Some(&self.documents)
    }

    fn sweeps(endpoint: AuthorizeEndpoint, _response: &Response) -> bool {
        endpoint == AuthorizeEndpoint::Token
    }

    fn revoke(&self, ended: Vec<UpstreamTokens>) {
        revoke_later(self.provider, ended);
    }

    async fn handle(
        &self,
        endpoint: AuthorizeEndpoint,
        context: &Context<'_, KeyValueStore>,
        request: &Request,
    ) -> Response {
        let random = &mut instance::random();
        let (provider, in_progress) = (&self.provider, &self.in_progress);
        dispatch::authorize(
            endpoint,
            context,
            random,
            provider,
            in_progress,
            sleep,
            request,
        )
        .await
    }
}

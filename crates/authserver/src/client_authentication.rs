//! Client authentication (RFC 6749 section 2.3) at `/token`, `/revoke` and `/introspect`.

use crate::client_metadata_documents::{Documents, FetchError};
use crate::clients::{FindError, ResolvedClient};
use crate::context::Context;
use crate::responses;
use jwt::KeySet;
use oauth::access_token::{self, Claims};
use oauth::client_assertion::{self, AssertionError, Expected};
use oauth::client_authentication::{self as protocol, ClientAuthenticationError};
use oauth::{Client, ErrorCode, ParameterError, Parameters};
use store::KeyValue;
use web::Request;

/// The claim that an assertion is used for the first time.
const CLAIM: &str = "assertion";

/// Why a form is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthenticationError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    #[error(transparent)]
    Fetch(FetchError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<FindError> for AuthenticationError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unknown => ClientAuthenticationError::UnknownClient.into(),
            FindError::Document(error) => error.into(),
            FindError::Store(error) => error.into(),
        }
    }
}

impl From<FetchError> for AuthenticationError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Store(error) => Self::Store(error),
            error => Self::Fetch(error),
        }
    }
}

impl From<AssertionError> for AuthenticationError {
    fn from(error: AssertionError) -> Self {
        ClientAuthenticationError::from(error).into()
    }
}

impl From<AuthenticationError> for oauth::Error {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Parameter(error) => error.into(),
            AuthenticationError::Client(error) => error.into(),
            // A client that hears `invalid_client` throws away what it has.
            AuthenticationError::Fetch(error) if error.is_temporary() => {
                Self::new(ErrorCode::TemporarilyUnavailable, error.to_string())
            }
            AuthenticationError::Fetch(error) => {
                Self::new(ErrorCode::InvalidClient, error.to_string())
            }
            AuthenticationError::Store(error) => responses::store_failed(&error),
        }
    }
}

/// Authenticates the client of a request as it is registered, and returns it with the form.
pub(crate) async fn authenticate<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<(Client, Parameters), AuthenticationError> {
    let form = Parameters::from_form(request.headers(), request.body())?;
    form.refuse_repeated(&["resource"])?;
    let presented = protocol::read(request.headers(), &form)?;
    let (clients, id) = (context.clients(), &presented.client_id);
    context.events.client(id);
    if !clients.is_stored(id, context.now).await? && !has_grant(context, &form, id).await? {
        return Err(ClientAuthenticationError::UnknownClient.into());
    }
    let resolved = clients.resolve(id, context.now).await?;
    if let Some(assertion) = presented.check(&resolved.client)? {
        check_assertion(context, &resolved, &form, assertion).await?;
    }
    Ok((resolved.client, form))
}

/// Whether the form shows a code or token of the client's whose grant is alive, whichever of its
/// generations it is: only then has the client anything to get or to lose.
async fn has_grant<K: KeyValue>(
    context: &Context<'_, K>,
    form: &Parameters,
    client_id: &str,
) -> Result<bool, store::Error> {
    let grants = context.grants();
    let of_access_token = |token: &str| {
        let claims = context
            .config
            .keys
            .verify::<Claims>(access_token::TYP, token);
        claims.ok().map(|claims| claims.grant)
    };
    let of_token = |token: &str| {
        grants
            .grant_of_refresh_token(token)
            .or_else(|| of_access_token(token))
    };
    let shown = [
        form.get("code").and_then(|code| grants.grant_of_code(code)),
        form.get("refresh_token").and_then(of_token),
        form.get("token").and_then(of_token),
    ];
    for id in shown.into_iter().flatten() {
        let grant = grants.find(&id, context.now).await?;
        if grant.is_some_and(|grant| grant.client_id == client_id) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn check_assertion<K: KeyValue>(
    context: &Context<'_, K>,
    resolved: &ResolvedClient,
    form: &Parameters,
    assertion: &str,
) -> Result<(), AuthenticationError> {
    let client = &resolved.client;
    let expected = Expected {
        issuer: context.base.as_str(),
        token_endpoint: &context.base.join("/token"),
        now: context.now,
    };
    let single_use = client_assertion::check(assertion, client, expected)?;
    // What the configuration knows may ask for a token for itself.
    let may_get =
        context.is_configured(client) || has_grant(context, form, &client.client_id).await?;
    // Anybody may register a client, and name a URL for its keys.
    let documents = context.documents.filter(|_| resolved.is_used || may_get);
    verify(context, documents, client, assertion).await?;
    // Only a good signature is worth a write, and only where there is something to get for it.
    // Whether the client's record or document is at hand does not matter.
    if may_get
        && !context
            .store
            .claim_once(CLAIM, &single_use.id, single_use.forget_at)
            .await?
    {
        return Err(AssertionError::Replayed.into());
    }
    Ok(())
}

async fn verify<K: KeyValue>(
    context: &Context<'_, K>,
    documents: Option<&Documents>,
    client: &Client,
    assertion: &str,
) -> Result<(), AuthenticationError> {
    if let Some(set) = &client.metadata.jwks {
        let keys = KeySet::from_value(set).map_err(FetchError::Keys)?;
        return Ok(client_assertion::verify(assertion, &keys)?);
    }
    let (Some(url), Some(documents)) = (&client.metadata.jwks_uri, documents) else {
        return Err(AssertionError::UnknownKey.into());
    };
    let origin = context.config.clients.documents_origin.as_deref();
    let (limits, now) = (context.limits(), context.now);
    let keys = documents.keys(&limits, url, origin, false, now).await?;
    match client_assertion::verify(assertion, &keys) {
        // The client may have changed its keys since.
        Err(AssertionError::UnknownKey) => {
            let keys = documents.keys(&limits, url, origin, true, now).await?;
            Ok(client_assertion::verify(assertion, &keys)?)
        }
        verified => Ok(verified?),
    }
}

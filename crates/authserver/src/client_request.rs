//! What `/token`, `/revoke` and `/introspect` have in common: a form from a client that says who it is.

use crate::clients::{FindError, Known};
use crate::documents::FetchError;
use crate::{Context, answers};
use jwt::KeySet;
use oauth::client_assertion::{self, AssertionError, Expected};
use oauth::client_authentication::{self, ClientAuthenticationError};
use oauth::{Client, ErrorCode};
use store::KeyValue;
use web::{ParameterError, Parameters, Request};

/// The claim that an assertion is used for the first time.
const CLAIM: &str = "assertion";

/// Why a form is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientRequestError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<FindError> for ClientRequestError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unknown => ClientAuthenticationError::UnknownClient.into(),
            FindError::Document(error) => error.into(),
            FindError::Store(error) => error.into(),
        }
    }
}

impl From<AssertionError> for ClientRequestError {
    fn from(error: AssertionError) -> Self {
        ClientAuthenticationError::from(error).into()
    }
}

impl From<ClientRequestError> for oauth::Error {
    fn from(error: ClientRequestError) -> Self {
        match error {
            ClientRequestError::Parameter(error) => error.into(),
            ClientRequestError::Client(error) => error.into(),
            // A client that hears `invalid_client` throws away what it has.
            ClientRequestError::Fetch(
                error @ (FetchError::Unavailable(_) | FetchError::TooMany),
            ) => Self::new(ErrorCode::TemporarilyUnavailable, error.to_string()),
            ClientRequestError::Fetch(error) => {
                Self::new(ErrorCode::InvalidClient, error.to_string())
            }
            ClientRequestError::Store(error) => answers::store_failed(&error),
        }
    }
}

/// The form of a request, and the client that sent it, which has authenticated as registered.
pub(crate) async fn read<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<(Client, Parameters), ClientRequestError> {
    let form = Parameters::from_form(request.headers(), request.body())?;
    form.refuse_repeated(&["resource"])?;
    let presented = client_authentication::read(request.headers(), &form)?;
    let known = context
        .clients()
        .recognize(&presented.client_id, context.now)
        .await?;
    if let Some(assertion) = presented.check(&known.client)? {
        check_assertion(context, &known, assertion).await?;
    }
    Ok((known.client, form))
}

async fn check_assertion<K: KeyValue>(
    context: &Context<'_, K>,
    known: &Known,
    assertion: &str,
) -> Result<(), ClientRequestError> {
    let expected = Expected {
        issuer: context.base.as_str(),
        token_endpoint: &context.base.join("/token"),
        now: context.now,
    };
    let single_use = client_assertion::check(assertion, &known.client, expected)?;
    verify(context, &known.client, assertion).await?;
    // Only a good signature is worth a write, and only of a client that there is something to get
    // for: anybody may register one.
    if known.used
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
    client: &Client,
    assertion: &str,
) -> Result<(), ClientRequestError> {
    if let Some(set) = &client.metadata.jwks {
        let keys = KeySet::from_value(set).map_err(FetchError::Keys)?;
        return Ok(client_assertion::verify(assertion, &keys)?);
    }
    let (Some(url), Some(documents)) = (&client.metadata.jwks_uri, context.documents) else {
        return Err(AssertionError::UnknownKey.into());
    };
    let origin = context.config.clients.documents_origin.as_deref();
    let keys = documents.keys(url, origin, false, context.now).await?;
    match client_assertion::verify(assertion, &keys) {
        // The client may have changed its keys since.
        Err(AssertionError::UnknownKey) => {
            let keys = documents.keys(url, origin, true, context.now).await?;
            Ok(client_assertion::verify(assertion, &keys)?)
        }
        verified => Ok(verified?),
    }
}

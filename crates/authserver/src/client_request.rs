//! What `/token`, `/revoke` and `/introspect` have in common: a form from a client that says who it is.

use crate::{Context, answers};
use oauth::Client;
use oauth::client_authentication::{self, ClientAuthenticationError};
use store::KeyValue;
use web::{ParameterError, Parameters, Request};

/// Why a form is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientRequestError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<ClientRequestError> for oauth::Error {
    fn from(error: ClientRequestError) -> Self {
        match error {
            ClientRequestError::Parameter(error) => error.into(),
            ClientRequestError::Client(error) => error.into(),
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
    let client = context
        .clients()
        .find(&presented.client_id, context.now)
        .await?
        .ok_or(ClientAuthenticationError::UnknownClient)?;
    presented.check(&client)?;
    Ok((client, form))
}

//! `/revoke`: token revocation (RFC 7009), which ends the whole grant.

use crate::client_authentication::{self, AuthenticationError};
use crate::context::Context;
use crate::responses;
use events::{EndedBy, Event};
use http::StatusCode;
use oauth::access_token::{self, Claims};
use oauth::{Error, ErrorCode, revocation};
use store::KeyValue;
use web::{Request, Response};

#[derive(Debug, thiserror::Error)]
enum RevokeError {
    #[error(transparent)]
    Client(#[from] AuthenticationError),
    #[error(transparent)]
    Request(#[from] Error),
    #[error("the token was issued to another client")]
    OtherClient,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<RevokeError> for Error {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Client(error) => error.into(),
            RevokeError::Request(error) => error,
            RevokeError::OtherClient => Self::new(ErrorCode::InvalidRequest, error.to_string()),
            RevokeError::Store(error) => responses::store_failed(&error),
        }
    }
}

/// Answers any request to `/revoke`.
pub async fn handle<K: KeyValue>(context: &Context<'_, K>, request: &Request) -> Response {
    match revoke(context, request).await {
        Ok(()) => web::text(StatusCode::OK, ""),
        Err(error) => context.refuse("/revoke", &error.into()),
    }
}

/// A token that is unknown, or whose grant has ended, is revoked already (RFC 7009 section 2.2); of
/// an ended grant that removes what a kill may have left. So is an access token that has expired,
/// unless its client authenticates: a person who finds an old one ends nothing with it.
async fn revoke<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<(), RevokeError> {
    let (client, form) = client_authentication::authenticate(context, request).await?;
    let token = revocation::read(&form)?;
    let grants = context.grants();
    let grant_id = grants.grant_of_refresh_token(token).or_else(|| {
        context
            .config
            .keys
            .verify::<Claims>(access_token::TYP, token)
            .ok()
            .filter(|claims| claims.exp > context.now || client.is_confidential())
            .map(|claims| claims.grant)
    });
    let Some(grant_id) = grant_id else {
        return Ok(());
    };
    let found = grants.find(&grant_id, context.now).await?;
    if let Some(grant) = &found {
        context
            .events
            .subject(&grant.profile.subject)
            .grant(&grant_id);
        if grant.client_id != client.client_id {
            return Err(RevokeError::OtherClient);
        }
    }
    grants.end(&grant_id, context.now).await?;
    if found.is_some() {
        let by = EndedBy::Client;
        context.events.record(&Event::Revocation { by, grants: 1 });
    }
    Ok(())
}

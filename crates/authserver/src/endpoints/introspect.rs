//! `/introspect`: token introspection (RFC 7662), for clients that authenticate.
//!
//! A client learns of its own tokens alone. Only one that the operator has configured as a resource
//! server learns of every token.

use crate::client_authentication::{self, AuthenticationError};
use crate::context::Context;
use crate::responses;
use grants::Grant;
use http::StatusCode;
use oauth::access_token::{self, Claims};
use oauth::introspection::{Introspection, RefreshToken};
use oauth::scope::{self, Bounds, Holder};
use oauth::{Client, Error, ErrorCode, revocation};
use store::KeyValue;
use web::{Request, Response};

#[derive(Debug, thiserror::Error)]
enum IntrospectError {
    #[error(transparent)]
    Client(#[from] AuthenticationError),
    #[error(transparent)]
    Request(#[from] Error),
    #[error("introspection requires client authentication, and this client is public")]
    PublicClient,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<IntrospectError> for Error {
    fn from(error: IntrospectError) -> Self {
        match error {
            IntrospectError::Client(error) => error.into(),
            IntrospectError::Request(error) => error,
            IntrospectError::PublicClient => Self::new(ErrorCode::InvalidClient, error.to_string()),
            IntrospectError::Store(error) => responses::store_failed(&error),
        }
    }
}

/// Answers any request to `/introspect`.
pub async fn handle<K: KeyValue>(context: &Context<'_, K>, request: &Request) -> Response {
    match introspect(context, request).await {
        Ok(answer) => web::json(StatusCode::OK, &answer),
        Err(error) => context.refuse("/introspect", &error.into()),
    }
}

async fn introspect<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Introspection, IntrospectError> {
    let (client, form) = client_authentication::authenticate(context, request).await?;
    // RFC 7662 section 2.1: or anybody could try tokens out.
    if !client.is_confidential() {
        return Err(IntrospectError::PublicClient);
    }
    let token = revocation::read(&form)?;
    let answer = match access_token(context, &client, token).await? {
        Some(answer) => Some(answer),
        None => refresh_token(context, &client, token).await?,
    };
    Ok(answer.unwrap_or_else(Introspection::inactive))
}

async fn access_token<K: KeyValue>(
    context: &Context<'_, K>,
    asking: &Client,
    token: &str,
) -> Result<Option<Introspection>, store::Error> {
    let keys = &context.config.keys;
    let Ok(mut claims) = keys.verify::<Claims>(access_token::TYP, token) else {
        return Ok(None);
    };
    let (issuer, resources) = (context.base.as_str(), context.resources());
    if access_token::check(&claims, issuer, resources.all(), context.now).is_err()
        || !may_know(asking, &claims.client_id)
    {
        return Ok(None);
    }
    let grant = context.grants().find(&claims.grant, context.now).await?;
    let grant = grant
        .filter(|grant| grant.profile.subject == claims.sub && grant.client_id == claims.client_id);
    Ok(grant.map(|grant| {
        claims.scope = scopes(context, &grant, claims.scopes()).join(" ");
        Introspection::access_token(claims)
    }))
}

async fn refresh_token<K: KeyValue>(
    context: &Context<'_, K>,
    asking: &Client,
    token: &str,
) -> Result<Option<Introspection>, store::Error> {
    let grants = context.grants();
    let token = match grants.refresh_token(token, context.now).await {
        Ok(token) => token,
        Err(grants::Error::Store(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let is_good = may_know(asking, &token.grant.client_id)
        && grants
            .is_current(&token, context.config.refresh_grace, context.now)
            .await?;
    let grant = &token.grant;
    Ok(is_good.then(|| {
        Introspection::refresh_token(&RefreshToken {
            issuer: context.base.as_str(),
            client_id: &grant.client_id,
            subject: &grant.profile.subject,
            scopes: &scopes(context, grant, grant.scopes.iter().map(String::as_str)),
            resources: &grant.resources,
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            key: token.key(),
        })
    }))
}

/// Returns what is left of the scopes that a token of `grant` names: the same as the MCP endpoint takes.
fn scopes<'t, K: KeyValue>(
    context: &Context<'_, K>,
    grant: &Grant,
    named: impl Iterator<Item = &'t str>,
) -> Vec<String> {
    let bounds = Bounds {
        existing: &context.config.scopes,
        registered: context.config.clients.scope_of(&grant.client_id),
        person: None,
        holder: Holder::Granted(&grant.scopes),
    };
    scope::still(named, &bounds)
}

/// Whether a client is told of the tokens that were issued to the client `owner`.
fn may_know(asking: &Client, owner: &str) -> bool {
    asking.client_id == owner || asking.resource_server
}

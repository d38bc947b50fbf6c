//! `/register/<client_id>`: a client reads, changes and removes its registration (RFC 7592).
//!
//! A removed client is unknown from then on, whatever else is in flight for it: its refresh tokens are refused, and
//! no access token is issued to it. Access tokens that were issued before stay valid until they expire.

use crate::client_registration::{RegisterError, check_token, management, record};
use crate::context::Context;
use events::RegistrationChange;
use http::{Method, StatusCode};
use http_fields::MediaType;
use oauth::Client;
use oauth::registration::{self, Registered};
use rand::CryptoRng;
use store::KeyValue;
use web::{Request, Response};

/// Answers any request to `/register/<client_id>`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Response {
    let outcome = match *request.method() {
        Method::PUT => update(context, random, request).await,
        Method::DELETE => remove(context, request).await,
        _ => read(context, request).await,
    };
    outcome.unwrap_or_else(|error| error.respond(context))
}

async fn read<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Response, RegisterError> {
    let client = authorized(context, request).await?;
    Ok(respond(context, &client.into()))
}

async fn update<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Result<Response, RegisterError> {
    let client = authorized(context, request).await?;
    if !MediaType::of(request.headers()).is_some_and(MediaType::is_json) {
        return Err(RegisterError::ContentType);
    }
    let updated = registration::update(
        client,
        request.body(),
        &context.config.scopes,
        context.config.clients.documents_origin.as_deref(),
        context.config.clients.private_use,
        random,
    )?;
    let clients = context.clients();
    if !clients.change(updated.client.clone(), context.now).await? {
        return Err(RegisterError::Token(true));
    }
    record(context, &updated.client, RegistrationChange::Changed);
    Ok(respond(context, &updated))
}

async fn remove<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Response, RegisterError> {
    let client = authorized(context, request).await?;
    context
        .clients()
        .remove(&client.client_id, context.now)
        .await?;
    record(context, &client, RegistrationChange::Deleted);
    Ok(web::no_content())
}

/// Returns the client that the request is about, if its token opens it. For a client that is gone the token
/// is invalid (RFC 7592 section 2.1).
async fn authorized<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Client, RegisterError> {
    let path = request.uri().path();
    let id = path.rsplit('/').next().unwrap_or_default();
    check_token(&context.config.keys, id, request.headers())?;
    context
        .clients()
        .registered(id, context.now)
        .await?
        .ok_or(RegisterError::Token(true))
}

fn respond<K>(context: &Context<'_, K>, registered: &Registered) -> Response {
    let management = management(context, &registered.client);
    web::json(StatusCode::OK, &registered.response(&management))
}

//! `/register`: dynamic client registration (RFC 7591).

use crate::client_registration::{self, RegisterError, record};
use crate::context::Context;
use config::Registration;
use events::RegistrationChange;
use http::{HeaderMap, StatusCode};
use http_fields::MediaType;
use oauth::{registration, secret};
use rand::CryptoRng;
use store::KeyValue;
use web::{Request, Response};

/// Answers any request to `/register`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Response {
    register(context, random, request)
        .await
        .unwrap_or_else(|error| error.respond(context))
}

async fn register<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Result<Response, RegisterError> {
    admit(&context.config.clients.registration, request.headers())?;
    if !MediaType::of(request.headers()).is_some_and(MediaType::is_json) {
        return Err(RegisterError::ContentType);
    }
    let registered = registration::register(
        request.body(),
        &context.config.scopes,
        context.config.clients.documents_origin.as_deref(),
        context.config.clients.private_use,
        context.now,
        random,
    )?;
    let clients = context.clients();
    if !clients.may_register(context.now).await? {
        return Err(RegisterError::TooMany);
    }
    clients.add(registered.client.clone(), context.now).await?;
    record(context, &registered.client, RegistrationChange::Created);
    let management = client_registration::management(context, &registered.client);
    Ok(web::json(
        StatusCode::CREATED,
        &registered.response(&management),
    ))
}

/// Whether the request may register a client, by its initial access token (RFC 7591 section 3).
fn admit(registration: &Registration, headers: &HeaderMap) -> Result<(), RegisterError> {
    match registration {
        Registration::Open => Ok(()),
        Registration::Off => Err(RegisterError::Off),
        Registration::Token(hash) => {
            let token = http_fields::bearer_token(headers);
            if token.is_some_and(|token| secret::equal(&secret::hash(token), hash)) {
                Ok(())
            } else {
                Err(RegisterError::Token(token.is_some()))
            }
        }
    }
}

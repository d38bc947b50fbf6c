//! `/register`: dynamic client registration (RFC 7591).

use crate::clients::WINDOW;
use crate::endpoints::registered_client;
use crate::{Context, responses};
use config::Registration;
use events::{Event, RegistrationChange};
use http::{HeaderMap, StatusCode};
use http_fields::MediaType;
use oauth::registration::{self, RegistrationError};
use oauth::{Client, Error, ErrorCode, secret};
use rand::CryptoRng;
use store::KeyValue;
use web::cors::Origin;
use web::{Request, Response};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error("this server takes no registrations; ask whoever runs it for a client_id")]
    Off,
    /// Whether a token was shown.
    #[error("the bearer token is missing or wrong")]
    Token(bool),
    #[error("the body must be of the type application/json")]
    ContentType,
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    #[error("too many registrations")]
    TooMany,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl RegisterError {
    /// The answer, whose event is written.
    pub(crate) fn respond<K>(self, context: &Context<'_, K>) -> Response {
        let reason = self.to_string();
        let answer = |error: Error| (error.code, responses::error(&error));
        let (code, response) = match self {
            Self::Off => {
                let error = Error::new(ErrorCode::AccessDenied, &reason);
                (error.code, web::json(StatusCode::FORBIDDEN, &error))
            }
            Self::Token(shown) => (ErrorCode::InvalidToken, responses::bearer_refused(shown)),
            Self::ContentType => answer(Error::new(ErrorCode::InvalidClientMetadata, &reason)),
            Self::Registration(error) => answer(error.into()),
            Self::TooMany => {
                let seconds = WINDOW - context.now % WINDOW;
                let code = ErrorCode::TemporarilyUnavailable;
                (code, responses::too_many(seconds))
            }
            Self::Store(error) => answer(responses::store_failed(&error)),
        };
        context.refused("/register", code, &reason);
        response
    }
}

/// Answers any request to `/register`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Response {
    if let Some(response) = responses::other_than_post(request.method()) {
        return response;
    }
    let response = register(context, random, request)
        .await
        .unwrap_or_else(|error| error.respond(context));
    responses::POST.allow(Origin::Any, response)
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
    let management = registered_client::management(context, &registered.client);
    Ok(web::json(
        StatusCode::CREATED,
        &registered.response(&management),
    ))
}

/// Writes the event of a registration.
pub(crate) fn record<K>(context: &Context<'_, K>, client: &Client, change: RegistrationChange) {
    context
        .events
        .client(&client.client_id)
        .record(&Event::Registration {
            change,
            client_name: client.metadata.client_name.as_deref().unwrap_or_default(),
        });
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

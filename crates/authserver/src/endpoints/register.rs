//! `/register`: dynamic client registration (RFC 7591).

use crate::clients::WINDOW;
use crate::endpoints::registered_client;
use crate::{Context, answers};
use config::Registration;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use oauth::registration::{self, RegistrationError};
use oauth::{Error, ErrorCode, secret};
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
    pub(crate) fn respond(self, now: u64) -> Response {
        match self {
            Self::Off => {
                let error = Error::new(ErrorCode::AccessDenied, self.to_string());
                web::json(StatusCode::FORBIDDEN, &error)
            }
            Self::Token(shown) => answers::bearer_refused(shown),
            Self::ContentType => {
                let code = ErrorCode::InvalidClientMetadata;
                answers::error(&Error::new(code, self.to_string()))
            }
            Self::Registration(error) => answers::error(&error.into()),
            Self::TooMany => answers::too_many(WINDOW - now % WINDOW),
            Self::Store(error) => answers::error(&answers::store_failed(&error)),
        }
    }
}

/// Answers any request to `/register`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Response {
    if let Some(response) = answers::other_than_post(request.method()) {
        return response;
    }
    let response = register(context, random, request)
        .await
        .unwrap_or_else(|error| error.respond(context.now));
    answers::POST.allow(Origin::Any, response)
}

async fn register<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    request: &Request,
) -> Result<Response, RegisterError> {
    admit(&context.config.clients.registration, request.headers())?;
    if !is_json(request.headers()) {
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
    let management = registered_client::management(context, &registered.client);
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
            let token = web::bearer_token(headers);
            if token.is_some_and(|token| secret::equal(&secret::hash(token), hash)) {
                Ok(())
            } else {
                Err(RegisterError::Token(token.is_some()))
            }
        }
    }
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

//! `/register`: dynamic client registration (RFC 7591).

use crate::clients::WINDOW;
use crate::{Context, answers};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use oauth::registration::{self, RegistrationError};
use oauth::{Error, ErrorCode};
use rand::CryptoRng;
use store::KeyValue;
use web::cors::Origin;
use web::{Request, Response};

#[derive(Debug, thiserror::Error)]
enum RegisterError {
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
    fn respond(self, now: u64) -> Response {
        match self {
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
    if !is_json(request.headers()) {
        return Err(RegisterError::ContentType);
    }
    let registered =
        registration::register(request.body(), &context.config.scopes, context.now, random)?;
    let clients = context.clients();
    let limit = context.config.registrations_per_hour;
    if !clients.may_register(limit, context.now).await? {
        return Err(RegisterError::TooMany);
    }
    clients.add(registered.client.clone(), context.now).await?;
    Ok(web::json(StatusCode::CREATED, &registered.response()))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

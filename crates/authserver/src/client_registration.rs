//! Client registration, common to `/register` and `/register/<client_id>`: the errors, the event, and the
//! registration access token (RFC 7592 section 3).
//!
//! The token is an authentication code over the client's identifier, which only the master secret can
//! make. Nothing of it is stored. One that an older secret of the ring made is good, and each response has
//! one that the newest made.

use crate::clients::WINDOW;
use crate::context::Context;
use crate::responses;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events::{Event, RegistrationChange};
use http::{HeaderMap, StatusCode};
use keys::{KeyRing, Purpose};
use oauth::registration::{Management, RegistrationError};
use oauth::{Client, Error, ErrorCode};
use web::Response;

const TOKEN: Purpose = Purpose("registration-access-token");

/// What the token starts with, so that scanners for leaked secrets know it.
const PREFIX: &str = "ghm_";

#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error("this server does not accept registrations; ask its operator for a client_id")]
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
    /// Returns the answer, whose event is written.
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

/// Returns where a client manages its registration, and its token for that.
pub(crate) fn management<K>(context: &Context<'_, K>, client: &Client) -> Management {
    let id = &client.client_id;
    let code = context.config.keys.mac(TOKEN, id.as_bytes());
    Management {
        registration_client_uri: context.base.join(&format!("/register/{id}")),
        registration_access_token: format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(code)),
    }
}

/// Checks that the request shows the registration access token of the client `id`.
///
/// # Errors
///
/// [`RegisterError::Token`].
pub(crate) fn check_token(
    keys: &KeyRing,
    id: &str,
    headers: &HeaderMap,
) -> Result<(), RegisterError> {
    let token = http_fields::bearer_token(headers).ok_or(RegisterError::Token(false))?;
    token
        .strip_prefix(PREFIX)
        .and_then(|code| URL_SAFE_NO_PAD.decode(code).ok())
        .filter(|code| keys.verify_mac(TOKEN, id.as_bytes(), code))
        .map(|_| ())
        .ok_or(RegisterError::Token(true))
}

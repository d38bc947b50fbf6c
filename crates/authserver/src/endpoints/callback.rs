//! `/callback`: the browser comes back from the identity provider.

use crate::clients::FindError;
use crate::documents::FetchError;
use crate::identity::{CodeExchange, IdentityProvider, ProviderError, SignIn};
use crate::sign_in::{Browser, PendingLogin};
use crate::{Context, answers, pages};
use grants::{CodeBinding, Grant, ShownClient};
use http::Method;
use oauth::authorization_request::Target;
use oauth::redirect_uri::destination;
use oauth::{Error, ErrorCode};
use rand::CryptoRng;
use store::KeyValue;
use web::{ParameterError, Parameters, Request, Response};

/// The methods that `/callback` knows.
const METHODS: &str = "GET";

/// Seconds that a code lives (RFC 6749 section 4.1.2 recommends at most ten minutes).
const CODE_LIFETIME: u64 = 60;

/// The claim that completes a sign-in.
const CLAIM: &str = "login";

#[derive(Debug, thiserror::Error)]
enum CallbackError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the state is missing or not of this browser")]
    ForeignLogin,
    #[error("the sign-in was completed before")]
    LoginUsed,
    #[error("the client is gone")]
    UnknownClient,
    #[error(transparent)]
    Document(FetchError),
    #[error("the redirect URI is no longer one of the client's")]
    RedirectUri,
    #[error("{1}")]
    Redirect(Box<Target>, Error),
    #[error("{1}")]
    Store(Box<Target>, store::Error),
}

impl CallbackError {
    fn respond(self, issuer: &str) -> Response {
        match self {
            Self::Parameter(error) => pages::bad_target(&error.to_string()),
            Self::ForeignLogin => pages::foreign_login(),
            Self::LoginUsed => pages::login_used(),
            Self::UnknownClient => pages::unknown_client(),
            Self::Document(error) => pages::bad_document(&error.to_string()),
            Self::RedirectUri => pages::bad_target(&self.to_string()),
            Self::Redirect(target, error) => answers::error_redirect(&target, issuer, &error),
            Self::Store(target, error) => {
                answers::error_redirect(&target, issuer, &answers::store_failed(&error))
            }
        }
    }
}

/// Answers any request to `/callback`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl IdentityProvider,
    request: &Request,
) -> Response {
    if request.method() != Method::GET {
        return web::method_not_allowed(METHODS);
    }
    complete(context, random, provider, request)
        .await
        .unwrap_or_else(|error| error.respond(context.base.as_str()))
}

async fn complete<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl IdentityProvider,
    request: &Request,
) -> Result<Response, CallbackError> {
    let query = Parameters::from_query(request.uri().query())?;
    query.refuse_repeated(&[])?;
    let login = open_state(context, request, &query)?;
    let target = login.target.clone();
    let failed = |error: store::Error| CallbackError::Store(Box::new(target.clone()), error);
    let redirect = |error: Error| CallbackError::Redirect(Box::new(target.clone()), error);

    if login.expires_at <= context.now {
        let text = "the sign-in took longer than ten minutes";
        return Err(redirect(Error::new(ErrorCode::AccessDenied, text)));
    }
    if context
        .store
        .is_claimed(CLAIM, &login.id)
        .await
        .map_err(failed)?
    {
        return Err(CallbackError::LoginUsed);
    }
    if let Some(code) = query.get("error") {
        return Err(redirect(provider_answer(code)));
    }
    let code = query.get("code").ok_or_else(|| {
        let text = "the identity provider sent neither a code nor an error";
        redirect(Error::new(ErrorCode::ServerError, text))
    })?;
    let sign_in = provider
        .exchange_code(CodeExchange {
            code: code.to_owned(),
            redirect_uri: context.base.join("/callback"),
            code_verifier: login.code_verifier.clone(),
            nonce: login.nonce.clone(),
        })
        .await
        .map_err(|error| redirect(provider_failure(&error)))?;

    // Only now, when somebody has really signed in, is anything written.
    let first = context
        .store
        .claim_once(CLAIM, &login.id, login.expires_at)
        .await
        .map_err(failed)?;
    if !first {
        return Err(CallbackError::LoginUsed);
    }
    let client = context
        .clients()
        .keep(&login.client_id, context.now)
        .await
        .map_err(|error| match error {
            FindError::Unknown => CallbackError::UnknownClient,
            FindError::Document(error) => CallbackError::Document(error),
            FindError::Store(error) => failed(error),
        })?;
    // What the client says of itself may have changed since it was asked about.
    if !client.has_redirect_uri(&login.target.redirect_uri) {
        return Err(CallbackError::RedirectUri);
    }
    let SignIn { profile, tokens } = sign_in;
    let grant = Grant {
        client_id: login.client_id,
        client: ShownClient {
            name: client.display_name().to_owned(),
            destination: destination(&login.target.redirect_uri).to_string(),
        },
        scopes: login.request.scopes,
        resources: login.request.resources,
        profile,
        created_at: context.now,
        expires_at: context.now + context.config.grant_lifetime,
        code: Some(CodeBinding {
            redirect_uri: login
                .target
                .in_request
                .then(|| login.target.redirect_uri.clone()),
            challenge: login.request.challenge,
            dpop_jkt: login.request.dpop_jkt,
            expires_at: context.now + CODE_LIFETIME,
        }),
    };
    let new = context
        .grants()
        .begin(&grant, &tokens, random)
        .await
        .map_err(failed)?;
    Ok(answers::code_redirect(
        &login.target,
        context.base.as_str(),
        &new.code,
    ))
}

/// The sign-in that this browser left with.
fn open_state<K>(
    context: &Context<'_, K>,
    request: &Request,
    query: &Parameters,
) -> Result<PendingLogin, CallbackError> {
    let cookie = Browser::login_cookie(context.base);
    let browser = Browser::read(&cookie, request.headers()).ok_or(CallbackError::ForeignLogin)?;
    query
        .get("state")
        .and_then(|state| PendingLogin::open(&context.config.keys, &browser, state))
        .ok_or(CallbackError::ForeignLogin)
}

/// What the client hears of an error that the identity provider sent with the browser.
fn provider_answer(code: &str) -> Error {
    let ours = match code {
        "access_denied" => ErrorCode::AccessDenied,
        "temporarily_unavailable" => ErrorCode::TemporarilyUnavailable,
        _ => ErrorCode::ServerError,
    };
    let known: String = code
        .chars()
        .filter(|char| char.is_ascii_lowercase() || *char == '_')
        .take(60)
        .collect();
    eprintln!("the identity provider answered {known}");
    Error::new(ours, format!("the identity provider answered {known}"))
}

/// What the client hears of a code that could not be exchanged.
fn provider_failure(error: &ProviderError) -> Error {
    eprintln!("the sign-in cannot be completed: {error}");
    match error {
        ProviderError::Misconfigured(_) => Error::new(
            ErrorCode::ServerError,
            "the sign-in is not set up rightly on this server; its log says more",
        ),
        ProviderError::Refused(_) => Error::new(
            ErrorCode::AccessDenied,
            "the identity provider did not confirm the sign-in",
        ),
        ProviderError::Unavailable(_) => Error::new(
            ErrorCode::TemporarilyUnavailable,
            "the identity provider is unavailable; try again later",
        ),
    }
}

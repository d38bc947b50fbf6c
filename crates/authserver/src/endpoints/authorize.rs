//! `/authorize`: the authorization request (RFC 6749 section 3.1) and the person's answer to it.

use crate::clients::FindError;
use crate::consent::Consent;
use crate::context::Context;
use crate::remembered_consents::{self, RememberedConsents};
use crate::sign_in::{
    Browser, COMPLETED, ConsentCookie, Consented, LOGIN_TTL, PendingConsent, PendingLogin,
    ProviderLogin,
};
use crate::{destination, pages, responses};
use events::{Decision, Event};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method};
use identity::{Login, SignInProvider};
use oauth::authorization_request::{self, Target, TargetError};
use oauth::{Client, Error, ErrorCode, ParameterError, Parameters, pkce};
use rand::CryptoRng;
use store::KeyValue;
use web::{Request, Response, with_header};

#[derive(Debug, thiserror::Error)]
enum AuthorizeError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Client(#[from] FindError),
    #[error("the user denied the request")]
    Denied(Box<Target>),
    #[error("the consent form is from another browser, or has expired")]
    StaleConsent,
    #[error("the consent form was answered before")]
    FormUsed,
    #[error("{1}")]
    Provider(Box<Target>, identity::Error),
    #[error("a value cannot be sealed")]
    Seal,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl AuthorizeError {
    /// Returns the code that the log has; `None` for a person's no, which is an event of its own.
    fn code(&self) -> Option<ErrorCode> {
        Some(match self {
            Self::Denied(_) => return None,
            Self::Client(FindError::Unknown | FindError::Document(_)) => ErrorCode::InvalidClient,
            Self::Parameter(_) | Self::Target(_) | Self::StaleConsent | Self::FormUsed => {
                ErrorCode::InvalidRequest
            }
            Self::Provider(_, identity::Error::Misconfigured(_)) | Self::Seal => {
                ErrorCode::ServerError
            }
            Self::Provider(..) | Self::Client(FindError::Store(_)) | Self::Store(_) => {
                ErrorCode::TemporarilyUnavailable
            }
        })
    }

    /// Only an error with a target may leave for the redirect URI.
    fn respond(self, issuer: &str) -> Response {
        match self {
            Self::Parameter(error) => pages::bad_target(&error.to_string()),
            Self::Target(error) => pages::bad_target(&error.to_string()),
            Self::Client(FindError::Unknown) => pages::unknown_client(),
            Self::Client(FindError::Document(error)) => pages::bad_document(&error.to_string()),
            Self::Store(error) | Self::Client(FindError::Store(error)) => {
                responses::store_failed_page(&error)
            }
            Self::StaleConsent => pages::stale_consent(),
            Self::FormUsed => pages::form_used(),
            Self::Denied(target) => {
                let error = Error::new(ErrorCode::AccessDenied, "the user denied the request");
                responses::error_redirect(&target, issuer, &error)
            }
            // No sign-in begins without a consent, of just now or remembered: the person has seen
            // where this leads.
            Self::Provider(target, error) => {
                log_line::write(format_args!("the sign-in cannot begin: {error}"));
                match error {
                    // The operator, who sets the server up, sees this first.
                    identity::Error::Misconfigured(problem) => pages::server_error(&problem),
                    _ => {
                        let code = ErrorCode::TemporarilyUnavailable;
                        let error = Error::new(code, "the identity provider is unavailable");
                        responses::error_redirect(&target, issuer, &error)
                    }
                }
            }
            Self::Seal => pages::server_error("A value could not be sealed."),
        }
    }
}

/// Answers any request to `/authorize`.
pub async fn handle<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
) -> Response {
    let outcome = match *request.method() {
        Method::POST => match Parameters::from_form(request.headers(), request.body()) {
            Ok(form) => match form.get("consent") {
                Some(_) => decide(context, random, provider, request, &form).await,
                None => ask(context, random, provider, request, &form).await,
            },
            Err(error) => Err(error.into()),
        },
        _ => match Parameters::from_query(request.uri().query()) {
            Ok(query) => ask(context, random, provider, request, &query).await,
            Err(error) => Err(error.into()),
        },
    };
    outcome.unwrap_or_else(|error| {
        if let Some(code) = error.code() {
            context.refused("/authorize", code, &error);
        }
        error.respond(context.base.as_str())
    })
}

/// Checks the request, and asks the person.
async fn ask<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
    parameters: &Parameters,
) -> Result<Response, AuthorizeError> {
    let client_id = authorization_request::client_id(parameters)?;
    context.events.client(client_id);
    let client = context
        .clients()
        .resolve_for_consent(client_id, context.now)
        .await?;
    let target = authorization_request::target(parameters, &client, context.private_use(&client))?;
    let read = authorization_request::read(
        parameters,
        &client,
        &context.config.scopes,
        &context.config.default_scopes,
        &context.resources(),
    );
    let asked = match read {
        Ok(asked) => asked,
        Err(error) => {
            let (headers, name) = (request.headers(), provider.display_name().await);
            let error: Error = error.into();
            context.refused("/authorize", error.code, &error.description);
            let response =
                destination::error_unasked(context, &client, &target, headers, &name, &error);
            return Ok(response);
        }
    };

    let may_skip = remembered_consents::may_be_remembered(&target) && !asked.prompt.consent;
    let scopes = provider.scopes().await;
    let pending = PendingConsent::new(&client, target, asked, &scopes, context.now, random);
    if may_skip && remembered(context, request).has(&pending.shown) {
        return begin(
            context,
            random,
            provider,
            request,
            pending,
            Consented::Before,
        )
        .await;
    }
    show(
        context,
        random,
        provider,
        request.headers(),
        (&client, &pending, &scopes),
    )
    .await
    .ok_or(AuthorizeError::Seal)
}

/// Returns the consent page about a client, its request and the scopes that are asked of the provider;
/// `None` if its form cannot be sealed.
pub(crate) async fn show<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    headers: &HeaderMap,
    (client, pending, provider_scopes): (&Client, &PendingConsent, &[String]),
) -> Option<Response> {
    let cookie = ConsentCookie::read_or_new(context.base, headers, random);
    let sealed = pending.seal(&context.config.keys, &cookie.browser, random)?;
    let page = Consent {
        client,
        pending,
        sealed: &sealed,
        base: context.base,
        provider: &provider.display_name().await,
        provider_scopes,
        is_configured: context.is_configured(client),
        show_logo: context.config.show_logos,
        has_scope_rules: context.config.policy.scope_rules() > 0,
    };
    let set = cookie.set(context.base);
    Some(with_header(page.respond(), SET_COOKIE, set))
}

/// Takes the person's answer.
async fn decide<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
    form: &Parameters,
) -> Result<Response, AuthorizeError> {
    form.refuse_repeated(&[])?;
    if web::is_cross_origin(request.headers(), &context.base.origin()) {
        return Err(AuthorizeError::StaleConsent);
    }
    let keys = &context.config.keys;
    let sealed = form.get("consent").unwrap_or_default();
    let mut cookie =
        ConsentCookie::read(context.base, request.headers()).ok_or(AuthorizeError::StaleConsent)?;
    let pending = PendingConsent::open(keys, &cookie.browser, sealed, context.now)
        .ok_or(AuthorizeError::StaleConsent)?;
    // A form is answered once. A no is kept in the browser's cookie: a person who has not signed in must not grow
    // the store. A yes is claimed when the sign-in is complete; until then the Back button leads to a page that
    // still works.
    context.events.client(&pending.client_id);
    if cookie.has_refused(&pending.id) || context.store.is_claimed(COMPLETED, &pending.id).await? {
        return Err(AuthorizeError::FormUsed);
    }
    if form.get("decision") != Some("allow") {
        cookie.refuse(&pending.id);
        context.events.record(&Event::Consent {
            decision: Decision::Denied,
            scope: &pending.request.scopes,
        });
        let denied = AuthorizeError::Denied(Box::new(pending.target));
        let response = denied.respond(context.base.as_str());
        return Ok(with_header(response, SET_COOKIE, cookie.set(context.base)));
    }
    let remember =
        form.get("remember").is_some() && remembered_consents::may_be_remembered(&pending.target);
    let consented = Consented::Now { remember };
    begin(context, random, provider, request, pending, consented).await
}

/// Sends the browser to the identity provider.
async fn begin<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
    consent: PendingConsent,
    consented: Consented,
) -> Result<Response, AuthorizeError> {
    context.events.record(&Event::Consent {
        decision: match consented {
            Consented::Now { remember: true } => Decision::AllowedAndRemembered,
            Consented::Now { remember: false } => Decision::Allowed,
            Consented::Before => Decision::Remembered,
        },
        scope: &consent.request.scopes,
    });
    let cookie = Browser::login_cookie(context.base);
    let browser = Browser::read_or_new(&cookie, request.headers(), random);
    let pending = PendingLogin {
        consent,
        consented,
        provider: ProviderLogin::new(context.now, random),
    };
    let login = Login {
        redirect_uri: context.base.join("/callback"),
        state: pending
            .seal(&context.config.keys, &browser, random)
            .ok_or(AuthorizeError::Seal)?,
        nonce: pending.provider.nonce.clone(),
        code_challenge: pkce::challenge_of(&pending.provider.code_verifier),
        prompt: pending.consent.request.prompt.for_provider(),
    };
    let url = provider
        .login_url(login)
        .await
        .map_err(|error| AuthorizeError::Provider(Box::new(pending.consent.target), error))?;
    Ok(with_header(
        web::see_other(&url),
        SET_COOKIE,
        cookie.set(browser.as_str(), LOGIN_TTL),
    ))
}

fn remembered<K>(context: &Context<'_, K>, request: &Request) -> RememberedConsents {
    let keys = &context.config.keys;
    RememberedConsents::read(keys, context.base, request.headers(), context.now)
}

//! `/authorize`: the authorization request (RFC 6749 section 3.1) and the person's answer to it.

use crate::clients::FindError;
use crate::identity::{IdentityProvider, Login, ProviderError};
use crate::sign_in::{Browser, CONSENT_LIFETIME, LOGIN_LIFETIME, PendingConsent, PendingLogin};
use crate::{Context, answers, pages};
use http::Method;
use http::header::SET_COOKIE;
use maud::{Markup, html};
use oauth::authorization_request::{self, RequestError, Target, TargetError};
use oauth::redirect_uri::{Destination, destination};
use oauth::{Client, Error, ErrorCode, pkce, scope};
use rand::CryptoRng;
use store::KeyValue;
use web::{Page, ParameterError, Parameters, Request, Response, with_header};

/// The methods that `/authorize` knows.
const METHODS: &str = "GET, HEAD, POST";

#[derive(Debug, thiserror::Error)]
enum AuthorizeError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Client(#[from] FindError),
    #[error("{1}")]
    Request(Box<Target>, RequestError),
    #[error("the person said no")]
    Denied(Box<Target>),
    #[error("the consent form is not of this browser, or too old")]
    StaleConsent,
    #[error("{1}")]
    Provider(Box<Target>, ProviderError),
    #[error("a value cannot be sealed")]
    Seal,
}

impl AuthorizeError {
    /// Only an error with a target may leave for the redirect URI.
    fn respond(self, issuer: &str) -> Response {
        match self {
            Self::Parameter(error) => pages::bad_target(&error.to_string()),
            Self::Target(error) => pages::bad_target(&error.to_string()),
            Self::Client(FindError::Unknown) => pages::unknown_client(),
            Self::Client(FindError::Document(error)) => pages::bad_document(&error.to_string()),
            Self::Client(FindError::Store(error)) => {
                pages::server_error(&answers::store_failed(&error).description)
            }
            Self::StaleConsent => pages::stale_consent(),
            Self::Request(target, error) => answers::error_redirect(&target, issuer, &error.into()),
            Self::Denied(target) => {
                let error = Error::new(ErrorCode::AccessDenied, "the person said no");
                answers::error_redirect(&target, issuer, &error)
            }
            Self::Provider(target, error) => {
                eprintln!("the sign-in cannot begin: {error}");
                match error {
                    // Whoever sees this first is the one who sets the server up.
                    ProviderError::Misconfigured(problem) => pages::server_error(&problem),
                    _ => {
                        let code = ErrorCode::TemporarilyUnavailable;
                        let error = Error::new(code, "the identity provider is unavailable");
                        answers::error_redirect(&target, issuer, &error)
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
    provider: &impl IdentityProvider,
    request: &Request,
) -> Response {
    let outcome = match *request.method() {
        Method::GET | Method::HEAD => match Parameters::from_query(request.uri().query()) {
            Ok(query) => ask(context, random, provider, request, &query).await,
            Err(error) => Err(error.into()),
        },
        Method::POST => match Parameters::from_form(request.headers(), request.body()) {
            Ok(form) => match form.get("consent") {
                Some(sealed) => {
                    let allowed = form.get("decision") == Some("allow");
                    decide(context, random, provider, request, sealed, allowed).await
                }
                None => ask(context, random, provider, request, &form).await,
            },
            Err(error) => Err(error.into()),
        },
        _ => return web::method_not_allowed(METHODS),
    };
    let response = outcome.unwrap_or_else(|error| error.respond(context.base.as_str()));
    web::for_method(request.method(), response)
}

/// Checks the request, and asks the person.
async fn ask<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl IdentityProvider,
    request: &Request,
    parameters: &Parameters,
) -> Result<Response, AuthorizeError> {
    let client_id = authorization_request::client_id(parameters)?;
    let client = context.clients().ask_for(client_id, context.now).await?;
    let target = authorization_request::target(parameters, &client)?;
    let asked = authorization_request::read(
        parameters,
        &client,
        &context.config.scopes,
        &context.resources(),
    )
    .map_err(|error| AuthorizeError::Request(Box::new(target.clone()), error))?;

    let cookie = Browser::consent_cookie(context.base);
    let browser = Browser::read_or_new(&cookie, request.headers(), random);
    let pending = PendingConsent::new(client.client_id.clone(), target, asked, context.now);
    let sealed = pending
        .seal(&context.config.keys, &browser, random)
        .ok_or(AuthorizeError::Seal)?;
    let page = consent_page(
        &client,
        &pending,
        &sealed,
        context.base.as_str(),
        &provider.display_name().await,
    );
    Ok(with_header(
        page,
        SET_COOKIE,
        cookie.set(browser.as_str(), CONSENT_LIFETIME),
    ))
}

/// Takes the person's answer.
async fn decide<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl IdentityProvider,
    request: &Request,
    sealed: &str,
    allowed: bool,
) -> Result<Response, AuthorizeError> {
    let keys = &context.config.keys;
    let cookie = Browser::consent_cookie(context.base);
    let consent = Browser::read(&cookie, request.headers())
        .and_then(|browser| PendingConsent::open(keys, &browser, sealed, context.now))
        .ok_or(AuthorizeError::StaleConsent)?;
    if !allowed {
        return Err(AuthorizeError::Denied(Box::new(consent.target)));
    }

    let cookie = Browser::login_cookie(context.base);
    let browser = Browser::read_or_new(&cookie, request.headers(), random);
    let pending = PendingLogin::new(consent, context.now, random);
    let login = Login {
        redirect_uri: context.base.join("/callback"),
        state: pending
            .seal(keys, &browser, random)
            .ok_or(AuthorizeError::Seal)?,
        nonce: pending.nonce.clone(),
        code_challenge: pkce::challenge_of(&pending.code_verifier),
        prompt: pending.request.prompt.for_provider(),
    };
    let url = provider
        .login_url(login)
        .await
        .map_err(|error| AuthorizeError::Provider(Box::new(pending.target), error))?;
    Ok(with_header(
        web::see_other(&url),
        SET_COOKIE,
        cookie.set(browser.as_str(), LOGIN_LIFETIME),
    ))
}

fn consent_page(
    client: &Client,
    pending: &PendingConsent,
    sealed: &str,
    issuer: &str,
    provider: &str,
) -> Response {
    let name = client.display_name();
    let destination = destination(&pending.target.redirect_uri);
    let body = html! {
        h1 { "Connect " (name) "?" }
        p.lead { b { (name) } " asks to use this server in your name." }
        dl.facts {
            dt { "You go back to" }
            dd { (destination) }
            dt { "Server" }
            dd { (issuer.split_once("://").map_or(issuer, |(_, rest)| rest)) }
        }
        h2 { "It will be able to" }
        ul.bullets {
            @for scope in &pending.request.scopes { li { (scope_text(scope, provider)) } }
        }
        (notice(&destination))
        form method="post" action="authorize" {
            input type="hidden" name="consent" value=(sealed);
            div.choices {
                button.quiet type="submit" name="decision" value="deny" { "Cancel" }
                button type="submit" name="decision" value="allow" { "Allow" }
            }
        }
        p.small { "If you allow it, you sign in with " (provider) " next." }
    };
    // Browsers hold the redirects after the form to its policy: they go to the identity provider,
    // wherever that sends the browser, and in the end to the client.
    let page = Page::new(format!("Connect {name}?"), body)
        .form_action("'self'")
        .form_action("https:");
    let page = match &destination {
        Destination::Host(_) => page,
        Destination::Loopback(_) => page.form_action("http:"),
        Destination::App(scheme) => page.form_action(&format!("{scheme}:")),
    };
    // On a loopback address the identity provider may be one of this machine, too.
    if issuer.starts_with("http://") {
        page.form_action("http:").into_response()
    } else {
        page.into_response()
    }
}

/// Anybody can give an app any name; where the answer goes is what counts.
fn notice(destination: &Destination) -> Markup {
    match destination {
        Destination::Host(host) => html! {
            p.note { "Any app can call itself what it likes. Go on only if you know " b { (host) } "." }
        },
        Destination::Loopback(_) => html! {
            p.warning { "The answer goes to a program that runs on this computer. Go on only if you have just started connecting from it." }
        },
        Destination::App(scheme) => html! {
            p.warning { "The answer goes to whichever app on this device opens links that start with " b { (scheme) ":" } " Go on only if you have just started connecting from it." }
        },
    }
}

fn scope_text(scope: &str, provider: &str) -> Markup {
    match scope {
        "tools" => html! { "use the tools of this server" },
        "profile" => html! { "see your profile: name, email address, picture" },
        "upstream_token" => html! { "get the access token that " (provider) " issues for you" },
        scope::OFFLINE_ACCESS => html! { "stay connected while you are away" },
        other => html! { "what this server calls " code { (other) } },
    }
}

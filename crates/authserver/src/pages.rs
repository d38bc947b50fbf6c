//! Error pages for people.

use crate::consent;
use config::BaseUrl;
use http::StatusCode;
use identity::Profile;
use maud::{Markup, html};
use oauth::authorization_request::Target;
use oauth::redirect_uri::{Destination, destination};
use oauth::{Client, Error};
use policy::Refusal;
use web::{Page, ReadError, Response};

/// Returns a page that says what happened and what to do.
fn message(status: StatusCode, title: &str, body: &Markup) -> Response {
    Page::new(
        title,
        html! {
            h1 { (title) }
            (body)
        },
    )
    .status(status)
    .into_response()
}

/// Returns the page for an unknown client.
pub(crate) fn unknown_client() -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "This app is not known here",
        &html! {
            p.lead { "The app that sent you here uses a registration that this server does not have, or no longer has." }
            p { "To fix this, go back to the app:" }
            ol.bullets {
                li { "Remove this server from the app's list of MCP servers or connectors." }
                li { "Add it again, and sign in." }
            }
            p.small { "If the app keeps its sign-ins apart from the list, clear what it has stored for this server as well." }
        },
    )
}

/// Returns the page for a client whose metadata document cannot be used; `problem` says why.
pub(crate) fn bad_document(problem: &str) -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "The app cannot be looked up",
        &html! {
            p.lead { "The app that sent you here publishes its details at an address of its own, and they cannot be used. Nothing was sent back to the app." }
            p { "What is wrong: " (problem) "." }
            p { "Go back to the app and try again later. If the problem persists, contact the app's developer." }
        },
    )
}

/// Returns the page for a request without a trustworthy client or redirect URI.
pub(crate) fn bad_target(problem: &str) -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "This sign-in link does not work",
        &html! {
            p.lead { "The app that sent you here made a request that cannot be answered safely, so nothing was sent back to it." }
            p { "What is wrong: " (problem) "." }
            p { "Go back to the app and start again. If it happens again, remove this server from the app and add it again." }
        },
    )
}

/// Returns the page for a form that did not arrive as a whole.
pub(crate) fn unread_request(error: &ReadError) -> Response {
    message(
        error.status(),
        "The form did not arrive",
        &html! {
            p.lead { (error.to_string()) }
            p { "Nothing was changed. Go back and send it again." }
        },
    )
}

/// Returns the page for a request with an error, of a client that no person has been asked about: the person sees
/// where the browser would go. `url` is the redirect URI with the error, and
/// `provider` what the identity provider is called.
pub(crate) fn bad_request(
    client: &Client,
    target: &Target,
    base: &BaseUrl,
    provider: &str,
    error: &Error,
    url: &str,
) -> Response {
    let name = client.display_name();
    let redirect_uri = &target.redirect_uri;
    let oddities = consent::oddities(client, redirect_uri, base, provider);
    let place = place(redirect_uri);
    message(
        StatusCode::BAD_REQUEST,
        "You cannot be signed in this way",
        &html! {
            p.lead { b { (name) } " asked this server to sign you in, but its request has an error. Nothing was allowed." }
            p { "What is wrong: " (error.description) " (" code { (error.code.as_str()) } ")." }
            @if !oddities.is_empty() { (consent::warning(&oddities)) }
            (consent::facts(client, redirect_uri, base))
            p { "You can close this page, go back to the app and start again. If you know where this link leads, it tells the app what happened:" }
            div.choices {
                a.button.quiet href=(url) rel="noreferrer" { "Go on to " (place) }
            }
        },
    )
}

/// A person who has signed in and is refused.
pub(crate) struct RefusedPerson<'a> {
    pub(crate) refusal: Refusal,
    pub(crate) profile: &'a Profile,
    /// What the identity provider is called.
    pub(crate) provider: &'a str,
    pub(crate) target: &'a Target,
    /// The redirect URI with the error.
    pub(crate) back: &'a str,
    /// Where the same request begins with another account.
    pub(crate) again: &'a str,
}

/// Returns the page for a person whom the policy refuses: which account it was, and where to go from here.
pub(crate) fn refused_person(person: &RefusedPerson<'_>) -> Response {
    let profile = person.profile;
    let is_verified = profile.email_verified == Some(true);
    message(
        StatusCode::FORBIDDEN,
        "This account may not use this server",
        &html! {
            @match person.refusal {
                Refusal::NotAllowed => p.lead {
                    "You signed in with " (person.provider) ". The operator of this server does not let this account in. Nothing was allowed or stored."
                },
                Refusal::NoScope => p.lead {
                    "You signed in with " (person.provider) ". This account has none of the permissions that the app asked for. Nothing was allowed or stored."
                },
            }
            dl.facts {
                @if let Some(name) = &profile.name {
                    dt { "Name" }
                    dd { b { (name) } }
                }
                @if let Some(email) = &profile.email {
                    dt { "Email" }
                    dd {
                        b { (email) }
                        @if !is_verified {
                            br;
                            (person.provider) " does not say that it has verified this address."
                        }
                    }
                }
                dt { "Account" }
                dd { code { (profile.subject) } }
            }
            p { "If you have another account, try that one. If this account should have access, show the operator of this server this page." }
            div.choices {
                a.button.quiet href=(person.back) rel="noreferrer" { "Back to " (place(&person.target.redirect_uri)) }
                a.button href=(person.again) { "Try another account" }
            }
        },
    )
}

/// Returns where a redirect URI leads, as a link says it.
fn place(redirect_uri: &str) -> String {
    match destination(redirect_uri) {
        Destination::Host(host) | Destination::Loopback(host) => host,
        Destination::App(scheme) => format!("{scheme}:"),
    }
}

/// Returns the page for a consent form from another browser or another site, or one that has expired.
pub(crate) fn stale_consent() -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "This page has expired",
        &html! {
            p.lead { "The form was open for too long, or it does not come from this browser." }
            p { "Nothing was allowed. Go back to the app and start again. If this happens every time, allow cookies for this site." }
        },
    )
}

/// Returns the page for a consent form that was answered before: the Back button.
pub(crate) fn form_used() -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "You have already answered this",
        &html! {
            p.lead { "You can close this page and go back to the app." }
            p { "If you want to answer differently, start again from the app." }
        },
    )
}

/// Returns the page for a failed sign-in to the account; `problem` has no secret in it.
pub(crate) fn account_failed(problem: &str, account: &str) -> Response {
    message(
        StatusCode::BAD_GATEWAY,
        "The sign-in failed",
        &html! {
            p.lead { "You are not signed in." }
            p { "What happened: " (problem) "." }
            div.choices { a.button href=(account) { "Try again" } }
        },
    )
}

/// Returns the page for a form of the account page that came from another site, or from a session that has ended.
pub(crate) fn stale_account(account: &str) -> Response {
    message(
        StatusCode::FORBIDDEN,
        "This page has expired",
        &html! {
            p.lead { "Your session has ended, or the form does not come from this site." }
            p { "Nothing was changed." }
            div.choices { a.button href=(account) { "Your account" } }
        },
    )
}

/// Returns the page for a path without one.
pub(crate) fn no_such_page(account: &str) -> Response {
    message(
        StatusCode::NOT_FOUND,
        "Page not found",
        &html! { div.choices { a.button href=(account) { "Your account" } } },
    )
}

/// Returns the page for a browser that came back from the identity provider without its cookie.
pub(crate) fn foreign_login() -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "This sign-in was not started here",
        &html! {
            p.lead { "The sign-in was started in another browser, or more than ten minutes ago." }
            p { "Nothing was allowed. Go back to the app and start again, and stay in the same browser until it says that you are connected." }
        },
    )
}

/// Returns the page for a sign-in that was completed before: the Back button, or a reloaded page.
pub(crate) fn login_used() -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "This sign-in is already complete",
        &html! {
            p.lead { "You can close this page and go back to the app." }
            p { "If the app is not connected in a moment, reload this page, or start again from the app." }
        },
    )
}

/// Returns the page for a load that cannot wait any longer for another one to complete the sign-in. `back` is
/// where the client gets to know that it failed, if it has: the target, and the redirect URI with the error.
pub(crate) fn login_incomplete(back: Option<(&Target, &str)>) -> Response {
    message(
        StatusCode::BAD_REQUEST,
        "This sign-in is not complete yet",
        &html! {
            p.lead { "The page was loaded more than once, and another load of it may be completing the sign-in." }
            p { "Load it again in a moment. If the sign-in is still not complete then, start again from the app." }
            div.choices {
                @if let Some((target, url)) = back {
                    a.button.quiet href=(url) rel="noreferrer" { "Back to " (place(&target.redirect_uri)) }
                }
                a.button href="" { "Load again" }
            }
        },
    )
}

/// Returns the page for an error of the server; `problem` has no secret in it.
pub(crate) fn server_error(problem: &str) -> Response {
    message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        &html! {
            p.lead { "The server had an error. You did nothing wrong." }
            p { (problem) }
            p { "Try again later. If the problem persists, contact the operator of this server." }
        },
    )
}

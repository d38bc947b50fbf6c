//! The routes of the authorization server, a table for each component that serves a part of them.

use crate::pages;
use crate::responses::READ;
use bytes::Bytes;
use http::{Method, StatusCode};
use oauth::{Error, ErrorCode};
use web::cors::Cors;
use web::routes::{ErrorFormat, Methods, Route};
use web::{Request, Response};

/// Bytes that the body of a request may have.
const MAX_BODY_BYTES: usize = oauth::registration::MAX_BODY_BYTES;

/// Bytes that the form of the consent page may have: it carries the whole authorization request, with its
/// `state`.
const MAX_CONSENT_BODY_BYTES: usize = 64 * 1024;

/// For endpoints that browser-based clients post to: no cookie counts there, so any page may.
const POST: Cors = Cors {
    methods: "POST, OPTIONS",
    headers: "authorization, content-type, dpop, mcp-protocol-version",
    exposed: "www-authenticate, retry-after, dpop-nonce",
};

/// For a registration, which its client manages.
const MANAGE: Cors = Cors {
    methods: "GET, PUT, DELETE, OPTIONS",
    headers: "authorization, content-type",
    exposed: "www-authenticate",
};

/// What the component `authorize` serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizeEndpoint {
    /// See [`authorize`](crate::endpoints::authorize).
    Authorize,
    /// See [`callback`](crate::endpoints::callback).
    Callback,
    /// See [`account_sign_in`](crate::endpoints::account_sign_in).
    AccountSignIn,
    /// See [`token`](crate::endpoints::token).
    Token,
    /// See [`revoke`](crate::endpoints::revoke).
    Revoke,
    /// See [`introspect`](crate::endpoints::introspect).
    Introspect,
}

/// The routes of the component `authorize`.
pub const AUTHORIZE: &[Route<AuthorizeEndpoint>] = &[
    Route {
        path: "/authorize",
        methods: Methods::Listed(&[
            (Method::GET, AuthorizeEndpoint::Authorize),
            (Method::HEAD, AuthorizeEndpoint::Authorize),
            (Method::POST, AuthorizeEndpoint::Authorize),
        ]),
        cors: None,
        max_body_bytes: MAX_CONSENT_BODY_BYTES,
        errors: ErrorFormat::Page,
    },
    page("/callback", &[(Method::GET, AuthorizeEndpoint::Callback)]),
    page(
        "/account/sign-in",
        &[(Method::GET, AuthorizeEndpoint::AccountSignIn)],
    ),
    api("/token", &[(Method::POST, AuthorizeEndpoint::Token)], POST),
    api(
        "/revoke",
        &[(Method::POST, AuthorizeEndpoint::Revoke)],
        POST,
    ),
    api(
        "/introspect",
        &[(Method::POST, AuthorizeEndpoint::Introspect)],
        POST,
    ),
];

/// What the component `account` serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEndpoint {
    /// Shows the connected apps.
    Show,
    /// Does what a form of that page asks for.
    Act(AccountAction),
    /// See [`admin`](crate::endpoints::admin).
    Admin(AdminEndpoint),
    /// Says that there is no such page.
    NoSuchPage,
}

/// What a request of an operator is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminEndpoint {
    /// Grants of a person.
    Grants,
    /// The sweep.
    Sweep,
    /// Nothing that there is.
    Unknown,
}

/// What a form of the account's page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountAction {
    /// To end one grant.
    End,
    /// To end all grants.
    EndAll,
    /// To forget the remembered consents.
    Forget,
    /// To end the session.
    SignOut,
}

/// The routes of the component `account`.
pub const ACCOUNT: &[Route<AccountEndpoint>] = &[
    page(
        "/account",
        &[
            (Method::GET, AccountEndpoint::Show),
            (Method::HEAD, AccountEndpoint::Show),
        ],
    ),
    page(
        "/account/end",
        &[(Method::POST, AccountEndpoint::Act(AccountAction::End))],
    ),
    page(
        "/account/end-all",
        &[(Method::POST, AccountEndpoint::Act(AccountAction::EndAll))],
    ),
    page(
        "/account/forget",
        &[(Method::POST, AccountEndpoint::Act(AccountAction::Forget))],
    ),
    page(
        "/account/sign-out",
        &[(Method::POST, AccountEndpoint::Act(AccountAction::SignOut))],
    ),
    any("/account/*", AccountEndpoint::NoSuchPage, ErrorFormat::Page),
    admin("/admin/grants", AdminEndpoint::Grants),
    admin("/admin/sweep", AdminEndpoint::Sweep),
    admin("/admin", AdminEndpoint::Unknown),
    admin("/admin/*", AdminEndpoint::Unknown),
];

/// Returns a route for an operator, which answers every method itself: without the token nothing is said, not even
/// which methods there are.
const fn admin(path: &'static str, endpoint: AdminEndpoint) -> Route<AccountEndpoint> {
    any(path, AccountEndpoint::Admin(endpoint), ErrorFormat::Json)
}

/// What the component `metadata` serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataEndpoint {
    /// See [`well_known`](crate::endpoints::well_known).
    WellKnown,
    /// See [`register`](crate::endpoints::register).
    Register,
    /// See [`registered_client`](crate::endpoints::registered_client).
    RegisteredClient,
}

/// The routes of the component `metadata`.
pub const METADATA: &[Route<MetadataEndpoint>] = &[
    Route {
        path: "/.well-known/*",
        methods: Methods::Listed(&[
            (Method::GET, MetadataEndpoint::WellKnown),
            (Method::HEAD, MetadataEndpoint::WellKnown),
        ]),
        cors: Some(READ),
        max_body_bytes: 0,
        errors: ErrorFormat::Json,
    },
    api(
        "/register",
        &[(Method::POST, MetadataEndpoint::Register)],
        POST,
    ),
    api(
        "/register/*",
        &[
            (Method::GET, MetadataEndpoint::RegisteredClient),
            (Method::PUT, MetadataEndpoint::RegisteredClient),
            (Method::DELETE, MetadataEndpoint::RegisteredClient),
        ],
        MANAGE,
    ),
];

/// Returns a route for people.
const fn page<E>(path: &'static str, methods: &'static [(Method, E)]) -> Route<E> {
    Route {
        path,
        methods: Methods::Listed(methods),
        cors: None,
        max_body_bytes: MAX_BODY_BYTES,
        errors: ErrorFormat::Page,
    }
}

/// Returns a route for programs, among them web pages of any origin.
const fn api<E>(path: &'static str, methods: &'static [(Method, E)], cors: Cors) -> Route<E> {
    Route {
        path,
        methods: Methods::Listed(methods),
        cors: Some(cors),
        max_body_bytes: MAX_BODY_BYTES,
        errors: ErrorFormat::Json,
    }
}

/// Returns a route with one endpoint for every method.
const fn any<E>(path: &'static str, endpoint: E, errors: ErrorFormat) -> Route<E> {
    Route {
        path,
        methods: Methods::Any(endpoint),
        cors: None,
        max_body_bytes: MAX_BODY_BYTES,
        errors,
    }
}

/// Finds the route and the endpoint of a request, and reads its body.
///
/// # Errors
///
/// The response to give: 404, 405, to a preflight request, or about a body that was not read: 413 for a large
/// one, 408 for a slow one, 400 for one that broke off.
pub async fn receive<E: Copy, B>(
    routes: &'static [Route<E>],
    request: http::Request<B>,
) -> Result<(&'static Route<E>, E, Request), Response>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = request.uri().path();
    let Some(route) = Route::find(routes, path) else {
        return Err(web::text(StatusCode::NOT_FOUND, "Not found\n"));
    };
    let method = request.method().clone();
    let request = if route.max_body_bytes == 0 {
        request.map(|_| Bytes::new())
    } else {
        // Before the method is looked at: what is wrong with a body is said whatever the method is.
        match web::read_request(request, route.max_body_bytes).await {
            Ok(request) => request,
            Err(error) => {
                let response = match route.errors {
                    ErrorFormat::Page => error.respond(pages::unread_request(&error)),
                    ErrorFormat::Json => {
                        let said = Error::new(ErrorCode::InvalidRequest, error.to_string());
                        error.respond(web::json(error.status(), &said))
                    }
                };
                return Err(route.finish(&method, response));
            }
        }
    };
    match route.endpoint(&method) {
        Some(endpoint) => Ok((route, endpoint, request)),
        None => Err(route.refuse_method(&method)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<E>(routes: &[Route<E>]) {
        for route in routes {
            let Methods::Listed(listed) = &route.methods else {
                continue;
            };
            let Some(cors) = &route.cors else { continue };
            let mut methods: Vec<_> = listed.iter().map(|(method, _)| method.as_str()).collect();
            methods.push("OPTIONS");
            assert_eq!(methods.join(", "), cors.methods, "{}", route.path);
        }
    }

    #[test]
    fn cors_allows_the_methods_that_a_route_has() {
        check(AUTHORIZE);
        check(ACCOUNT);
        check(METADATA);
    }
}

//! The endpoints, one a file.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use crate::app::Shared;
use crate::fault::Endpoint;
use crate::page;
use interfere::interfere;

mod authorize;
mod discovery;
mod interfere;
mod jwks;
mod openid;
mod register;
mod respond;
mod revoke;
mod sign_in;
mod token;
mod userinfo;

/// Answers where there is no route, once the body is there: a connection that is closed with a body unread is reset, and its
/// client may never see the response.
async fn not_found(_body: Bytes) -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Returns every route of the emulator.
pub(crate) fn router(app: Shared) -> Router {
    let watched = |endpoint: Endpoint, method: MethodRouter<Shared>| {
        method.layer(middleware::from_fn_with_state(
            (app.clone(), endpoint),
            interfere,
        ))
    };
    let userinfo = get(userinfo::handler).post(userinfo::handler);
    let mut router = Router::new();
    for (prefix, is_plain) in [
        ("/oauth2/v1/apps", true),
        ("/oauth2/v1/apps/{project}", false),
    ] {
        let authorize = if is_plain {
            get(authorize::plain)
        } else {
            get(authorize::of_project)
        };
        let token = if is_plain {
            post(token::plain)
        } else {
            post(token::of_project)
        };
        router = router
            .route(
                &format!("{prefix}/authorize"),
                watched(Endpoint::Authorize, authorize),
            )
            .route(&format!("{prefix}/token"), watched(Endpoint::Token, token))
            .route(
                &format!("{prefix}/revoke"),
                watched(Endpoint::Revoke, post(revoke::handler)),
            )
            .route(
                &format!("{prefix}/userinfo"),
                watched(Endpoint::UserInfo, userinfo.clone()),
            );
    }
    let discovery = || watched(Endpoint::Discovery, get(discovery::inbound_app));
    let agentic_discovery = || watched(Endpoint::Discovery, get(discovery::agentic));
    let jwks = || watched(Endpoint::Jwks, get(jwks::handler));
    router
        .route(
            "/oauth2/v1/apps/agentic/{project}/{server}/authorize",
            watched(Endpoint::Authorize, get(authorize::agentic)),
        )
        .route(
            "/oauth2/v1/apps/agentic/{project}/{server}/token",
            watched(Endpoint::Token, post(token::agentic)),
        )
        .route(
            "/v1/mgmt/mcp/client/{project}/{server}/register",
            watched(Endpoint::Register, post(register::handler)),
        )
        .route("/{project}/.well-known/jwks.json", jwks())
        .route("/v2/keys/{project}", jwks())
        .route(
            "/v1/apps/{project}/.well-known/openid-configuration",
            discovery(),
        )
        .route(
            "/v1/apps/{project}/.well-known/oauth-authorization-server",
            discovery(),
        )
        .route(
            "/v1/apps/agentic/{project}/{server}/.well-known/openid-configuration",
            agentic_discovery(),
        )
        .route(
            "/v1/apps/agentic/{project}/{server}/.well-known/oauth-authorization-server",
            agentic_discovery(),
        )
        .route(
            "/openid/.well-known/openid-configuration",
            watched(Endpoint::Discovery, get(openid::configuration)),
        )
        .route(
            "/openid/authorize",
            watched(Endpoint::Authorize, get(authorize::openid)),
        )
        .route(
            "/openid/token",
            watched(Endpoint::Token, post(openid::token)),
        )
        .route(
            "/openid/userinfo",
            watched(
                Endpoint::UserInfo,
                get(userinfo::openid).post(userinfo::openid),
            ),
        )
        .route("/openid/keys", watched(Endpoint::Jwks, get(openid::keys)))
        .route(
            "/emulator/sign-in",
            watched(Endpoint::SignIn, post(sign_in::handler)),
        )
        .route("/emulator/style.css", get(page::style))
        .route("/", get(page::home))
        .fallback(not_found)
        .layer(middleware::from_fn(harden))
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

/// Returns the security headers of every answer.
///
/// There is no `form-action`: browsers apply it to the redirects that follow a form too, and those lead through the
/// application to whatever the client listens on.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// In bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

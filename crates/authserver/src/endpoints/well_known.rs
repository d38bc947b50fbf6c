//! `/.well-known/…`: the discovery documents and the public keys.
//!
//! For an issuer with a path, the documents lie below the host's root with that path behind them
//! (RFC 8414 section 3.1, RFC 9728 section 3.1); clients also look below the issuer itself. Both
//! are answered.

use super::elsewhere;
use crate::answers::READ;
use config::{Base, Registration, Server};
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use oauth::metadata;
use serde::Serialize;
use web::cors::Origin;
use web::{Response, for_method, json, method_not_allowed, with_header};

/// Documents and keys may be a few minutes old.
const CACHED: &str = "public, max-age=300";

/// The documents of an authorization server, which are there where it is.
const ISSUED: [&str; 3] = [
    "oauth-authorization-server",
    "openid-configuration",
    "jwks.json",
];

/// Answers a request for `path`, which starts with `/.well-known/`.
pub fn handle(config: &Server, base: &Base, method: &Method, path: &str) -> Response {
    let response = match *method {
        Method::GET | Method::HEAD => find(config, base, path)
            .unwrap_or_else(|| web::text(StatusCode::NOT_FOUND, "Not found\n")),
        Method::OPTIONS => return READ.preflight(Origin::Any),
        _ => method_not_allowed(READ.methods),
    };
    for_method(method, READ.allow(Origin::Any, response))
}

fn find(config: &Server, base: &Base, path: &str) -> Option<Response> {
    let name = path.strip_prefix("/.well-known/")?;
    let (name, rest) = name.split_at(name.find('/').unwrap_or(name.len()));
    let rest = rest.trim_end_matches('/');
    let external = config.authorization_server.external();
    if let Some(external) = external
        && ISSUED.contains(&name)
    {
        return Some(elsewhere::words(external));
    }
    let registration = config.clients.registration != Registration::Off;
    match name {
        "oauth-authorization-server" => Some(document(&metadata::authorization_server(
            base.as_str(),
            &config.scopes,
            registration,
        ))),
        "openid-configuration" => Some(document(&metadata::openid_configuration(
            base.as_str(),
            &config.scopes,
            registration,
        ))),
        "oauth-protected-resource" => {
            let path = rest.strip_prefix(base.path()).unwrap_or(rest);
            let issuer = external.map_or(base.as_str(), |external| &external.issuer);
            metadata::protected_resource(base.as_str(), path, issuer, &config.scopes)
                .map(|found| document(&found))
        }
        "jwks.json" if rest.is_empty() => Some(document(&config.keys.jwks())),
        _ => None,
    }
}

fn document(value: &impl Serialize) -> Response {
    with_header(
        json(StatusCode::OK, value),
        CACHE_CONTROL,
        HeaderValue::from_static(CACHED),
    )
}

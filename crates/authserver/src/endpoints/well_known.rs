//! `/.well-known/…`: the discovery documents and the public keys.
//!
//! The documents of an issuer or a resource with a path lie below the host's root with that path
//! behind them (RFC 8414 section 3.1, RFC 9728 section 3.1); where a proxy takes the path of
//! `public_url` off, below the issuer itself as well.
//!
//! A client that knows nothing but the URL of an MCP endpoint takes that for the issuer and looks for
//! the authorization server's document there, so it lies behind `/mcp` and `/sse` too. It lies
//! nowhere else: every other path is an issuer that does not exist.

use super::external_authorization_server;
use cache::Cache;
use config::{BaseUrl, Registration, Server};
use http::{HeaderMap, StatusCode};
use oauth::metadata::{self, ClientIdentification};
use oauth::resource::Resources;
use std::sync::Arc;
use web::{CachedJson, Response};

/// Documents and keys may be a few minutes old.
const CACHED: &str = "public, max-age=300";

/// The documents of an authorization server, which are there where it is.
const ISSUED: [&str; 3] = [
    "oauth-authorization-server",
    "openid-configuration",
    "jwks.json",
];

/// Documents per generation of the cache. Without `public_url` the base URL is the request's, so there can be many.
const MAX_CACHED: usize = 32;

/// The documents. Each is written once per base URL.
pub struct WellKnown(Cache<String, Arc<CachedJson>>);

impl Default for WellKnown {
    fn default() -> Self {
        Self(Cache::new(MAX_CACHED))
    }
}

impl WellKnown {
    /// Answers a request to a `path` that starts with `/.well-known/`.
    pub fn handle(
        &self,
        config: &Server,
        base: &BaseUrl,
        path: &str,
        headers: &HeaderMap,
    ) -> Response {
        if let Some(response) = issued_by_another(config, path) {
            return response;
        }
        match self.document(config, base, path) {
            Some(document) => document.respond(headers, CACHED),
            None => web::text(StatusCode::NOT_FOUND, "Not found\n"),
        }
    }

    fn document(&self, config: &Server, base: &BaseUrl, path: &str) -> Option<Arc<CachedJson>> {
        // No URL has a space in it.
        let key = format!("{} {path}", base.as_str());
        if let Some(document) = self.0.get(&key) {
            return Some(document);
        }
        let document = Arc::new(write(config, base, path)?);
        self.0.insert(key, Arc::clone(&document));
        Some(document)
    }
}

/// Returns what is said in place of our own documents where another authorization server issues the tokens.
fn issued_by_another(config: &Server, path: &str) -> Option<Response> {
    let external = config.authorization_server.external()?;
    let (name, _) = split(path)?;
    ISSUED
        .contains(&name)
        .then(|| external_authorization_server::plain_text(external))
}

/// Returns the document at this path, as it is at `base`.
fn write(config: &Server, base: &BaseUrl, path: &str) -> Option<CachedJson> {
    let (name, rest) = split(path)?;
    // What it is about: the base itself, or something below it.
    let below = rest.strip_prefix(base.path()).unwrap_or(rest);
    let below = below.strip_suffix('/').unwrap_or(below);
    let (issuer, scopes) = (base.as_str(), &config.scopes);
    let resources = Resources::advertised(issuer, config.http_sse);
    let identification = ClientIdentification {
        registration: config.clients.registration != Registration::Off,
        documents: config.clients.documents,
    };
    match name {
        "oauth-authorization-server" if is_probed(below) => CachedJson::new(
            &metadata::authorization_server(issuer, scopes, &resources, identification),
        ),
        "openid-configuration" if is_probed(below) => CachedJson::new(
            &metadata::openid_configuration(issuer, scopes, &resources, identification),
        ),
        "oauth-protected-resource" => {
            let external = config.authorization_server.external();
            let issuer = external.map_or(issuer, |external| &external.issuer);
            let document =
                metadata::protected_resource(base.as_str(), below, &resources, issuer, scopes)?;
            CachedJson::new(&document)
        }
        "jwks.json" if rest.is_empty() => CachedJson::new(&config.keys.jwks()),
        _ => None,
    }
}

/// Returns the name of a document, and the path behind it.
fn split(path: &str) -> Option<(&str, &str)> {
    let name = path.strip_prefix("/.well-known/")?;
    Some(name.split_at(name.find('/').unwrap_or(name.len())))
}

/// Whether clients look there for the authorization server.
fn is_probed(below: &str) -> bool {
    matches!(below, "" | "/mcp" | "/sse")
}

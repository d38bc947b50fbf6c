//! Properties of parsers of foreign input, one function each.
//!
//! Each takes bytes, as an attacker would choose them, and panics where a rule is broken. The fuzzer
//! in `fuzz/` calls them with bytes that it makes up, and this crate's tests with the corpora that
//! are kept in `fuzz/corpus` and with small changes to those.

mod access_token;
mod authorization_request;
mod client_authentication;
mod client_document;
mod client_metadata;
mod cookie;
mod jsonrpc;
mod jwt;
mod mcp_headers;
mod message_order;
mod openapi_document;
mod parameters;
mod policy;
mod provider_answers;
mod public_url;
mod redirect_uri;
mod remote_server;
mod sealed;
mod stateless_request;
mod tool_schema;

pub use self::jwt::{jwks, jwt};
pub use self::policy::policy;
pub use access_token::access_token;
pub use authorization_request::authorization_request;
pub use client_authentication::client_authentication;
pub use client_document::client_document;
pub use client_metadata::client_metadata;
pub use cookie::cookie;
pub use jsonrpc::jsonrpc;
pub use mcp_headers::mcp_headers;
pub use message_order::{STEP, message_order};
pub use openapi_document::openapi_document;
pub use parameters::parameters;
pub use provider_answers::provider_answers;
pub use public_url::public_url;
pub use redirect_uri::redirect_uri;
pub use remote_server::remote_server;
pub use sealed::sealed;
pub use stateless_request::stateless_request;
pub use tool_schema::tool_schema;

use oauth::Client;
use oauth::client_metadata::{MetadataSource, Rules};
use oauth::redirect_uri::PrivateUse;
use serde_json::Value;

/// A function that panics where a rule is broken, and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every one of them.
pub const TARGETS: &[Target] = &[
    ("access_token", access_token),
    ("authorization_request", authorization_request),
    ("client_authentication", client_authentication),
    ("client_document", client_document),
    ("client_metadata", client_metadata),
    ("cookie", cookie),
    ("jsonrpc", jsonrpc),
    ("jwks", jwks),
    ("jwt", jwt),
    ("mcp_headers", mcp_headers),
    ("message_order", message_order),
    ("openapi_document", openapi_document),
    ("parameters", parameters),
    ("policy", policy),
    ("provider_answers", provider_answers),
    ("public_url", public_url),
    ("redirect_uri", redirect_uri),
    ("remote_server", remote_server),
    ("sealed", sealed),
    ("stateless_request", stateless_request),
    ("tool_schema", tool_schema),
];

/// The master secret of the targets that need one; it guards nothing.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The scopes that exist.
fn existing() -> Vec<String> {
    ["tools", "userinfo", "upstream_token"]
        .map(str::to_owned)
        .into()
}

/// A client that is registered with this metadata.
fn registered(metadata: &str, secret_hash: Option<String>) -> Client {
    let Ok(Value::Object(fields)) = serde_json::from_str(metadata) else {
        panic!("no JSON object: {metadata}");
    };
    let rules = Rules {
        source: MetadataSource::Registration,
        scopes: &existing(),
        extra_origin: None,
        private_use: PrivateUse::Listed,
    };
    Client {
        client_id: "id".to_owned(),
        issued_at: 0,
        secret_hash,
        metadata: oauth::client_metadata::read(&fields, rules).expect("good metadata"),
        resource_server: false,
    }
}

/// The bytes as text, and what stands behind their first line.
fn first_line(data: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(data).ok()?;
    Some(text.split_once('\n').unwrap_or((text, "")))
}

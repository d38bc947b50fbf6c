//! The resources.

use crate::media::PNG;
use gatehouse_sdk::{Value, json, resource};

/// What changes when a tool says so.
pub(crate) const WATCHED: &str = "test://watched-resource";

/// A text
#[resource(
    uri = "test://static-text",
    name = "static-text",
    mime_type = "text/plain",
    ttl = 60,
    shared
)]
pub(crate) fn static_text() -> &'static str {
    "This is the content of the static text resource."
}

/// A picture
#[resource(
    uri = "test://static-binary",
    name = "static-binary",
    mime_type = "image/png",
    ttl = 60,
    shared
)]
pub(crate) fn static_binary() -> &'static [u8] {
    PNG
}

/// What may be subscribed to
#[resource(
    uri = "test://watched-resource",
    mime_type = "text/plain",
    ttl = 60,
    shared
)]
pub(crate) fn watched() -> &'static str {
    "This never changes, for all its watchers."
}

/// Data with an identifier
#[resource(
    uri = "test://template/{id}/data",
    mime_type = "application/json",
    ttl = 60,
    shared
)]
pub(crate) fn template(id: String) -> Value {
    json!({ "id": id, "data": format!("Data for {id}") })
}

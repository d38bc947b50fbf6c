//! The operations of an HTTP API, described by an OpenAPI document (OpenAPI Specification 3.0, 3.1), as tools.
//!
//! [`Settings`] say which document, which of its operations, and with which credentials. An [`Api`] is the document, read:
//! [`Api::tools`] are its operations as tools, and [`Operation::request`] is the request that a call becomes. A [`Server`] does all of
//! it over an [`Http`] that it is given, so that all of it runs in tests.
//!
//! The document is the operator's choice and is trusted to say what the API is, within bounds of size and nesting. The arguments
//! are a model's, and the responses whatever data the API has: neither decides where a request goes.

mod api;
mod body;
mod credential;
mod document;
mod entry;
mod flat;
mod input;
mod location;
mod methods;
mod name;
mod operation;
mod output;
mod parameter;
mod pattern;
mod redirect;
mod request;
mod routes;
mod safe_url;
mod schema;
mod server;
mod server_url;
mod settings;
mod steps;
mod tool;
mod unusable;

pub use api::{Api, Info, Tools};
pub use credential::{Credential, NoSecretLocation};
pub use document::{DocumentError, ReferenceError};
pub use operation::{CallError, Operation, PersonsToken};
pub use output::{Content, Media, Output};
pub use request::{ArgumentError, Prepared};
pub use server::{Bounds, Failure, Http, Offer, SendError, Server};
pub use settings::{Problem, Settings};
pub use tool::{Hints, Tool};
pub use unusable::Unusable;

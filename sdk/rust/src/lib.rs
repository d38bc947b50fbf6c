//! Tools, resources and prompts of an MCP server, as functions.
//!
//! ```
//! use gatehouse_sdk::{Result, data, tool};
//!
//! #[data]
//! struct Sum {
//!     /// a + b
//!     sum: f64,
//! }
//!
//! /// Adds two numbers.
//! #[tool(read_only)]
//! fn add(
//!     /// The first number
//!     a: f64,
//!     /// The second number
//!     b: f64,
//! ) -> Sum {
//!     Sum { sum: a + b }
//! }
//!
//! gatehouse_sdk::server!(name: "calculator", tools: [add]);
//!
//! # fn main() {
//! use gatehouse_sdk::{json, testing::TestClient};
//!
//! let outcome = TestClient::new(&SERVER).call("add", json!({ "a": 1, "b": 2 })).unwrap();
//! assert_eq!(outcome.structured, Some(json!({ "sum": 3.0 })));
//! # }
//! ```
//!
//! # Arguments
//!
//! An argument of a tool is a property of its input schema. These types are not: the SDK gives them.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`Caller`] | who calls: subject, scopes, profile and claims |
//! | [`Credential`] | the person's token of the identity provider; in an `Option`, the call goes on without one |
//! | [`Progress`], [`Log`], [`Changes`] | what a tool reports while it runs |
//! | [`Client`] | questions to the person, to the client's model, and for its roots |
//! | [`Context`] | all of these |
//!
//! [`Arguments<T>`](Arguments) has all arguments in one struct.
//!
//! # Results
//!
//! A tool returns a `String` (a text), anything that is `Serialize` and `JsonSchema` (an object is structured content
//! with an output schema), or an [`Output`] of [`Content`] blocks; each of them also in a `Result`, whose error is for
//! the model to read and mend: anything with `Display`, or an [`Error`].
//!
//! # What the manifest grants
//!
//! [`http`] calls the hosts that `spin.toml` allows, [`variable()`] returns settings and secrets, and a [`KeyValue`] store keeps
//! what outlives a call.
//!
//! # Hosts
//!
//! The component is built for `wasm32-wasip2`, and exports `gatehouse:tools` for hosts of WASI 0.3; with
//! `--features gatehouse-sdk/portable`, for hosts of WASI 0.2.

mod arguments;
#[cfg(not(feature = "portable"))]
#[doc(hidden)]
pub mod bindings;
#[cfg(feature = "portable")]
#[doc(hidden)]
#[path = "bindings_portable.rs"]
pub mod bindings;
mod caller;
mod channel;
mod client;
mod complete;
mod content;
mod context;
mod error;
#[cfg(feature = "portable")]
mod executor;
#[cfg(not(feature = "portable"))]
mod export;
#[cfg(feature = "portable")]
#[path = "export_portable.rs"]
mod export;
pub mod http;
mod icon;
mod key_value;
mod offer;
mod output;
#[cfg(all(target_arch = "wasm32", not(feature = "portable")))]
mod platform_main;
#[cfg(feature = "portable")]
mod platform_portable;
mod prompt;
mod resource;
mod running;
mod schema;
mod server;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod texts;
pub mod time;
mod tool;
mod uri_template;
mod variable;
mod work;

pub use arguments::Arguments;
pub use bindings::contract::{
    Annotations, Caller, CallerKind, Changed, ClientCapabilities, Content, ContentBody, Credential,
    ListedResource, LogLevel, Media, Profile, ResourceBody, ResourceContents, Role, Theme,
};
pub use client::{Client, Root, Unanswered};
pub use complete::Completion;
pub use context::{Changes, Context, Log, Progress};
pub use error::{Error, Result};
pub use gatehouse_sdk_macros::{data, prompt, resource, server, tool};
pub use icon::Icon;
pub use key_value::{KeyValue, KeyValueError};
pub use output::Output;
pub use prompt::Message;
pub use resource::Contents;
pub use schemars::JsonSchema;
pub use serde_json::{Value, json};
pub use server::Server;
pub use variable::{VariableError, variable};
pub use {schemars, serde, serde_json};

#[doc(hidden)]
pub mod __private {
    //! What the macros write about.

    pub use crate::arguments::{optional_text, read as read_arguments, text, variable};
    pub use crate::bindings;
    pub use crate::bindings::contract::{TaskUse, ToolAnnotations};
    pub use crate::bindings::export_tools as export;
    pub use crate::complete::Complete;
    pub use crate::context::FromContext;
    pub use crate::export::{Component, Exported};
    pub use crate::output::IntoOutput;
    pub use crate::prompt::{IntoMessages, Prompt, PromptArgumentDefinition, PromptDefinition};
    pub use crate::resource::{IntoContents, Resource, ResourceDefinition};
    pub use crate::schema::input as input_schema;
    pub use crate::server::{AnnouncedChanges, non_empty, required};
    pub use crate::tool::{Tool, ToolDefinition};
    pub use {schemars, serde};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

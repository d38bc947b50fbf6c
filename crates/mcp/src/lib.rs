//! Messages of the Model Context Protocol: JSON-RPC messages, revisions, headers, results, events.
//!
//! This crate has no dependency on HTTP servers, OAuth or storage. One model ([`Tool`], [`Output`], [`Prompt`],
//! [`Resource`], ...) is written as the [`Revision`] of the client has it. A field that an older revision lacks
//! is left out, or becomes text.
//!
//! JSON that passes through (arguments, schemas, structured content, request ids) stays text: it is validated
//! and never reserialized.

mod annotations;
mod base_metadata;
pub mod capabilities;
mod completion;
mod content;
mod discover;
mod error;
pub mod header_params;
pub mod headers;
mod icon;
mod initialize;
mod json;
pub mod jsonrpc;
mod lifecycle;
mod members;
mod notification;
mod output;
mod params;
mod prompt;
mod resource;
mod result_envelope;
mod revision;
mod server_info;
pub mod sse;
pub mod stateless;
mod subscription;
mod task;
mod tool;

pub use annotations::{Annotations, Role};
pub use base_metadata::BaseMetadata;
pub use capabilities::{ClientCapabilities, ServerCapabilities};
pub use completion::Suggestions;
pub use content::{Content, ContentBody, Media};
pub use discover::discover_result;
pub use error::{Error, ErrorCode};
pub use icon::{Icon, Theme};
pub use initialize::initialize_result;
pub use json::InvalidJson;
pub use lifecycle::{Lifecycle, lifecycle};
pub use notification::{Log, LogLevel, Progress};
pub use output::Output;
pub use params::{
    CallParams, CompleteParams, InitializeParams, PageParams, PromptParams, ReadParams, Reference,
    read_level,
};
pub use prompt::{Prompt, PromptArgument, PromptMessage, PromptMessages, prompts_list};
pub use resource::{
    Contents, Resource, ResourceBody, ResourceContents, ResourcePage, ResourceTemplate,
    resource_templates_list,
};
pub use result_envelope::{Envelope, Freshness, InputRequest, empty_result, input_required_result};
pub use revision::Revision;
pub use server_info::ServerInfo;
pub use subscription::{
    Filter, List, MAX_SUBSCRIPTION_URI_BYTES, list_changed, resource_updated, subscription_ended,
};
pub use task::{Task, TaskParams, TaskState};
pub use tool::{InvalidTool, Tool, ToolAnnotations, ToolDescription, tools_list};

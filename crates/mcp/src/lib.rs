//! The Model Context Protocol as text: JSON-RPC messages, revisions, headers, results, events.
//!
//! Nothing here knows of HTTP servers, OAuth or storage. One model ([`Tool`], [`Output`],
//! [`Prompt`], [`Resource`], ...) is written in the shape of whichever [`Revision`] a client speaks; what an older
//! revision has no field for is left out or said in words.
//!
//! JSON that merely passes through (arguments, schemas, structured content, request ids) stays
//! text: it is checked to be JSON and never rebuilt.

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
pub use initialize::{SERVER, ServerInfo, initialize_result};
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
pub use result_envelope::{Freshness, InputRequest, empty_result, input_required_result};
pub use revision::Revision;
pub use subscription::{Filter, List, list_changed, resource_updated, subscription_ended};
pub use task::{Task, TaskParams, TaskState};
pub use tool::{InvalidTool, Tool, ToolAnnotations, ToolDescription, tools_list};

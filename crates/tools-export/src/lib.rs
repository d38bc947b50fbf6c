//! The contract `wit/tools`, exported by components whose tools, prompts and resources are known at run time, from variables
//! or from another server. Tools that are functions are written with the SDK. The portable build exports
//! `wit/portable/tools.wit`.
//!
//! The types are those of the contract. A component says what it offers by [`Provider`], how to make the provider by
//! [`Instance`], and exports itself:
//!
//! ```ignore
//! type Component = tools_export::Component<MyTools>;
//! tools_export::export!(Component with_types_in tools_export::bindings);
//! ```

#[cfg(not(feature = "portable"))]
pub mod bindings;
#[cfg(feature = "portable")]
#[path = "bindings_portable.rs"]
pub mod bindings;
#[cfg(not(feature = "portable"))]
mod component;
#[cfg(feature = "portable")]
#[path = "component_portable.rs"]
mod component;
mod output;
mod provider;
mod steps;

pub use bindings::contract::{
    Annotations, Answer, Argument, Call, Caller, CallerKind, Changed, Changes, ClientCapabilities,
    Completion, CompletionTarget, Content, ContentBody, Contents, Context, Credential, Event,
    Failure, Freshness, Icon, InputRequest, InputRequired, ListedResource, Log, LogLevel, Media,
    Offer, Output, Profile, Progress, Prompt, PromptArgument, PromptMessage, PromptMessages,
    PromptRequest, Prompting, Read, Reading, ResourceBody, ResourceContents, ResourceOffer,
    ResourcePage, ResourceTemplate, Role, ServerInfo, Suggestions, TaskUse, Theme, Tool,
    ToolAnnotations,
};
pub use bindings::export_tools as export;
pub use component::Component;
pub use provider::{Instance, Provider};
pub use steps::{AtOnce, Steps};

#[cfg(all(test, not(feature = "portable")))]
mod tests;

//! The Model Context Protocol as text: JSON-RPC messages, revisions, headers, results, events.
//!
//! Nothing here knows of HTTP servers, OAuth or storage. One model ([`Tool`], [`Output`],
//! [`Progress`]) is written in the shape of whichever [`Revision`] a client speaks; what an older
//! revision has no field for is left out or said in words.
//!
//! JSON that merely passes through (arguments, schemas, structured content, request ids) stays
//! text: it is checked to be JSON and never rebuilt.

mod error;
pub mod headers;
mod initialize;
pub mod jsonrpc;
mod notification;
mod output;
mod params;
mod revision;
pub mod sse;
mod tool;

pub use error::{Error, ErrorCode};
pub use initialize::{ServerInfo, initialize_result};
pub use notification::Progress;
pub use output::{Content, EmbeddedResource, Media, Output, ResourceBody, ResourceLink};
pub use params::{CallParams, InitializeParams};
pub use revision::Revision;
pub use tool::{Annotations, InvalidTool, Tool, tools_list};

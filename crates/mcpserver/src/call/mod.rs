//! Tool calls (`tools/call`), and the requests that a call sends to its client.

pub(crate) mod call_event;
pub(crate) mod cancellation;
pub(crate) mod client_context;
pub(crate) mod client_requests;
pub(crate) mod input_required;
pub(crate) mod sandbox;
pub(crate) mod streamed_call;
pub(crate) mod tool_call;
pub(crate) mod upstream_credential;
pub(crate) mod validated_tool;

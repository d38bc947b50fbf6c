//! MCP methods: dispatch of a message to its method, and what each method returns.

pub(crate) mod catalog;
pub(crate) mod cursor;
pub(crate) mod dispatch;
pub(crate) mod methods;
pub(crate) mod pending_request;
pub(crate) mod summary;

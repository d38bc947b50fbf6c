//! Readers of HTTP header fields (RFC 9110 section 5) that the OAuth and the MCP crates share.

mod bearer;
mod media_type;

pub use bearer::bearer_token;
pub use media_type::MediaType;

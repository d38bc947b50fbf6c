//! HTTP and HTML that all components have in common: pages, security headers, CORS, forms, cookies, JSON.
//!
//! No Spin and no axum here. A [`Response`] is one that an axum handler may return as it is, and a
//! test may look into.

mod body;
mod cached;
mod client_address;
pub mod cookie;
pub mod cors;
mod headers;
mod page;
mod request;
mod respond;
pub mod routes;
mod same_origin;

pub use body::{Paced, ReadError, Rest, read_body};
pub use cached::CachedJson;
pub use client_address::RequestSource;
pub use headers::{ContentSecurityPolicy, require_https};
pub use page::Page;
pub use request::{Request, read_request, wants_html};
pub use respond::{
    for_method, json, method_not_allowed, no_content, see_other, text, unavailable, with_header,
};
pub use same_origin::{is_cross_origin, is_same_origin};

/// A response with its whole body.
pub type Response = http::Response<http_body_util::Full<bytes::Bytes>>;

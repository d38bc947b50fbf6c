//! The methods of operations (Path Item Object).

use http::Method;

/// The methods of operations. TRACE is none of them: it is there to show requests, credentials among them.
pub(crate) const METHODS: [Method; 7] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::PATCH,
    Method::HEAD,
    Method::OPTIONS,
];

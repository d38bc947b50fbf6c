//! The URLs of the endpoints under one base URL.

use config::BaseUrl;
use oauth::resource::Resources;

/// The URLs under one base URL, made once.
#[derive(Debug)]
pub(crate) struct EndpointUrls {
    /// The issuer of our tokens.
    pub(crate) issuer: String,
    /// The resources of our tokens, each of which is valid at every transport.
    pub(crate) resources: Resources,
    /// Scheme, host and port.
    pub(crate) origin: String,
    /// The path of `/messages`, as browsers and SDKs resolve it against `/sse`.
    pub(crate) messages: String,
    /// The protected-resource metadata (RFC 9728 section 5.1) of each transport.
    mcp_metadata: String,
    sse_metadata: String,
}

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// `/mcp`.
    StreamableHttp,
    /// `/sse` and `/messages`.
    HttpSse,
}

impl EndpointUrls {
    pub(crate) fn new(base: &BaseUrl) -> Self {
        Self {
            issuer: base.as_str().to_owned(),
            resources: Resources::new(base.as_str()),
            origin: base.origin(),
            messages: format!("{}/messages", base.path()),
            mcp_metadata: base.join("/.well-known/oauth-protected-resource/mcp"),
            sse_metadata: base.join("/.well-known/oauth-protected-resource/sse"),
        }
    }

    pub(crate) fn metadata(&self, transport: Transport) -> &str {
        match transport {
            Transport::StreamableHttp => &self.mcp_metadata,
            Transport::HttpSse => &self.sse_metadata,
        }
    }
}

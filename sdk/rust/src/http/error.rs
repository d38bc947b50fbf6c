//! Errors of outbound HTTP.

/// Why a request brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The URL is not one of `http:` or `https:`.
    #[error("{0:?} is no URL that can be called")]
    InvalidUrl(String),
    /// A header field or the body cannot be sent.
    #[error("the request cannot be made: {0}")]
    InvalidRequest(String),
    /// The manifest does not allow the call.
    // Gatehouse finds the name in what a tool says, and tells the operator.
    #[error(
        "HttpRequestDenied: spin.toml does not let these tools call {0}. Add {0:?} to allowed_outbound_hosts of the component that they are a part of, such as [component.mcp], and inherit_configuration = [\"allowed_outbound_hosts\"] to their line in its dependencies"
    )]
    Denied(String),
    /// The server did not answer in time.
    #[error("{0} did not answer in time")]
    Timeout(String),
    /// The response has more bytes than `max_bytes`.
    #[error("{0} answered with more than {1} bytes")]
    TooLarge(String, usize),
    /// No connection, or a broken one: the host, and the error code of WASI.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// A status that is no success.
    #[error("{0} answered with the status {1}")]
    Status(String, u16),
    /// A body that is not what was wanted.
    #[error("{0} answered with something else: {1}")]
    InvalidBody(String, String),
    /// There is no network in a unit test.
    #[error("a unit test has no network: TestClient::http answers the request for {0}")]
    NoNetwork(String),
}

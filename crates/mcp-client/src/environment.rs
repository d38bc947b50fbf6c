//! The environment of the client: outbound HTTP, a clock, and spawned work.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::fmt::Display;
use std::time::Duration;

/// Outbound HTTP, time and spawned work.
pub trait Environment: Send + Sync + 'static {
    /// The body of a response, read as it comes. Dropping it ends the exchange.
    type Body: Body<Data = Bytes, Error: Display> + Send + Unpin + 'static;

    /// For how long a session that is not used is kept. Zero where an instance does not outlive a call: each session then
    /// ends with the call that began it.
    const SESSION_IDLE: Duration;

    /// Sends a request and returns the response when its head is there, within `limit`. No redirect is followed.
    ///
    /// # Errors
    ///
    /// See [`SendError`]; a response with an error status is a response.
    fn open(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> impl Future<Output = Result<Response<Self::Body>, SendError>> + Send;

    /// Returns the time since some moment; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Returns a random number.
    fn random(&self) -> u64;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Lets `work` go on beside, and after, the call that began it.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static);
}

/// Why a request brought no response.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SendError {
    /// The host does not let this component call the server; what it said, for the operator.
    #[error("{0}")]
    Denied(String),
    /// No head of a response in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// No connection, or a broken one.
    #[error("{0}")]
    Unreachable(String),
}

//! Outbound HTTP with bounds on time and size.
//!
//! [`send`] gives a whole response, and [`open`] one whose body is read as it comes.

use crate::exchange_error::ExchangeError;
use crate::time::timeout;
#[cfg(feature = "portable")]
use crate::wasi2::exchange;
#[cfg(not(feature = "portable"))]
use crate::wasi3::exchange;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Limited};
use std::time::Duration;

/// The body of a response that is read as it comes. Dropping it ends the exchange.
pub type IncomingBody = UnsyncBoxBody<Bytes, axum::BoxError>;

/// What a call may cost its caller at most.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For the whole exchange, the response's body included.
    pub time: Duration,
    /// Of the response's body, in bytes.
    pub size: usize,
}

/// Why a call brought no response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest's `allowed_outbound_hosts` does not list the host.
    #[error("the manifest allows this component no call to {0}")]
    Denied(String),
    /// The name leads into a network that the runtime configuration keeps calls out of.
    #[error("{0} is in a network that the runtime configuration blocks (block_networks)")]
    Blocked(String),
    /// No complete response within [`Bounds::time`].
    #[error("{0} did not answer in time")]
    Timeout(String),
    /// The response's body is larger than [`Bounds::size`].
    #[error("{0} answered with more than the {1} bytes allowed")]
    TooLarge(String, usize),
    /// No connection, or a broken one.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
}

/// Sends `request` and reads the whole response within `bounds`.
///
/// # Errors
///
/// See [`Error`]; a response with an error status is a response.
pub async fn send(request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, Error> {
    let host = host(&request);
    let exchange = async {
        let (parts, body) = exchange::send(request)
            .await
            .map_err(|error| failed(&host, error))?
            .into_parts();
        let body = Limited::new(body, bounds.size)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    Error::TooLarge(host.clone(), bounds.size)
                } else {
                    Error::Unreachable(host.clone(), "the response broke off".to_owned())
                }
            })?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    };
    timeout(bounds.time, exchange)
        .await
        .unwrap_or_else(|| Err(Error::Timeout(host.clone())))
}

/// Sends `request` and returns the response when its head is there, within `limit`. How long the body takes and how
/// large it is, the caller has to bound.
///
/// # Errors
///
/// See [`Error`]; a response with an error status is a response.
pub async fn open(
    request: Request<Bytes>,
    limit: Duration,
) -> Result<Response<IncomingBody>, Error> {
    let host = host(&request);
    let response = timeout(limit, exchange::send(request))
        .await
        .ok_or_else(|| Error::Timeout(host.clone()))?
        .map_err(|error| failed(&host, error))?;
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

/// Returns the host alone: an authority may carry credentials, and a message must not.
fn host(request: &Request<Bytes>) -> String {
    let authority = request.uri().authority();
    authority.map_or_else(String::new, |authority| authority.host().to_owned())
}

fn failed(host: &str, error: ExchangeError) -> Error {
    let host = host.to_owned();
    match error {
        ExchangeError::Denied => Error::Denied(host),
        ExchangeError::Blocked => Error::Blocked(host),
        ExchangeError::Failed(code) => Error::Unreachable(host, code),
    }
}

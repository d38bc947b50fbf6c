//! Outbound HTTP within bounds.

use bytes::Bytes;
use http::{Request, Response};
use oidc::{Http, SendError};
use platform::http_client::{self, Bounds, Error};
use std::time::Duration;

/// The platform's HTTP client: ten seconds and 256 KB an answer, and no redirect is followed.
pub struct Outbound;

impl Http for Outbound {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        http_client::send(request, BOUNDS)
            .await
            .map_err(|error| match error {
                Error::Denied(_) => SendError::Denied(error.to_string()),
                _ => SendError::Failed(error.to_string()),
            })
    }
}

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(10),
    size: 256 * 1024,
};

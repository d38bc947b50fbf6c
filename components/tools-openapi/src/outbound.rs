//! Requests to the API.

use bytes::Bytes;
use http::{Request, Response};
use openapi::{Bounds, Http, SendError};
use platform::http_client::{self, Error};
use platform::time::elapsed;
use std::time::Duration;

/// The platform's HTTP client, which follows no redirect.
pub(crate) struct Outbound;

impl Http for Outbound {
    fn now(&self) -> Duration {
        elapsed()
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        Bounds { time, size }: Bounds,
    ) -> Result<Response<Bytes>, SendError> {
        let bounds = http_client::Bounds { time, size };
        http_client::send(request, bounds)
            .await
            .map_err(|error| match error {
                Error::Denied(_) | Error::Blocked(_) => SendError::Denied(error.to_string()),
                Error::TooLarge(_, size) => SendError::TooLarge(size),
                _ => SendError::Failed(error.to_string()),
            })
    }
}

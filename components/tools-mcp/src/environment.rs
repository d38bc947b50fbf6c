//! Outbound HTTP, time and spawned work of the platform.

use bytes::Bytes;
use http::{Request, Response};
use mcp_client::{Environment, SendError};
use platform::http_client::{self, Error, IncomingBody};
use std::time::Duration;

/// The platform.
pub(crate) struct Platform;

impl Environment for Platform {
    type Body = IncomingBody;

    const SESSION_IDLE: Duration = if platform::OUTLIVES_A_REQUEST {
        Duration::from_secs(10)
    } else {
        Duration::ZERO
    };

    async fn open(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<Response<IncomingBody>, SendError> {
        http_client::open(request, limit)
            .await
            .map_err(|error| match error {
                Error::Denied(_) => SendError::Denied(format!(
                    "{error}; add it to the allowed_outbound_hosts of the component"
                )),
                Error::Blocked(_) => SendError::Denied(error.to_string()),
                Error::Timeout(_) => SendError::TimedOut,
                Error::Unreachable(_, reason) => SendError::Unreachable(reason),
                Error::TooLarge(..) => SendError::Unreachable(error.to_string()),
            })
    }

    fn elapsed(&self) -> Duration {
        platform::time::elapsed()
    }

    fn random(&self) -> u64 {
        rand::random()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        platform::time::sleep(duration)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        platform::spawn(work);
    }
}

//! Bodies of responses that are cut at a deadline.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// What the log says of a request that is cut.
pub(crate) const CUT: &str = "its request took too long and was cut";

/// A body that fails at its deadline. What ends with its instance, which ends then, too, is not taken for complete.
pub(crate) struct DeadlineBody {
    /// Gone once it is cut.
    body: Option<WasiBody>,
    sleep: Pin<Box<Sleep>>,
}

impl DeadlineBody {
    pub(crate) fn new(body: WasiBody, deadline: Instant) -> Self {
        Self {
            body: Some(body),
            sleep: Box::pin(tokio::time::sleep_until(deadline)),
        }
    }
}

impl Body for DeadlineBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        if self.sleep.as_mut().poll(context).is_ready() {
            self.body = None;
            return Poll::Ready(Some(Err(Error::HttpResponseTimeout)));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::stream;
    use http_body_util::{BodyExt, Empty, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_is_cut_at_its_deadline() {
        let endless = BodyExt::boxed_unsync(StreamBody::new(stream::pending()));
        let deadline = Instant::now() + Duration::from_millis(10);
        let mut body = DeadlineBody::new(endless, deadline);
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_ends_at_its_deadline_is_not_complete() {
        let empty = || Empty::new().map_err(|never| match never {}).boxed_unsync();
        // A timer rounds up to its next millisecond.
        let passed = Instant::now() - Duration::from_millis(10);
        let mut body = DeadlineBody::new(empty(), passed);
        assert!(body.frame().await.unwrap().is_err());
        let later = Instant::now() + Duration::from_secs(3600);
        assert!(DeadlineBody::new(empty(), later).frame().await.is_none());
    }
}

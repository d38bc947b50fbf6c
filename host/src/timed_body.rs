//! Bodies with a timeout between chunks.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// A body that fails if it pauses for too long, or comes too slowly. Time in which no one asks for more
/// does not count.
pub(crate) struct TimedBody<B> {
    /// Gone once it has failed, and the connection with it.
    body: Option<B>,
    idle_timeout: Duration,
    least_rate: Option<LeastRate>,
    received: u64,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

struct LeastRate {
    /// What the whole body may take before any of its bytes is counted.
    timeout: Duration,
    bytes_per_second: u64,
}

impl<B> TimedBody<B> {
    /// A body that may pause for so long at most.
    pub(crate) fn new(body: B, idle_timeout: Duration) -> Self {
        Self {
            body: Some(body),
            idle_timeout,
            least_rate: None,
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// The same, and in all it may take `timeout` and a second for every `bytes_per_second` bytes.
    pub(crate) fn with_least_rate(self, timeout: Duration, bytes_per_second: u32) -> Self {
        let bytes_per_second = u64::from(bytes_per_second.max(1));
        Self {
            least_rate: Some(LeastRate {
                timeout,
                bytes_per_second,
            }),
            ..self
        }
    }

    /// How long the next part may take.
    fn timeout(&self) -> Duration {
        let Some(rate) = &self.least_rate else {
            return self.idle_timeout;
        };
        let earned = Duration::from_secs(self.received / rate.bytes_per_second);
        let left = (rate.timeout + earned).saturating_sub(self.waited);
        left.min(self.idle_timeout)
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for TimedBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            if let Some((since, _)) = self.waiting.take() {
                self.waited += since.elapsed();
            }
            if let Some(Ok(frame)) = &frame {
                self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame);
        }
        let timeout = self.timeout();
        let (_, sleep) = self
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(timeout))));
        ready!(sleep.as_mut().poll(context));
        self.body = None;
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
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
    use futures::{StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::limits::Limits;

    const SHORT: Duration = Duration::from_millis(20);

    /// A request's body with the limits that ship.
    fn of_request<B>(body: B) -> TimedBody<B> {
        Limits::default().timed(body)
    }

    /// How long a body with this many bytes a second is waited for, in seconds, at most a thousand.
    fn seconds(bytes: u64) -> u64 {
        let mut body = of_request(());
        for second in 0..1000 {
            if body.timeout().is_zero() {
                return second;
            }
            body.received += bytes;
            body.waited += Duration::from_secs(1);
        }
        1000
    }

    #[test]
    fn a_body_of_a_byte_a_second_is_given_up_and_one_at_the_least_rate_is_not() {
        assert_eq!(seconds(0), Limits::default().body_timeout.as_secs());
        assert_eq!(seconds(1), Limits::default().body_timeout.as_secs());
        assert_eq!(
            seconds(u64::from(Limits::default().body_bytes_per_second)),
            1000
        );
    }

    #[test]
    fn a_body_may_pause_for_so_long_however_much_it_has_sent() {
        let mut body = of_request(());
        body.received = u64::MAX;
        assert_eq!(body.timeout(), Limits::default().body_idle_timeout);
    }

    #[tokio::test]
    async fn a_body_that_pauses_for_too_long_fails_once_and_ends() {
        let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"a")))]);
        let parts = first.chain(stream::pending());
        let mut body = TimedBody::new(StreamBody::new(parts), SHORT);
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn time_in_which_no_one_reads_does_not_count() {
        let parts = stream::iter((0..3).map(|_| Ok(Frame::data(Bytes::from_static(b"a")))));
        let mut body = TimedBody::new(StreamBody::new(parts), SHORT);
        while let Some(frame) = body.frame().await {
            frame.unwrap();
            tokio::time::sleep(2 * SHORT).await;
        }
    }
}

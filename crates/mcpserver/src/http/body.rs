//! Response bodies: whole, or server-sent events.

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{FutureExt, Stream};
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, Collected};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A response's body.
#[derive(Debug)]
pub enum Body {
    /// The whole body; `None` once it was sent.
    Whole(Option<Bytes>),
    /// Server-sent events.
    Events(mpsc::Receiver<String>),
}

impl Body {
    /// Returns a whole body.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(events) => Pin::new(events)
                .poll_next(cx)
                .map(|event| event.map(|event| Ok(Frame::data(event.into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Self::Events(_) => http_body::SizeHint::default(),
        }
    }
}

/// Converts a response of `web`.
pub(crate) fn from_web(response: web::Response) -> Response<Body> {
    // The body is whole, so it is ready at once.
    response.map(|body| {
        let bytes = body.collect().now_or_never().and_then(Result::ok);
        Body::whole(bytes.map(Collected::to_bytes).unwrap_or_default())
    })
}

/// The sender of events into a body.
#[derive(Debug)]
pub(crate) struct EventSender(mpsc::Sender<String>);

/// A body of events, and the sender of them.
pub(crate) fn events() -> (EventSender, Body) {
    // A small buffer, so that a client that does not read slows its tool down.
    let (sender, receiver) = mpsc::channel(16);
    (EventSender(sender), Body::Events(receiver))
}

impl EventSender {
    /// Sends an event, as SSE text. Returns `false` once the reader is gone.
    pub(crate) async fn send(&mut self, event: String) -> bool {
        futures::SinkExt::send(&mut self.0, event).await.is_ok()
    }
}

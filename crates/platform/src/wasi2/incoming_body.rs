//! The body of a request or response that comes from the host.

use super::bindings::wasi::http::types::{
    Headers, IncomingBody as WasiBody, IncomingRequest, IncomingResponse,
};
use super::bindings::wasi::io::streams::{InputStream, StreamError};
use super::tasks::Subscription;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Bytes that are read at once.
const READ_BYTES: u64 = 64 * 1024;

/// The connection broke before the body's end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body broke off")]
pub struct BrokenOff;

/// The body of a message. Nothing of it is asked of the host before it is first polled.
pub struct IncomingBody<M> {
    /// Dropped before the message.
    state: State,
    message: M,
    /// The message's Content-Length.
    length: Option<u64>,
}

enum State {
    Unread,
    Reading(Reading),
    Ended,
}

/// The order is that of the drops: a child before its parent.
struct Reading {
    readable: Option<Subscription>,
    stream: InputStream,
    _body: WasiBody,
}

impl<M: Message> IncomingBody<M> {
    pub(crate) fn new(message: M, headers: &HeaderMap) -> Self {
        let length = headers.get(CONTENT_LENGTH);
        Self {
            state: State::Unread,
            length: length.and_then(|value| value.to_str().ok()?.parse().ok()),
            message,
        }
    }
}

impl<M: Message + Unpin> Body for IncomingBody<M> {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        if matches!(this.state, State::Unread) {
            match Reading::begin(&this.message) {
                Ok(reading) => this.state = State::Reading(reading),
                Err(broken) => {
                    this.state = State::Ended;
                    return Poll::Ready(Some(Err(broken)));
                }
            }
        }
        let State::Reading(reading) = &mut this.state else {
            return Poll::Ready(None);
        };
        let read = ready!(reading.poll_read(cx));
        if !matches!(read, Some(Ok(_))) {
            this.state = State::Ended;
        }
        Poll::Ready(read.map(|read| read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        if let Some(length) = self.length {
            hint.set_upper(length);
        }
        hint
    }
}

impl Reading {
    fn begin(message: &impl Message) -> Result<Self, BrokenOff> {
        let body = message.consume().map_err(|()| BrokenOff)?;
        let stream = body.stream().map_err(|()| BrokenOff)?;
        Ok(Self {
            readable: None,
            stream,
            _body: body,
        })
    }

    fn poll_read(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        loop {
            match self.stream.read(READ_BYTES) {
                Ok(read) if !read.is_empty() => return Poll::Ready(Some(Ok(read.into()))),
                Ok(_) => {}
                Err(StreamError::Closed) => return Poll::Ready(None),
                Err(StreamError::LastOperationFailed(_)) => {
                    return Poll::Ready(Some(Err(BrokenOff)));
                }
            }
            let readable = self
                .readable
                .get_or_insert_with(|| Subscription::new(self.stream.subscribe()));
            ready!(readable.poll_ready(cx));
        }
    }
}

/// A message that has a body.
pub trait Message {
    /// Returns the body. It fails the second time.
    fn consume(&self) -> Result<WasiBody, ()>;
}

impl Message for IncomingRequest {
    fn consume(&self) -> Result<WasiBody, ()> {
        Self::consume(self)
    }
}

impl Message for IncomingResponse {
    fn consume(&self) -> Result<WasiBody, ()> {
        Self::consume(self)
    }
}

/// Returns the header fields.
///
/// # Errors
///
/// If a name or a value is not one of HTTP.
pub(crate) fn headers(fields: &Headers) -> Result<HeaderMap, http::Error> {
    let entries = fields.entries();
    let mut headers = HeaderMap::with_capacity(entries.len());
    for (name, value) in entries {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        headers.append(name, HeaderValue::from_maybe_shared(Bytes::from(value))?);
    }
    Ok(headers)
}

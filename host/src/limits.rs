//! Deadlines for reading a request, and the count of connections.
//!
//! A deadline is about what the client has yet to send. What it is sent, an event stream among it, may
//! take as long as it does.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::timed_body::TimedBody;

/// How many connections there may be at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;

/// How long the head of a request may take, from its first byte; the first one from the connection's start.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection without any request stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a body may pause.
const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a body may be waited for in all, besides the time that its bytes earn it.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// How many bytes earn a body another second.
const BODY_BYTES_PER_SECOND: u32 = 1024;

/// What clients may take of the host before they have sent their request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections there may be at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long the head of a request may take.
    pub head_timeout: Duration,
    /// How long a connection without any request stays open.
    pub idle_timeout: Duration,
    /// How long a body may pause.
    pub body_idle_timeout: Duration,
    /// How long a body may be waited for in all, besides the time that its bytes earn it.
    pub body_timeout: Duration,
    /// How many bytes earn a body another second of waiting.
    pub body_bytes_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: MAX_CONNECTIONS,
            head_timeout: HEAD_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            body_idle_timeout: BODY_IDLE_TIMEOUT,
            body_timeout: BODY_TIMEOUT,
            body_bytes_per_second: BODY_BYTES_PER_SECOND,
        }
    }
}

impl Limits {
    /// A request's body under these limits.
    pub(crate) fn timed<B>(&self, body: B) -> TimedBody<B> {
        TimedBody::new(body, self.body_idle_timeout)
            .with_least_rate(self.body_timeout, self.body_bytes_per_second)
    }
}

/// The requests of one connection.
#[derive(Default)]
pub(crate) struct Requests {
    /// How many are being answered.
    open: AtomicUsize,
    /// How many there have been.
    begun: AtomicUsize,
    /// The connection, which is idle once the last one is answered.
    reader: AtomicWaker,
}

impl Requests {
    /// Notes a request whose head is there.
    pub(crate) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.open.fetch_add(1, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        OpenRequest(self.clone())
    }
}

/// A request until its response is sent.
pub(crate) struct OpenRequest(Arc<Requests>);

impl OpenRequest {
    /// The body of the response, with which the request ends.
    pub(crate) fn until_sent(self, body: WasiBody) -> ResponseBody {
        ResponseBody {
            body,
            _request: self,
        }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.reader.wake();
        }
    }
}

/// A response's body that knows which request it ends.
pub(crate) struct ResponseBody {
    body: WasiBody,
    _request: OpenRequest,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a connection waits for.
#[derive(Clone, Copy)]
enum Phase {
    /// For the end of a response.
    Answering,
    /// For another request, since then.
    Idle(Instant),
    /// For the rest of a request's head, since then.
    Head(Instant),
}

/// A connection that fails to read once a deadline is over, of HTTP/1 and HTTP/2 alike.
pub(crate) struct TimedStream<S> {
    stream: S,
    limits: Limits,
    requests: Arc<Requests>,
    /// How many requests had begun when the phase was last looked at.
    seen: usize,
    phase: Phase,
    sleep: Pin<Box<Sleep>>,
}

impl<S> TimedStream<S> {
    pub(crate) fn new(stream: S, limits: Limits, requests: Arc<Requests>) -> Self {
        Self {
            stream,
            limits,
            requests,
            seen: 0,
            phase: Phase::Head(Instant::now()),
            sleep: Box::pin(tokio::time::sleep(limits.head_timeout)),
        }
    }

    /// When reading has to end; never while a request is answered.
    fn deadline(&mut self) -> Option<Instant> {
        let begun = self.requests.begun.load(Ordering::SeqCst);
        if self.requests.open.load(Ordering::SeqCst) > 0 {
            self.phase = Phase::Answering;
        } else if begun != self.seen || matches!(self.phase, Phase::Answering) {
            self.phase = Phase::Idle(Instant::now());
        }
        self.seen = begun;
        match self.phase {
            Phase::Answering => None,
            Phase::Idle(since) => since.checked_add(self.limits.idle_timeout),
            Phase::Head(since) => since.checked_add(self.limits.head_timeout),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            let over = this.deadline();
            match this.phase {
                Phase::Idle(_) if buffer.filled().len() > before => {
                    this.phase = Phase::Head(Instant::now());
                }
                // A byte now and then is always there in time, and the head is not.
                Phase::Head(_) if over.is_some_and(|over| over <= Instant::now()) => {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                _ => {}
            }
            return Poll::Ready(read);
        }
        // Before the look, so that no end of a request is missed.
        this.requests.reader.register(context.waker());
        let Some(deadline) = this.deadline() else {
            return Poll::Pending;
        };
        if this.sleep.deadline() != deadline {
            this.sleep.as_mut().reset(deadline);
        }
        ready!(this.sleep.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S> TimedStream<S> {
    /// A client that still takes the last response is not idle.
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Phase::Idle(since), Poll::Ready(Ok(1..))) = (&mut self.phase, &written) {
            *since = Instant::now();
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.wrote(written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    fn short() -> Limits {
        Limits {
            head_timeout: SHORT,
            idle_timeout: SHORT,
            body_idle_timeout: SHORT,
            ..Limits::default()
        }
    }

    #[tokio::test]
    async fn a_connection_ends_if_its_head_takes_too_long_even_byte_by_byte() {
        for pause in [SHORT / 10, Duration::from_secs(3600)] {
            let (mut client, server) = tokio::io::duplex(64);
            let mut server = TimedStream::new(server, short(), Arc::default());
            let client = tokio::spawn(async move {
                while client.write_all(b"G").await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            });
            let error = loop {
                if let Err(error) = server.read_u8().await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            client.abort();
        }
    }

    #[tokio::test]
    async fn a_connection_is_not_timed_while_it_is_answered_and_idle_after() {
        let (mut client, server) = tokio::io::duplex(64);
        let requests = Arc::new(Requests::default());
        let mut server = TimedStream::new(server, short(), requests.clone());
        client.write_all(b"G").await.unwrap();
        server.read_u8().await.unwrap();
        let request = requests.begin();
        let reading = tokio::spawn(async move { server.read_u8().await.map_err(|e| e.kind()) });
        tokio::time::sleep(5 * SHORT).await;
        assert!(!reading.is_finished());
        drop(request);
        assert_eq!(reading.await.unwrap(), Err(io::ErrorKind::TimedOut));
        drop(client);
    }
}

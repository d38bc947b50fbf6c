//! Request bodies: read within a size and at a least rate, or drained before a refusal is answered.
//!
//! A client that sends nothing, or a byte a second, holds a request for as long as it likes, and the
//! host has a bounded number of instances for all clients. [`Paced`] is put around the body where it
//! enters the component, so the rule holds for every reader. Time passes by a `sleep` that the caller
//! gives.

use bytes::{Buf, Bytes};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The least rate of a body.
struct Rate {
    /// After this time a body has to have [`bytes_per_tick`](Self::bytes_per_tick) or its end, and so
    /// many more after each further [`TICK`].
    grace: Duration,
    bytes_per_tick: u64,
    /// What came faster counts for so many ticks at most: otherwise a megabyte that is sent at once would
    /// earn minutes of silence.
    max_saved_ticks: u64,
    /// After this time the body is given up, however it comes.
    max_time: Duration,
}

const TICK: Duration = Duration::from_secs(1);

const WANTED: Rate = Rate {
    grace: Duration::from_secs(5),
    bytes_per_tick: 4 * 1024,
    max_saved_ticks: 10,
    // The limit of its size bounds its time.
    max_time: Duration::MAX,
};

/// Of an unwanted body, which is read so that its sender gets to read the answer.
const DRAINED: Rate = Rate {
    grace: Duration::from_secs(2),
    bytes_per_tick: 32 * 1024,
    max_saved_ticks: 2,
    max_time: Duration::from_secs(10),
};

/// Bytes that are read of an unwanted body.
const MAX_DRAINED_BYTES: u64 = 8 * 1024 * 1024;

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It has more bytes than these.
    #[error("The body may have {0} bytes.")]
    TooLarge(usize),
    /// It came more slowly than the least rate, or did not go on.
    #[error("The body came too slowly.")]
    TooSlow,
    /// The connection broke.
    #[error("The request broke off.")]
    BrokenOff,
    /// It has a content coding (RFC 9110 section 8.4), none of which is understood here.
    #[error("The body has a Content-Encoding: send it without one.")]
    Encoded,
}

impl ReadError {
    /// Returns the status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// Returns the answer with what this takes: 415 for a content coding names the codings that are understood
    /// (RFC 9110 section 12.5.3).
    pub fn respond<B>(self, mut response: http::Response<B>) -> http::Response<B> {
        if self == Self::Encoded {
            let identity = HeaderValue::from_static("identity");
            response.headers_mut().insert(ACCEPT_ENCODING, identity);
        }
        response
    }
}

/// Reads a body of at most `limit` bytes: as many as `Content-Length` says, or else all there are. Not
/// waiting for an end that is known saves a good part of what a short request costs.
///
/// # Errors
///
/// See [`ReadError`]. A body is [too slow](ReadError::TooSlow) only if it is [`Paced`].
pub async fn read_body<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Bytes, ReadError>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let expected: Option<u64> = announced.or_else(|| expected_size(&body));
    if expected != Some(0) && is_encoded(headers) {
        return Err(ReadError::Encoded);
    }
    if expected.is_some_and(|size| size > limit as u64) {
        return Err(ReadError::TooLarge(limit));
    }
    let mut body = pin!(body);
    let mut read: Vec<u8> = Vec::new();
    while let Some(frame) = body.as_mut().frame().await {
        let frame = frame.map_err(|error| why_broken(error.into()))?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        let size = data.remaining();
        if read.is_empty() && expected == Some(size as u64) && size <= limit {
            return Ok(data.copy_to_bytes(size));
        }
        if read.len() + size > limit {
            return Err(ReadError::TooLarge(limit));
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            read.extend_from_slice(chunk);
            let taken = chunk.len();
            data.advance(taken);
        }
        if expected == Some(read.len() as u64) {
            break;
        }
    }
    Ok(read.into())
}

/// Whether the body has a content coding other than `identity`.
fn is_encoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

fn expected_size(body: &impl Body) -> Option<u64> {
    // WASI's bodies give their Content-Length as the upper bound.
    body.size_hint().upper()
}

fn why_broken(error: BoxError) -> ReadError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
    while let Some(error) = cause {
        if let Some(known) = error.downcast_ref::<ReadError>() {
            return *known;
        }
        cause = error.source();
    }
    ReadError::BrokenOff
}

/// A body that fails with [`ReadError::TooSlow`] if it comes more slowly than the least rate.
///
/// Time counts from the first read that has to wait.
pub struct Paced<B, S, T>
where
    B: Body + Unpin,
{
    /// Absent once it has ended or failed.
    body: Option<B>,
    expected: Option<u64>,
    read: u64,
    sleep: S,
    timer: Option<Pin<Box<T>>>,
    pace: Pace,
    rest: Rest<B>,
}

/// How a body has come until now, by the ticks of a timer.
struct Pace {
    rate: &'static Rate,
    /// The time that the timer has measured.
    passed: Duration,
    /// Bytes that came and that no tick has taken.
    saved: u64,
}

impl Pace {
    fn new(rate: &'static Rate) -> Self {
        Self {
            rate,
            passed: Duration::ZERO,
            saved: 0,
        }
    }

    fn add(&mut self, bytes: usize) {
        let most = self.rate.bytes_per_tick * self.rate.max_saved_ticks;
        self.saved = self.saved.saturating_add(bytes as u64).min(most);
    }

    /// Returns the time until the next tick.
    fn wait(&self) -> Duration {
        if self.passed.is_zero() {
            self.rate.grace
        } else {
            TICK
        }
    }

    /// Counts the time that was waited. Returns whether the body may go on.
    fn tick(&mut self) -> bool {
        self.passed += self.wait();
        let left = self.saved.checked_sub(self.rate.bytes_per_tick);
        self.saved = left.unwrap_or_default();
        left.is_some() && self.passed < self.rate.max_time
    }
}

/// What the reader of a [`Paced`] body has left unread, once it has dropped it.
pub struct Rest<B>(Arc<Mutex<Option<B>>>);

impl<B, S, T> Paced<B, S, T>
where
    B: Body + Unpin,
    S: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    /// Returns the body, at the least rate by the clock of `sleep`, and what will be left of it.
    pub fn new(body: B, sleep: S) -> (Self, Rest<B>) {
        let rest = Arc::new(Mutex::new(None));
        let paced = Self {
            expected: expected_size(&body),
            body: Some(body),
            read: 0,
            sleep,
            timer: None,
            pace: Pace::new(&WANTED),
            rest: Rest(Arc::clone(&rest)),
        };
        (paced, Rest(rest))
    }

    /// Ready when the body is too slow.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let timer = match &mut self.timer {
                Some(timer) => timer,
                None => {
                    let timer = (self.sleep)(self.pace.wait());
                    self.timer.insert(Box::pin(timer))
                }
            };
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
            if !self.pace.tick() {
                return Poll::Ready(());
            }
        }
    }
}

impl<B, S, T> Body for Paced<B, S, T>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
    S: Fn(Duration) -> T + Unpin,
    T: Future<Output = ()>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        let frame = match Pin::new(body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(this.poll_too_slow(cx));
                this.body = None;
                return Poll::Ready(Some(Err(ReadError::TooSlow.into())));
            }
        };
        match frame {
            Some(Ok(frame)) => {
                let size = frame.data_ref().map_or(0, Buf::remaining);
                this.read += size as u64;
                this.pace.add(size);
                Poll::Ready(Some(Ok(frame)))
            }
            end => {
                this.body = None;
                this.timer = None;
                Poll::Ready(end.map(|broken| broken.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl<B, S, T> Drop for Paced<B, S, T>
where
    B: Body + Unpin,
{
    fn drop(&mut self) {
        let body = self.body.take();
        // All that was announced has been read, though the end was not read.
        let is_read = self.expected == Some(self.read);
        *lock(&self.rest) = body.filter(|body| !is_read && !body.is_end_stream());
    }
}

impl<B: Body + Unpin> Rest<B> {
    /// Reads what is left, within bounds of time and size, and drops it: a client that is still sending
    /// reads no answer, and one whose connection is closed at once may never get to see it; a proxy
    /// makes a 502 of that. Afterwards the host closes the connection, unless the body came to its end.
    pub async fn drain<T: Future<Output = ()>>(self, sleep: impl Fn(Duration) -> T) {
        let Some(mut body) = lock(&self).take() else {
            return;
        };
        let mut timer = pin!(None);
        let mut pace = Pace::new(&DRAINED);
        let mut drained = 0;
        std::future::poll_fn(|cx| {
            loop {
                match Pin::new(&mut body).poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        let size = frame.data_ref().map_or(0, Buf::remaining);
                        pace.add(size);
                        drained += size as u64;
                        if drained > MAX_DRAINED_BYTES {
                            return Poll::Ready(());
                        }
                        continue;
                    }
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
                if timer.is_none() {
                    timer.set(Some(sleep(pace.wait())));
                }
                if let Some(timer) = timer.as_mut().as_pin_mut() {
                    ready!(timer.poll(cx));
                }
                timer.set(None);
                if !pace.tick() {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }
}

fn lock<B>(rest: &Rest<B>) -> std::sync::MutexGuard<'_, Option<B>> {
    rest.0.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::Full;
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// Sends one chunk in each second of its clock, and then nothing, or its end.
    struct Dripping {
        clock: Arc<AtomicU64>,
        chunks: VecDeque<(u64, usize)>,
        ends: bool,
        size: Option<u64>,
    }

    impl Body for Dripping {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let now = self.clock.load(Relaxed);
            match self.chunks.front() {
                Some((at, size)) if *at <= now => {
                    let chunk = vec![b'x'; *size];
                    self.chunks.pop_front();
                    Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
                }
                None if self.ends => Poll::Ready(None),
                _ => Poll::Pending,
            }
        }

        fn size_hint(&self) -> SizeHint {
            let mut hint = SizeHint::new();
            if let Some(size) = self.size {
                hint.set_upper(size);
            }
            hint
        }
    }

    struct World {
        clock: Arc<AtomicU64>,
    }

    impl World {
        fn new() -> Self {
            Self {
                clock: Arc::default(),
            }
        }

        fn body(&self, chunks: impl IntoIterator<Item = (u64, usize)>, ends: bool) -> Dripping {
            Dripping {
                clock: Arc::clone(&self.clock),
                chunks: chunks.into_iter().collect(),
                ends,
                size: None,
            }
        }

        /// Time passes second by second, and only for those who wait.
        fn sleep(&self) -> impl Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + use<> {
            let clock = Arc::clone(&self.clock);
            move |duration| {
                let clock = Arc::clone(&clock);
                let until = clock.load(Relaxed) + duration.as_secs();
                Box::pin(std::future::poll_fn(move |cx| {
                    if clock.load(Relaxed) >= until {
                        return Poll::Ready(());
                    }
                    clock.fetch_add(1, Relaxed);
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }))
            }
        }

        fn now(&self) -> u64 {
            self.clock.load(Relaxed)
        }

        fn read(&self, body: Dripping, limit: usize) -> Result<usize, ReadError> {
            let (paced, _rest) = Paced::new(body, self.sleep());
            block_on(read_body(&HeaderMap::new(), paced, limit)).map(|read| read.len())
        }
    }

    #[test]
    fn a_body_that_never_comes_is_given_up() {
        let world = World::new();
        let read = world.read(world.body([], false), 100);
        assert_eq!(read, Err(ReadError::TooSlow));
        assert_eq!(world.now(), 5);
    }

    #[test]
    fn a_body_of_a_byte_a_second_is_given_up() {
        let world = World::new();
        let drip = world.body((0..1_000).map(|second| (second, 1)), true);
        assert_eq!(world.read(drip, 10_000), Err(ReadError::TooSlow));
        assert_eq!(world.now(), 5);
    }

    #[test]
    fn a_body_at_the_least_rate_is_read_and_a_slower_one_is_not() {
        let world = World::new();
        let rate = WANTED.bytes_per_tick as usize;
        let enough = world.body((0..60).map(|second| (second, rate)), true);
        assert_eq!(world.read(enough, 60 * rate), Ok(60 * rate));
        let world = World::new();
        let less = world.body((0..60).map(|second| (second, rate / 2)), true);
        assert_eq!(world.read(less, 60 * rate), Err(ReadError::TooSlow));
        assert!(world.now() < 12);
    }

    #[test]
    fn a_body_that_came_fast_may_pause_for_seconds_and_not_for_minutes() {
        const MEGABYTE: usize = 1024 * 1024;
        let world = World::new();
        let pauses = world.body([(0, MEGABYTE - 1), (14, 1)], true);
        assert_eq!(world.read(pauses, MEGABYTE), Ok(MEGABYTE));
        // A byte a second is no better than silence.
        let drip = (1..1_000).map(|second| (second, 1));
        for then in [vec![], drip.collect()] {
            let world = World::new();
            let chunks = std::iter::once((0, MEGABYTE / 2)).chain(then);
            let stops = world.body(chunks, false);
            assert_eq!(world.read(stops, MEGABYTE), Err(ReadError::TooSlow));
            assert_eq!(world.now(), 15);
        }
    }

    #[test]
    fn a_short_body_that_comes_late_is_read() {
        let world = World::new();
        assert_eq!(world.read(world.body([(4, 10)], true), 100), Ok(10));
    }

    #[test]
    fn a_body_of_known_size_is_not_waited_on_for_its_end() {
        let world = World::new();
        let mut body = world.body([(0, 4), (0, 6)], false);
        body.size = Some(10);
        let (paced, rest) = Paced::new(body, world.sleep());
        assert_eq!(
            block_on(read_body(&HeaderMap::new(), paced, 100))
                .unwrap()
                .len(),
            10
        );
        block_on(rest.drain(world.sleep()));
        assert_eq!(world.now(), 0);
    }

    #[test]
    fn a_body_with_a_content_coding_is_415_and_the_answer_names_identity() {
        let read = |codings: &[&'static str], body: &'static [u8]| {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
            let body = Full::new(Bytes::from_static(body));
            block_on(read_body(&headers, body, 100)).map(|read| read.len())
        };
        for codings in [&[][..], &["identity"], &["Identity", ""], &[" "]] {
            assert_eq!(read(codings, b"{}"), Ok(2), "{codings:?}");
        }
        for codings in [
            &["gzip"][..],
            &["br"],
            &["identity, GZIP"],
            &["identity", "deflate"],
            &["zstd"],
        ] {
            let refused = read(codings, b"{}");
            assert_eq!(refused, Err(ReadError::Encoded), "{codings:?}");
            // There is nothing that could be encoded.
            assert_eq!(read(codings, b""), Ok(0));
        }
        assert_eq!(ReadError::Encoded.status(), 415);
        let response = ReadError::Encoded.respond(http::Response::new(()));
        assert_eq!(response.headers()["accept-encoding"], "identity");
        let other = ReadError::TooSlow.respond(http::Response::new(()));
        assert!(other.headers().is_empty());
    }

    #[test]
    fn a_body_over_the_limit_is_refused_however_it_comes() {
        let world = World::new();
        let refused = Err(ReadError::TooLarge(10));
        assert_eq!(world.read(world.body([(0, 11)], true), 10), refused);
        assert_eq!(world.read(world.body([(0, 6), (0, 6)], true), 10), refused);
        let mut announced = world.body([], false);
        announced.size = Some(11);
        assert_eq!(world.read(announced, 10), refused);
        let full = Full::new(Bytes::from(vec![0; 10]));
        assert_eq!(
            block_on(read_body(&HeaderMap::new(), full, 10))
                .unwrap()
                .len(),
            10
        );
    }

    /// Returns the time after which a body that sends these chunks is given up.
    fn drained_for(chunks: impl IntoIterator<Item = (u64, usize)>, ends: bool) -> u64 {
        let world = World::new();
        let (paced, rest) = Paced::new(world.body(chunks, ends), world.sleep());
        drop(paced);
        block_on(rest.drain(world.sleep()));
        world.now()
    }

    #[test]
    fn an_unwanted_body_is_drained_for_a_bounded_time() {
        let rate = DRAINED.bytes_per_tick as usize;
        assert_eq!(drained_for([], false), 2);
        assert_eq!(drained_for([(0, 1)], false), 2);
        // A byte a second does not prolong it.
        assert_eq!(drained_for((0..100).map(|second| (second, 1)), false), 2);
        // Nor does it go on for long, however well it comes.
        let at_the_rate = (0..60).map(|second| (second, rate));
        assert_eq!(drained_for(at_the_rate, true), 10);
        let faster = (0..60).map(|second| (second, 4 * rate));
        assert_eq!(drained_for(faster, true), 10);
    }

    #[test]
    fn nearly_all_of_an_unwanted_body_at_once_earns_it_seconds_and_no_minutes() {
        let nearly_all = MAX_DRAINED_BYTES as usize - 1;
        assert_eq!(drained_for([(0, nearly_all)], false), 4);
        let drip = (1..300).map(|second| (second, 1));
        let drips = std::iter::once((0, nearly_all / 2)).chain(drip);
        assert_eq!(drained_for(drips, false), 4);
    }

    #[test]
    fn an_unwanted_body_that_comes_at_its_rate_is_drained_to_its_end() {
        let rate = DRAINED.bytes_per_tick as usize;
        let seconds = (0..9).map(|second| (second, rate));
        assert_eq!(drained_for(seconds, true), 8);
        // It may pause.
        assert_eq!(drained_for([(0, 100 * rate), (3, 1)], true), 3);
    }

    #[test]
    fn an_unwanted_body_is_drained_up_to_a_bounded_size() {
        let world = World::new();
        let chunk = 64 * 1024;
        let body = world.body((0..10_000).map(|_| (0, chunk)), false);
        let (paced, rest) = Paced::new(body, world.sleep());
        drop(paced);
        block_on(rest.drain(world.sleep()));
        assert_eq!(world.now(), 0);
    }

    #[test]
    fn an_unwanted_body_that_is_complete_takes_no_time() {
        let world = World::new();
        for chunks in [vec![], vec![(0, 100)]] {
            let (paced, rest) = Paced::new(world.body(chunks, true), world.sleep());
            drop(paced);
            block_on(rest.drain(world.sleep()));
        }
        assert_eq!(world.now(), 0);
    }

    #[test]
    fn a_body_that_was_too_slow_is_not_drained() {
        let world = World::new();
        let (paced, rest) = Paced::new(world.body([], false), world.sleep());
        block_on(read_body(&HeaderMap::new(), paced, 100)).unwrap_err();
        block_on(rest.drain(world.sleep()));
        assert_eq!(world.now(), 5);
    }
}

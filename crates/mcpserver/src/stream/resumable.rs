//! Streams that outlive their connection (2025-11-25, Transports, Resumability and Redelivery).
//!
//! Every event of such a stream has an id, sealed for the person and the session. Nothing is stored
//! while the connection lasts. Once it is closed, by the server when `stream_seconds` are over or by the
//! network, events go into the store. A client that sends `Last-Event-ID` to any instance gets the events
//! after that one.
//!
//! Events are in a ring of [`RING_SIZE`] slots beside one record, so that a stream is bounded and one line
//! in the ledger of the sweep covers all of it. A client that stays away too long loses the oldest events.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `mcp-stream:<id>` | that the stream lives, and its first event there | when its connection ends, then once a minute |
//! | `mcp-stream:<id>.0` to `.63` | an event or a part of one, sealed | at each event |

use crate::context::Context;
use crate::http::body::{EventSender, events};
use crate::http::grant_watch::{Authority, GrantWatch};
use crate::http::rejection::Rejection;
use crate::http::response::event_stream;
use crate::rate_limit;
use crate::stream::poll_loop::{Poll, Polled, poll_loop};
use crate::stream::ring_seal::RingSeal;
use crate::stream::timing::{HEARTBEAT_INTERVAL, KEEP_ALIVE_INTERVAL, RETRY_MILLISECONDS, pace};
use crate::{Body, Environment, Parts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use keys::Purpose;
use mcp::{Error, ErrorCode, Revision, sse};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use store::Record;
use store::ring::{self, Read, Ring, part_count};

const STREAM: Purpose = Purpose("mcp stream");
const EVENT: Purpose = Purpose("mcp stream event");

/// Parts of events that wait for a client that resumes the stream.
const RING_SIZE: u32 = 64;

/// Parts of one event.
const MAX_PARTS: u64 = 16;

/// Events before the end of a connection that may not have arrived.
const MAX_RECENT_EVENTS: usize = 16;

/// Bytes of these events.
const MAX_RECENT_BYTES: usize = 256 * 1024;

/// Seconds that a stream is kept after its last heartbeat or its end.
const STREAM_TTL: u64 = 300;

/// Seconds that an event is kept where the backend removes it by itself. Elsewhere it lives as long as its
/// stream, which the heartbeats of a long call prolong.
const MAX_SLOT_TTL: u64 = 3600;

/// How long a resumed stream waits for its writer to notice that the connection is gone.
const WRITER_TIMEOUT: Duration = Duration::from_secs(KEEP_ALIVE_INTERVAL.as_secs() + 5);

/// The record of a stream.
#[derive(Serialize, Deserialize)]
struct StreamRecord {
    /// The number of the first event in the store.
    first: u64,
}

impl Record for StreamRecord {
    const KIND: &'static str = "mcp-stream";
}

/// The id of a stream: the prefix of its events' ids, and the key of its record.
#[derive(Clone)]
struct StreamName {
    sealed: String,
    key: String,
}

impl StreamName {
    /// Returns the id of the event with this number.
    fn event(&self, number: u64) -> String {
        format!("{}.{number}", self.sealed)
    }
}

/// The client that reads a stream.
pub(crate) struct Reader<'a> {
    pub(crate) subject: &'a str,
    /// The name of the session.
    pub(crate) session: &'a str,
    pub(crate) revision: Revision,
}

impl Reader<'_> {
    fn context(&self) -> String {
        format!("{} {}", self.session, self.subject)
    }

    /// Returns whether the server may close the connection, and an event may be empty (from 2025-11-25
    /// on).
    fn polls(&self) -> bool {
        self.revision.polls()
    }
}

/// The writer of a stream.
pub(crate) struct Resumable {
    name: StreamName,
    person: String,
    /// `None` once the connection is closed.
    sender: Option<EventSender>,
    /// When the server closes the connection (seconds since the Unix epoch).
    closes_at: Option<u64>,
    /// The number of the last event, or of its last part.
    last: u64,
    /// Events that were sent and may not have arrived.
    recent: VecDeque<(u64, String)>,
    silent: Duration,
}

/// The streams that outlive their connections.
pub(crate) struct ResumableStreams<P: Parts> {
    context: Arc<Context<P>>,
    grants: Arc<GrantWatch<P>>,
}

impl<P: Parts> ResumableStreams<P> {
    pub(crate) fn new(context: Arc<Context<P>>, grants: Arc<GrantWatch<P>>) -> Self {
        Self { context, grants }
    }

    /// Opens a stream, whose connection lasts `stream_seconds` at most.
    pub(crate) async fn open(&self, reader: &Reader<'_>, stream_seconds: u64) -> (Resumable, Body) {
        let bytes: [u8; 16] = self.context.environment.random().random();
        let random = &mut self.context.environment.random();
        let keys = &self.context.config.keys;
        let name = StreamName {
            sealed: keys.seal(STREAM, reader.context().as_bytes(), &bytes, random),
            key: URL_SAFE_NO_PAD.encode(bytes),
        };
        let (mut sender, body) = events();
        if reader.polls() {
            // The client cannot be gone yet.
            sender
                .send(sse::priming(&name.event(0), RETRY_MILLISECONDS))
                .await;
        }
        let now = self.context.environment.now();
        let resumable = Resumable {
            name,
            person: rate_limit::person(reader.subject),
            sender: Some(sender),
            closes_at: reader.polls().then(|| now.saturating_add(stream_seconds)),
            last: 0,
            recent: VecDeque::new(),
            silent: Duration::ZERO,
        };
        (resumable, body)
    }

    /// Sends a message, or stores it for a client that resumes the stream. Returns `false` if neither is
    /// possible.
    pub(crate) async fn send(&self, stream: &mut Resumable, message: &str, is_last: bool) -> bool {
        let parts = part_count(message.len());
        if parts > MAX_PARTS {
            self.context
                .environment
                .log("mcp: a message is too large for a stream");
            return false;
        }
        let first = stream.last + 1;
        stream.last += parts;
        stream.silent = Duration::ZERO;
        let event = sse::message_with_id(&stream.name.event(stream.last), message);
        match &mut stream.sender {
            None => {
                let stored = self.store_event(stream, first, message, is_last).await;
                return self.logged(stored);
            }
            Some(sender) => {
                let is_sent = sender.send(event).await;
                stream.remember(first, message);
                if is_sent {
                    return is_last || self.close_in_time(stream).await;
                }
            }
        }
        let detached = self.detach(stream, is_last).await;
        self.logged(detached)
    }

    /// Keeps the stream alive after a wait of this length in which nothing was sent. Returns `false` if no
    /// client can read it any more.
    pub(crate) async fn keep_alive(&self, stream: &mut Resumable, waited: Duration) -> bool {
        stream.silent += waited;
        let Some(sender) = &mut stream.sender else {
            if stream.silent >= HEARTBEAT_INTERVAL {
                stream.silent = Duration::ZERO;
                let kept = self.keep_stream(stream).await;
                return self.logged(kept.map(|()| true));
            }
            return true;
        };
        if stream.silent >= KEEP_ALIVE_INTERVAL {
            stream.silent = Duration::ZERO;
            if !sender.send(sse::KEEP_ALIVE.to_owned()).await {
                let detached = self.detach(stream, false).await;
                return self.logged(detached);
            }
        }
        self.close_in_time(stream).await
    }

    /// Closes the connection if its time is over.
    async fn close_in_time(&self, stream: &mut Resumable) -> bool {
        let now = self.context.environment.now();
        if stream.closes_at.is_none_or(|closes_at| now < closes_at) {
            return true;
        }
        if let Some(sender) = &mut stream.sender {
            // The connection ends whether this arrives or not.
            sender.send(sse::retry(RETRY_MILLISECONDS)).await;
        }
        let detached = self.detach(stream, false).await;
        self.logged(detached)
    }

    /// Continues the stream in the store. Returns `false` if the person has too many such streams.
    async fn detach(&self, stream: &mut Resumable, is_last: bool) -> Result<bool, store::Error> {
        let now = self.context.environment.now();
        let store = &self.context.store;
        if !rate_limit::check(store, "mcp-stream-limit", &stream.person, now).await? {
            return Ok(false);
        }
        let recent = std::mem::take(&mut stream.recent);
        let first = recent.front().map_or(stream.last + 1, |(first, _)| *first);
        let key = &stream.name.key;
        self.context
            .store
            .create_with_slots(key, &StreamRecord { first }, RING_SIZE, now + STREAM_TTL)
            .await?;
        let newest = recent.back().map(|(first, _)| *first);
        for (first, message) in recent {
            let is_last = is_last && Some(first) == newest;
            self.store_event(stream, first, &message, is_last).await?;
        }
        stream.sender = None;
        Ok(true)
    }

    async fn store_event(
        &self,
        stream: &Resumable,
        first: u64,
        message: &str,
        is_last: bool,
    ) -> Result<bool, store::Error> {
        let until = self.context.environment.now() + MAX_SLOT_TTL;
        let ring = self.ring(&stream.name).until(until);
        for part in ring::split(first, message.as_bytes(), is_last) {
            let random = &mut self.context.environment.random();
            let sealed = self.seal(&stream.name).seal(&part, random);
            ring.write(&part, sealed).await?;
        }
        if is_last {
            // A client that resumes the stream has the whole time again.
            self.keep_stream(stream).await?;
        }
        Ok(true)
    }

    async fn keep_stream(&self, stream: &Resumable) -> Result<(), store::Error> {
        let now = self.context.environment.now();
        let key = &stream.name.key;
        let Some(log) = self.context.store.get::<StreamRecord>(key, now).await? else {
            return Ok(());
        };
        self.context
            .store
            .put(key, &log, Some(now + STREAM_TTL))
            .await
    }

    fn logged(&self, done: Result<bool, store::Error>) -> bool {
        done.unwrap_or_else(|error| {
            self.context
                .environment
                .log(&format!("mcp: a stream cannot be continued: {error}"));
            false
        })
    }

    fn ring(&self, name: &StreamName) -> Ring<'_, P::KeyValue> {
        Ring::of_record::<StreamRecord>(&self.context.store, &name.key, RING_SIZE)
    }

    fn seal<'a>(&'a self, name: &'a StreamName) -> RingSeal<'a> {
        RingSeal {
            keys: &self.context.config.keys,
            purpose: EVENT,
            ring: &name.key,
        }
    }

    /// Returns the events after the one with this id (GET with `Last-Event-ID`).
    ///
    /// # Errors
    ///
    /// Fails with a bad request if no event of the person's session has the id.
    pub(crate) async fn resume(
        self: &Arc<Self>,
        id: &str,
        reader: &Reader<'_>,
        authority: Authority,
        stream_seconds: u64,
    ) -> Result<Response<Body>, Rejection> {
        let (name, number) = self.open_event_id(id, reader).ok_or_else(|| {
            let reason = "Invalid Last-Event-ID: no event of this session has it.";
            Rejection::BadRequest(Error::new(ErrorCode::Refused, reason))
        })?;
        let (mut sender, body) = events();
        let mut closes_at = None;
        if reader.polls() {
            // The client cannot be gone yet.
            sender
                .send(sse::priming(&name.event(number), RETRY_MILLISECONDS))
                .await;
            closes_at = Some(
                self.context
                    .environment
                    .now()
                    .saturating_add(stream_seconds),
            );
        }
        let work = Arc::clone(self).deliver(name, number + 1, closes_at, authority, sender);
        self.context.environment.spawn(work);
        Ok(event_stream(body))
    }

    fn open_event_id(&self, id: &str, reader: &Reader<'_>) -> Option<(StreamName, u64)> {
        let (sealed, number) = id.rsplit_once('.')?;
        let context = reader.context();
        let bytes = self
            .context
            .config
            .keys
            .open(STREAM, context.as_bytes(), sealed);
        let bytes = bytes.ok()?;
        let name = StreamName {
            sealed: sealed.to_owned(),
            key: URL_SAFE_NO_PAD.encode(bytes),
        };
        let number: u64 = number.parse().ok()?;
        // No stream has so many events, and sums do not overflow.
        (number <= u64::from(u32::MAX)).then_some((name, number))
    }

    /// Sends the events from the number `next` on, until the stream ends or the client is gone.
    async fn deliver(
        self: Arc<Self>,
        name: StreamName,
        next: u64,
        closes_at: Option<u64>,
        authority: Authority,
        sender: EventSender,
    ) {
        let mut delivery = Delivery {
            streams: &*self,
            name: &name,
            reader: ring::Reader::new(next),
            closes_at,
            sender,
            is_known: false,
            idle: Duration::ZERO,
            silent: Duration::ZERO,
            since_record_read: HEARTBEAT_INTERVAL,
        };
        let polled = poll_loop(&self.context, &self.grants, authority, pace, &mut delivery);
        if let Err(error) = polled.await {
            self.context
                .environment
                .log(&format!("mcp: a stream ends early: {error}"));
        }
    }
}

/// The delivery of a resumed stream.
struct Delivery<'a, P: Parts> {
    streams: &'a ResumableStreams<P>,
    name: &'a StreamName,
    reader: ring::Reader,
    closes_at: Option<u64>,
    sender: EventSender,
    /// Whether the stream is in the store: its writer has noticed that the connection is gone.
    is_known: bool,
    /// The time since the last event.
    idle: Duration,
    /// The time since anything was sent.
    silent: Duration,
    since_record_read: Duration,
}

impl<P: Parts> Delivery<'_, P> {
    /// Sends an event. Returns the end of the delivery, if this was the last event or the client is gone.
    async fn send(&mut self, event: ring::Message) -> Polled<()> {
        let message = String::from_utf8(event.bytes).unwrap_or_default();
        let text = sse::message_with_id(&self.name.event(event.number), &message);
        let is_sent = self.sender.send(text).await;
        self.silent = Duration::ZERO;
        if event.is_last || !is_sent {
            return Polled::End(());
        }
        Polled::Found
    }

    /// Reads the stream's record, unless that was done a moment ago.
    async fn read_record(&mut self, now: u64) -> Result<Polled<()>, store::Error> {
        let interval = match self.is_known {
            true => HEARTBEAT_INTERVAL,
            false => Duration::from_millis(100),
        };
        if self.since_record_read < interval {
            return Ok(Polled::Nothing);
        }
        self.since_record_read = Duration::ZERO;
        let store = &self.streams.context.store;
        match store.get::<StreamRecord>(&self.name.key, now).await? {
            Some(log) => {
                self.is_known = true;
                if self.reader.next() < log.first {
                    self.reader.go_to(log.first);
                    return Ok(Polled::Found);
                }
                Ok(Polled::Nothing)
            }
            // The stream has died, or its writer never noticed that the connection was gone.
            None if self.is_known || self.idle >= WRITER_TIMEOUT => Ok(Polled::End(())),
            None => Ok(Polled::Nothing),
        }
    }
}

impl<P: Parts> Poll for Delivery<'_, P> {
    type End = ();

    async fn look(&mut self) -> Result<Polled<()>, store::Error> {
        let streams = self.streams;
        let now = streams.context.environment.now();
        if self.closes_at.is_some_and(|closes_at| now >= closes_at) {
            self.sender.send(sse::retry(RETRY_MILLISECONDS)).await;
            return Ok(Polled::End(()));
        }
        let ring = streams.ring(self.name);
        let seal = streams.seal(self.name);
        let open = |number, sealed: &str| seal.open(number, sealed);
        let read = self.reader.read(&ring, &open, now).await?;
        if !matches!(read, Read::Nothing) {
            self.idle = Duration::ZERO;
        }
        match read {
            Read::Nothing => self.read_record(now).await,
            Read::Part | Read::Lost { is_last: false } => Ok(Polled::Found),
            Read::Lost { is_last: true } => Ok(Polled::End(())),
            Read::Message(event) => Ok(self.send(event).await),
        }
    }

    async fn rest(&mut self, waited: Duration) -> Result<Option<()>, store::Error> {
        self.idle += waited;
        self.silent += waited;
        self.since_record_read += waited;
        if self.silent < KEEP_ALIVE_INTERVAL {
            return Ok(None);
        }
        self.silent = Duration::ZERO;
        let is_sent = self.sender.send(sse::KEEP_ALIVE.to_owned()).await;
        Ok((!is_sent).then_some(()))
    }

    fn grant_ended(&self) {}
}

impl Resumable {
    /// Keeps a message that was sent and may not have arrived.
    fn remember(&mut self, first: u64, message: &str) {
        self.recent.push_back((first, message.to_owned()));
        let mut bytes: usize = self.recent.iter().map(|(_, message)| message.len()).sum();
        while self.recent.len() > 1
            && (self.recent.len() > MAX_RECENT_EVENTS || bytes > MAX_RECENT_BYTES)
        {
            if let Some((_, message)) = self.recent.pop_front() {
                bytes -= message.len();
            }
        }
    }
}

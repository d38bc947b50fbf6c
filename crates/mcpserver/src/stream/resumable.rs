//! Streams that outlive their connection (2025-11-25, Transports, Resumability and Redelivery).
//!
//! Every event of such a stream has an id, sealed for the person and the session. Nothing is stored
//! while the connection lasts. Once it is closed, by the server when `stream_seconds` are over or by the
//! network, events go into the store. A client that sends `Last-Event-ID` to any instance gets the events
//! after that one.
//!
//! The records in the store are those of [`stored_stream`](crate::stream::stored_stream);
//! [`redelivery`](crate::stream::redelivery) sends them to a client that came back.

use crate::context::Context;
use crate::http::body::{EventSender, events};
use crate::http::grant_watch::{Authority, GrantWatch};
use crate::http::rejection::Rejection;
use crate::http::response::event_stream;
use crate::rate_limit;
use crate::stream::MAX_MESSAGE_PARTS;
use crate::stream::redelivery;
use crate::stream::stored_stream::{RING_SIZE, Reader, StreamName, StreamRecord};
use crate::stream::timing::{HEARTBEAT_INTERVAL, KEEP_ALIVE_INTERVAL, RETRY_MILLISECONDS};
use crate::{Body, Environment, Parts};
use http::Response;
use mcp::{Error, ErrorCode, sse};
use rand::RngExt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use store::ring::{self, part_count};

/// Events before the end of a connection that may not have arrived.
const MAX_RECENT_EVENTS: usize = 16;

/// Bytes of these events.
const MAX_RECENT_BYTES: usize = 256 * 1024;

/// Seconds that a stream is kept after its last heartbeat or its end.
const STREAM_TTL: u64 = 300;

/// Seconds that an event is kept where the backend removes it by itself. Elsewhere it lives as long as its
/// stream, which the heartbeats of a long call prolong.
const MAX_SLOT_TTL: u64 = 3600;

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
        let name = StreamName::new(keys, reader, bytes, random);
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
        if parts > MAX_MESSAGE_PARTS {
            log_line::write("mcp: a message is too large for a stream");
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
        let ring = stream.name.ring(&self.context.store).until(until);
        for part in ring::split(first, message.as_bytes(), is_last) {
            let random = &mut self.context.environment.random();
            let seal = stream.name.seal(&self.context.config.keys);
            let sealed = seal.seal(&part, random);
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
            log_line::write(format_args!("mcp: a stream cannot be continued: {error}"));
            false
        })
    }

    /// Returns the events after the one with this id (GET with `Last-Event-ID`).
    ///
    /// # Errors
    ///
    /// Fails with a bad request if no event of the person's session has the id.
    pub(crate) async fn resume(
        &self,
        id: &str,
        reader: &Reader<'_>,
        authority: Authority,
        stream_seconds: u64,
    ) -> Result<Response<Body>, Rejection> {
        let keys = &self.context.config.keys;
        let (name, number) = StreamName::of_event(keys, reader, id).ok_or_else(|| {
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
        let (context, grants) = (self.context.clone(), self.grants.clone());
        let next = number + 1;
        let work = redelivery::run(context, grants, authority, name, next, closes_at, sender);
        self.context.environment.spawn(work);
        Ok(event_stream(body))
    }
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

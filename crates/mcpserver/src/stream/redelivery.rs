//! Redelivery of a resumable stream (2025-11-25, Transports, Resumability and Redelivery): its events from the store
//! to a client that came back.

use crate::context::Context;
use crate::http::body::EventSender;
use crate::http::grant_watch::{Authority, GrantWatch};
use crate::stream::poll_loop::{Poll, Polled, poll_loop};
use crate::stream::stored_stream::{StreamName, StreamRecord};
use crate::stream::timing::{HEARTBEAT_INTERVAL, KEEP_ALIVE_INTERVAL, RETRY_MILLISECONDS, pace};
use crate::{Environment, Parts};
use mcp::sse;
use std::sync::Arc;
use std::time::Duration;
use store::ReadAhead;
use store::ring::{self, Read};

/// How long a resumed stream waits for its writer to notice that the connection is gone.
const WRITER_TIMEOUT: Duration = Duration::from_secs(KEEP_ALIVE_INTERVAL.as_secs() + 5);

/// Sends the events from the number `next` on, until the stream ends, the client is gone, or the server closes
/// the connection at `closes_at` (seconds since the Unix epoch).
pub(crate) async fn run<P: Parts>(
    context: Arc<Context<P>>,
    grants: Arc<GrantWatch<P>>,
    authority: Authority,
    name: StreamName,
    next: u64,
    closes_at: Option<u64>,
    sender: EventSender,
) {
    let mut delivery = Delivery {
        context: &*context,
        name: &name,
        reader: ring::Reader::new(next),
        closes_at,
        sender,
        is_known: false,
        idle: Duration::ZERO,
        silent: Duration::ZERO,
        since_record_read: HEARTBEAT_INTERVAL,
    };
    let polled = poll_loop(&context, &grants, authority, pace, &mut delivery);
    if let Err(error) = polled.await {
        log_line::write(format_args!("mcp: a stream ends early: {error}"));
    }
}

/// The delivery of a resumed stream.
struct Delivery<'a, P: Parts> {
    context: &'a Context<P>,
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
        let store = &self.context.store;
        match store.get::<StreamRecord>(&self.name.key, now).await? {
            Some(record) => {
                self.is_known = true;
                if self.reader.next() < record.first {
                    self.reader.go_to(record.first);
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

    fn next_key(&self) -> Option<String> {
        self.reader.next_key(&self.name.ring(&self.context.store))
    }

    async fn look(&mut self, ahead: &mut ReadAhead) -> Result<Polled<()>, store::Error> {
        let context = self.context;
        let now = context.environment.now();
        if self.closes_at.is_some_and(|closes_at| now >= closes_at) {
            self.sender.send(sse::retry(RETRY_MILLISECONDS)).await;
            return Ok(Polled::End(()));
        }
        let ring = self.name.ring(&context.store);
        let seal = self.name.seal(&context.config.keys);
        let open = |number, sealed: &str| seal.open(number, sealed);
        let read = self.reader.read(&ring, &open, now, ahead).await?;
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

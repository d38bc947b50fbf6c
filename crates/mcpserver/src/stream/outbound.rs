//! Messages from the server to a client during a request.

use crate::context::Context;
use crate::http::body::EventSender;
use crate::stream::mailbox::{MailboxId, Mailboxes};
use crate::stream::resumable::{Resumable, ResumableStreams};
use crate::stream::timing::KEEP_ALIVE_INTERVAL;
use crate::{Environment, Parts};
use mcp::jsonrpc::Reply;
use mcp::{Revision, sse};
use std::sync::Arc;
use std::time::Duration;

/// The stream of messages to a client.
pub(crate) struct ClientStream {
    sink: Sink,
    silent: Duration,
}

enum Sink {
    /// The response to its request.
    Stream(EventSender),
    /// A stream that outlives its connection.
    Resumable(Box<Resumable>),
    /// The mailbox of its HTTP+SSE session.
    Mail(MailboxId),
}

impl ClientStream {
    /// Returns the stream that is the response to a request.
    pub(crate) fn stream(sender: EventSender) -> Self {
        Self::new(Sink::Stream(sender))
    }

    /// Returns a stream that outlives its connection.
    pub(crate) fn resumable(stream: Resumable) -> Self {
        Self::new(Sink::Resumable(Box::new(stream)))
    }

    /// Returns the stream into the mailbox of an HTTP+SSE session.
    pub(crate) fn mail(id: MailboxId) -> Self {
        Self::new(Sink::Mail(id))
    }

    fn new(sink: Sink) -> Self {
        Self {
            sink,
            silent: Duration::ZERO,
        }
    }
}

/// The sender of messages to clients.
pub(crate) struct Outbound<P: Parts> {
    context: Arc<Context<P>>,
    resumable: Arc<ResumableStreams<P>>,
}

impl<P: Parts> Outbound<P> {
    pub(crate) fn new(context: Arc<Context<P>>, resumable: Arc<ResumableStreams<P>>) -> Self {
        Self { context, resumable }
    }

    /// Returns the mailboxes of the HTTP+SSE sessions.
    pub(crate) fn mailboxes(&self) -> Mailboxes<'_, P::KeyValue> {
        Mailboxes {
            store: &self.context.store,
            keys: &self.context.config.keys,
        }
    }

    /// Puts a message into a mailbox. Returns `false` if it is lost, which is logged.
    pub(crate) async fn post_or_log(&self, id: &MailboxId, message: &str) -> bool {
        let posted = self
            .mailboxes()
            .post(id, message, &self.context.environment)
            .await;
        if let Err(error) = &posted {
            log_line::write(format_args!("mcp: a message is lost: {error}"));
        }
        posted.is_ok()
    }

    /// Sends a message. Returns `false` once the client is gone.
    pub(crate) async fn send(&self, stream: &mut ClientStream, message: &str) -> bool {
        self.write(stream, message, false).await
    }

    /// Sends the reply, which is the last message.
    pub(crate) async fn finish(&self, mut stream: ClientStream, reply: &Reply, revision: Revision) {
        let message = reply.to_json(revision);
        self.write(&mut stream, &message, true).await;
    }

    async fn write(&self, stream: &mut ClientStream, message: &str, is_last: bool) -> bool {
        stream.silent = Duration::ZERO;
        match &mut stream.sink {
            Sink::Stream(sender) => sender.send(sse::message(message)).await,
            Sink::Resumable(stream) => self.resumable.send(stream, message, is_last).await,
            Sink::Mail(id) => self.post_or_log(id, message).await,
        }
    }

    /// Sends a keep-alive if nothing was sent for [`KEEP_ALIVE_INTERVAL`]. Called after each wait of length
    /// `waited` in which nothing was sent. Returns `false` once the client is gone.
    pub(crate) async fn keep_alive(&self, stream: &mut ClientStream, waited: Duration) -> bool {
        if let Sink::Resumable(stream) = &mut stream.sink {
            return self.resumable.keep_alive(stream, waited).await;
        }
        stream.silent += waited;
        if stream.silent < KEEP_ALIVE_INTERVAL {
            return true;
        }
        stream.silent = Duration::ZERO;
        match &mut stream.sink {
            Sink::Stream(sender) => sender.send(sse::KEEP_ALIVE.to_owned()).await,
            Sink::Mail(id) => {
                let now = self.context.environment.now();
                let session = self.mailboxes().session(id, now).await;
                // The client may be there though the store does not answer.
                session.map_or(true, |session| session.is_some())
            }
            Sink::Resumable(_) => true,
        }
    }
}

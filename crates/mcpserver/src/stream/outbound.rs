//! The way back to a client, while something goes on for it.

use crate::http::body::EventSender;
use crate::stream::mailbox::MailboxId;
use crate::stream::resumable::Resumable;
use crate::{Environment, Parts, Server};
use mcp::sse;
use std::time::Duration;

/// Silence after which a stream says that it lives.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where messages to a client go.
pub(crate) struct Line {
    way: Way,
    silent: Duration,
}

enum Way {
    /// The stream that answers its request.
    Stream(EventSender),
    /// One that outlives its connection.
    Resumable(Box<Resumable>),
    /// The mailbox of its HTTP+SSE session.
    Mail(MailboxId),
}

impl Line {
    /// The stream that answers a request.
    pub(crate) fn stream(sender: EventSender) -> Self {
        Self::new(Way::Stream(sender))
    }

    /// One that outlives its connection.
    pub(crate) fn resumable(stream: Resumable) -> Self {
        Self::new(Way::Resumable(Box::new(stream)))
    }

    /// The mailbox of an HTTP+SSE session.
    pub(crate) fn mail(id: MailboxId) -> Self {
        Self::new(Way::Mail(id))
    }

    fn new(way: Way) -> Self {
        Self {
            way,
            silent: Duration::ZERO,
        }
    }
}

impl<P: Parts> Server<P> {
    /// Sends a message. `false` when nobody listens any more.
    pub(crate) async fn tell(&self, line: &mut Line, message: &str) -> bool {
        self.send(line, message, false).await
    }

    /// Sends the last message.
    pub(crate) async fn finish(&self, mut line: Line, message: &str) {
        self.send(&mut line, message, true).await;
    }

    async fn send(&self, line: &mut Line, message: &str, is_last: bool) -> bool {
        line.silent = Duration::ZERO;
        match &mut line.way {
            Way::Stream(sender) => sender.send(sse::message(message)).await,
            Way::Resumable(stream) => self.send_resumable(stream, message, is_last).await,
            Way::Mail(id) => self.post_or_log(id, message).await,
        }
    }

    /// Says now and then that this side still lives; to be told whenever there was nothing else to
    /// say for a while. `false` when the other side does not.
    pub(crate) async fn rest_line(&self, line: &mut Line, waited: Duration) -> bool {
        if let Way::Resumable(stream) = &mut line.way {
            return self.rest_resumable(stream, waited).await;
        }
        line.silent += waited;
        if line.silent < KEEP_ALIVE {
            return true;
        }
        line.silent = Duration::ZERO;
        match &mut line.way {
            Way::Stream(sender) => sender.send(sse::KEEP_ALIVE.to_owned()).await,
            Way::Mail(id) => {
                let now = self.environment.now();
                let session = self.mailboxes().session(id, now).await;
                // A store that does not answer now is no reason to give up.
                session.map_or(true, |session| session.is_some())
            }
            Way::Resumable(_) => true,
        }
    }
}

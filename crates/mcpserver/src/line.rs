//! The way back to a client, while something goes on for it.

use crate::body::EventSender;
use crate::mailbox::MailboxId;
use crate::{Environment, Parts, Server};
use mcp::sse;

/// Where messages to a client go.
pub(crate) enum Line {
    /// The stream that answers its request.
    Stream(EventSender),
    /// The mailbox of its HTTP+SSE session.
    Mail(MailboxId),
}

impl<P: Parts> Server<P> {
    /// Sends a message. `false` when nobody listens any more.
    pub(crate) async fn tell(&self, line: &mut Line, message: &str) -> bool {
        match line {
            Line::Stream(sender) => sender.send(sse::message(message)).await,
            Line::Mail(id) => self.post_or_log(id, message).await,
        }
    }

    /// Says that this side still lives. `false` when the other does not.
    pub(crate) async fn keep_alive(&self, line: &mut Line) -> bool {
        match line {
            Line::Stream(sender) => sender.send(sse::KEEP_ALIVE.to_owned()).await,
            Line::Mail(id) => {
                let now = self.environment.now();
                let session = self.mailboxes().session(id, now).await;
                // A store that does not answer now is no reason to give up.
                session.map_or(true, |session| session.is_some())
            }
        }
    }
}

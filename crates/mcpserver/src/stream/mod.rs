//! Streams of server-sent events to clients, and what lies in the store for them.

pub(crate) mod change_feed;
pub(crate) mod mailbox;
pub(crate) mod outbound;
pub(crate) mod poll_loop;
mod redelivery;
pub(crate) mod resumable;
mod ring_seal;
pub(crate) mod session_notifications;
pub(crate) mod session_state;
pub(crate) mod stored_stream;
pub(crate) mod timing;

/// Parts of one message in the store: half of the smallest ring.
pub(crate) const MAX_MESSAGE_PARTS: u64 = 16;

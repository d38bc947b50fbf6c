//! The change feed: changes of lists and resources, from the tools component to every stream that notifies
//! clients (2025-11-25, Server Features, List Changed Notification and Resource Subscriptions).
//!
//! A change may be reported to one instance and belong on a stream of another, so changes travel through the
//! store, in a ring that never expires. So they take a fixed number of keys, and a reader that is too slow is
//! told that anything may have changed. Only the tools component reports changes.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `changes:last` | the counter of the ring | at each change |
//! | `changes:0` to `changes:63` | a change and its number, sealed | at each change |

use crate::context::Context;
use crate::contract::tools::Changed;
use crate::stream::ring_seal::RingSeal;
use crate::{Environment, Parts};
use keys::Purpose;
use mcp::jsonrpc::Id;
use mcp::{List, MAX_SUBSCRIPTION_URI_BYTES, list_changed, resource_updated};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::ReadAhead;
use store::ring::{self, Read, Ring};

const CHANGE: Purpose = Purpose("mcp change");

const KIND: &str = "changes";

/// The number of changes that the store keeps.
const RING_SIZE: u32 = 64;

/// Changes in a row that have a number and were never written, and that a reader passes over.
const MAX_GAP: u64 = 4;

/// The reader of the changes from its beginning on, in order.
#[derive(Clone, Debug)]
pub(crate) struct ChangeReader(ring::Reader);

/// The result of a read of the feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FeedRead {
    /// Nothing changed.
    Nothing,
    /// A change.
    Change(Changed),
    /// Changes were lost: anything may have changed.
    Anything,
}

/// The changes in the store.
pub(crate) struct ChangeFeed<P: Parts> {
    context: Arc<Context<P>>,
    /// The number of changes of the offer that this instance reported.
    offer_changes: AtomicU64,
}

impl<P: Parts> ChangeFeed<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self {
            context,
            offer_changes: AtomicU64::new(0),
        }
    }

    /// Returns the number of changes of the offer that this instance reported.
    pub(crate) fn offer_changes(&self) -> u64 {
        self.offer_changes.load(Ordering::Relaxed)
    }

    /// Writes a change to the feed. An error of the store is logged, and the change is lost.
    pub(crate) async fn report(&self, changed: &Changed) {
        let is_of_the_offer = match changed {
            Changed::Tools | Changed::Prompts | Changed::Resources => true,
            Changed::Resource(uri) if uri.len() > MAX_SUBSCRIPTION_URI_BYTES => {
                log_line::write("mcp: a resource changed whose URI is too long for a notification");
                return;
            }
            Changed::Resource(_) => false,
        };
        if is_of_the_offer {
            self.offer_changes.fetch_add(1, Ordering::Relaxed);
        }
        if let Err(error) = self.write_change(changed).await {
            log_line::write(format_args!(
                "mcp: no client is notified of a change: {error}"
            ));
        }
    }

    async fn write_change(&self, changed: &Changed) -> Result<(), store::Error> {
        let ring = self.ring();
        let number = ring.reserve(1).await?;
        let plain = serde_json::to_vec(changed)
            .map_err(|_| store::Error::Unreadable(self.context.store.key(KIND, "")))?;
        for part in ring::split(number, &plain, false) {
            let random = &mut self.context.environment.random();
            ring.write(&part, self.seal().seal(&part, random)).await?;
        }
        Ok(())
    }

    /// Returns a reader of the changes from now on.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) async fn reader(&self) -> Result<ChangeReader, store::Error> {
        let next = self.ring().last().await? + 1;
        Ok(ChangeReader(
            ring::Reader::new(next).passing_gaps(MAX_GAP, 0),
        ))
    }

    fn ring(&self) -> Ring<'_, P::KeyValue> {
        Ring::of_kind(&self.context.store, KIND, RING_SIZE)
    }

    fn seal(&self) -> RingSeal<'_> {
        RingSeal {
            keys: &self.context.config.keys,
            purpose: CHANGE,
            ring: KIND,
        }
    }
}

impl ChangeReader {
    /// Returns the number of the last change that was read, or that came before the reader.
    pub(crate) fn last(&self) -> u64 {
        self.0.next() - 1
    }

    /// Goes back to what came after the change with this number, unless the reader is there or before.
    pub(crate) fn go_back_to(&mut self, number: u64) {
        self.0.go_to(self.0.next().min(number.saturating_add(1)));
    }

    /// Returns the key that the next look reads first.
    pub(crate) fn next_key<P: Parts>(&self, feed: &ChangeFeed<P>) -> Option<String> {
        self.0.next_key(&feed.ring())
    }

    /// Reads the next change. One read of the store if there is none, unless that was read `ahead`.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn look<P: Parts>(
        &mut self,
        feed: &ChangeFeed<P>,
        ahead: &mut ReadAhead,
    ) -> Result<FeedRead, store::Error> {
        let ring = feed.ring();
        let seal = feed.seal();
        let open = |number, sealed: &str| seal.open(number, sealed);
        loop {
            let now = feed.context.environment.now();
            let message = match self.0.read(&ring, &open, now, ahead).await? {
                Read::Nothing => return Ok(FeedRead::Nothing),
                Read::Part => continue,
                Read::Lost { .. } => {
                    *self = feed.reader().await?;
                    return Ok(FeedRead::Anything);
                }
                Read::Message(message) => message,
            };
            let changed = serde_json::from_slice(&message.bytes);
            return Ok(changed.map_or(FeedRead::Anything, FeedRead::Change));
        }
    }
}

impl Changed {
    /// Returns the notification, for `subscription` on the streams of the stateless revision.
    pub(crate) fn to_message(&self, subscription: Option<&Id>) -> String {
        match self {
            Self::Tools => list_changed(List::Tools, subscription),
            Self::Prompts => list_changed(List::Prompts, subscription),
            Self::Resources => list_changed(List::Resources, subscription),
            Self::Resource(uri) => resource_updated(uri, subscription),
        }
    }
}

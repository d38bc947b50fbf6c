//! What is no longer as it was, for whoever listens.
//!
//! Whoever reports a change and whoever listens may be two instances or two machines, so changes
//! travel through the store: a counter numbers them, and they lie, sealed, in a ring of [`RING`]
//! slots until the ring comes round. So they take a fixed number of keys, whatever is reported, and
//! nothing but the tools component reports any.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `changes:last` | a counter | at each change |
//! | `changes:0` to `changes:63` | a change and its number | at each change |

use crate::context::Context;
use crate::contract::tools::Changed;
use crate::{Environment, Parts};
use keys::Purpose;
use mcp::jsonrpc::Id;
use mcp::{List, list_changed, resource_updated};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::KeyValue;

const CHANGE: Purpose = Purpose("mcp change");

const KIND: &str = "changes";

/// The counter.
const LAST: &str = "last";

/// Changes that lie there for whoever has not seen them.
const RING: u64 = 64;

/// Bytes of a resource's URI at most.
const LONGEST_URI: usize = 2048;

/// How far behind the next change one is looked for, now and then.
const FARTHEST: u64 = 4;

#[derive(Serialize, Deserialize)]
struct Slot {
    number: u64,
    sealed: String,
}

/// Sees the changes from its beginning on, in order.
#[derive(Clone, Debug)]
pub(crate) struct ChangeReader {
    next: u64,
    looks: u64,
}

/// What a look found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing changed.
    Nothing,
    /// This changed.
    Change(Changed),
    /// So much changed that it is not known what.
    Anything,
}

/// The changes in the store.
pub(crate) struct ChangeFeed<P: Parts> {
    context: Arc<Context<P>>,
    /// How often this instance reported that the offer changed.
    offer_changes: AtomicU64,
}

impl<P: Parts> ChangeFeed<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self {
            context,
            offer_changes: AtomicU64::new(0),
        }
    }

    /// Returns how often this instance reported that the offer changed.
    pub(crate) fn offer_changes(&self) -> u64 {
        self.offer_changes.load(Ordering::Relaxed)
    }

    /// Takes note of a change, and lets everybody know who listens.
    pub(crate) async fn report(&self, changed: &Changed) {
        let is_of_the_offer = match changed {
            Changed::Tools | Changed::Prompts | Changed::Resources => true,
            Changed::Resource(uri) if uri.len() > LONGEST_URI => {
                self.context
                    .environment
                    .log("mcp: a resource changed whose URI is too long for anybody to be told");
                return;
            }
            Changed::Resource(_) => false,
        };
        if is_of_the_offer {
            self.offer_changes.fetch_add(1, Ordering::Relaxed);
        }
        if let Err(error) = self.write_change(changed).await {
            self.context
                .environment
                .log(&format!("mcp: nobody is told of a change: {error}"));
        }
    }

    async fn write_change(&self, changed: &Changed) -> Result<(), store::Error> {
        let backend = self.context.store.backend();
        let counter = self.context.store.key(KIND, LAST);
        let number = backend.increment(&counter, 1).await?;
        let number = u64::try_from(number).unwrap_or_default();
        let key = self.slot(number);
        let unreadable = |_| store::Error::Unreadable(key.clone());
        let plain = serde_json::to_vec(changed).map_err(unreadable)?;
        let random = &mut self.context.environment.random();
        let context = number.to_be_bytes();
        let slot = Slot {
            number,
            sealed: self
                .context
                .config
                .keys
                .seal(CHANGE, &context, &plain, random),
        };
        let bytes = serde_json::to_vec(&slot).map_err(unreadable)?;
        backend.set(&key, &bytes).await
    }

    /// A reader of what changes from now on.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn reader(&self) -> Result<ChangeReader, store::Error> {
        let last = self.context.store.numbers(KIND, LAST).await?;
        Ok(ChangeReader {
            next: last + 1,
            looks: 0,
        })
    }

    /// The change of this number, or a later one that has taken its place.
    async fn change(&self, number: u64) -> Result<Option<Slot>, store::Error> {
        let bytes = self.context.store.backend().get(&self.slot(number)).await?;
        let slot: Option<Slot> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(slot.filter(|slot| slot.number >= number))
    }

    fn slot(&self, number: u64) -> String {
        self.context.store.key(KIND, &(number % RING).to_string())
    }
}

impl ChangeReader {
    /// The number of the last change that it has seen, or was there before it.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// Sees again what came after the change with this number.
    pub(crate) fn go_back_to(&mut self, number: u64) {
        self.next = self.next.min(number.saturating_add(1));
    }

    /// Looks once: one read of the store when there is nothing.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn look<P: Parts>(
        &mut self,
        feed: &ChangeFeed<P>,
    ) -> Result<Seen, store::Error> {
        self.looks += 1;
        // Whoever numbered a change may never have written it, so every fifth look goes past it.
        let ahead = if self.looks.is_multiple_of(5) {
            1 + self.looks / 5 % FARTHEST
        } else {
            0
        };
        let mut slot = feed.change(self.next + ahead).await?;
        if ahead > 0 && slot.is_some() {
            // What is next may have come in the meantime.
            slot = feed.change(self.next).await?;
            if slot.is_none() {
                *self = feed.reader().await?;
                return Ok(Seen::Anything);
            }
        }
        let Some(slot) = slot else {
            return Ok(Seen::Nothing);
        };
        if slot.number > self.next {
            // This reader was too slow for the ring.
            *self = feed.reader().await?;
            return Ok(Seen::Anything);
        }
        self.next += 1;
        self.looks = 0;
        let context = slot.number.to_be_bytes();
        let opened = feed
            .context
            .config
            .keys
            .open(CHANGE, &context, &slot.sealed);
        let changed = opened
            .ok()
            .and_then(|plain| serde_json::from_slice(&plain).ok());
        Ok(changed.map_or(Seen::Anything, Seen::Change))
    }
}

impl Changed {
    /// The notification of it, on the stream of `subscription` where there are such.
    pub(crate) fn to_message(&self, subscription: Option<&Id>) -> String {
        match self {
            Self::Tools => list_changed(List::Tools, subscription),
            Self::Prompts => list_changed(List::Prompts, subscription),
            Self::Resources => list_changed(List::Resources, subscription),
            Self::Resource(uri) => resource_updated(uri, subscription),
        }
    }
}

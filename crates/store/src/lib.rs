//! Typed records with expiry over a small key-value contract.
//!
//! [`KeyValue`] has the operations that every backend supports, and says what a backend can do. [`Store`] adds
//! records with an expiry, single use, rate limits, and a sweep. Single use is decided by an atomic counter;
//! [`WithoutAtomics`] decides it by time. [`RedisKeyValue`] is a Redis that the application speaks to itself.
//! `docs/state.md` describes every key.

mod batch;
mod claim;
mod counter;
mod counter_value;
mod deadline;
mod key_value;
mod ledger;
mod ledger_numbers;
mod listing;
#[cfg(any(test, feature = "memory"))]
mod memory;
mod polling;
mod read_ahead;
mod record;
mod redis;
pub mod ring;
mod store;
mod sweep;
mod timed_claim;

pub use batch::Batch;
pub use claim::Claim;
pub use deadline::{Clock, Deadlined};
pub use key_value::{
    Capabilities, Claimed, Claims, Entry, Error, Expiry, KeyValue, MAX_DELETED, MAX_SEALED_BYTES,
    PlainKeyValue, Regions, in_order,
};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemoryKeyValue;
pub use polling::{MAX_LAG_WAIT, poll_intervals};
pub use read_ahead::ReadAhead;
pub use record::Record;
pub use redis::{Argument, RedisCommands, RedisKeyValue, Reply};
pub use store::Store;
pub use sweep::{SweepReport, SweepTask, sweep_if_due};
pub use timed_claim::WithoutAtomics;

#[cfg(test)]
mod tests;

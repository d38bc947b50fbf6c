//! Typed records with expiry over a small key-value contract.
//!
//! [`KeyValue`] has the operations that every backend supports. [`Store`] adds records with an expiry, single
//! use decided by a counter, rate limits, and a sweep that lists no keys. `docs/state.md` describes every key.

mod claim;
mod counter;
mod deadline;
mod key_value;
mod ledger;
#[cfg(any(test, feature = "memory"))]
mod memory;
mod record;
pub mod ring;
mod store;
mod sweep;

pub use claim::Claim;
pub use deadline::{Clock, Deadlined};
pub use key_value::{Error, KeyValue, MAX_SEALED_BYTES};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemoryKeyValue;
pub use record::Record;
pub use store::Store;
pub use sweep::{SweepReport, is_sweep_due};

#[cfg(test)]
mod tests;

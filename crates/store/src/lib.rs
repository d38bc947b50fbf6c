//! Typed records with expiry over a small key-value contract.
//!
//! [`KeyValue`] has the operations that every backend supports. [`Store`] adds records with an expiry, single
//! use decided by a counter, rate limits, and a sweep that lists no keys. `docs/state.md` describes every key.

mod deadline;
mod key_value;
#[cfg(any(test, feature = "memory"))]
mod memory;
mod record;
pub mod ring;
mod sweep;

pub use deadline::{Clock, Deadlined};
pub use key_value::{Error, KeyValue};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemoryKeyValue;
pub use record::{Claim, Record, Store};
pub use sweep::SweepReport;

//! Typed records over a small key-value contract.
//!
//! [`KeyValue`] is the least that every backend really gives. [`Store`] builds on it what the
//! components share: records that carry their expiry, single use decided by a counter, and a sweep
//! that lists no keys. `docs/state.md` lists every key.

mod deadline;
mod key_value;
#[cfg(any(test, feature = "memory"))]
mod memory;
mod record;
mod sweep;

pub use deadline::{Clock, Deadlined};
pub use key_value::{Error, KeyValue};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemoryKeyValue;
pub use record::{Claim, Record, Store};
pub use sweep::Swept;

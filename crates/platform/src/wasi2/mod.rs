//! The platform as WASI 0.2 and `fermyon:spin@2.0.0`, through bindings of our own.
//!
//! The bindings' resources are numbers in atomics, so they are `Send`, as the futures that hold them.

pub mod bindings;
pub(crate) mod clock;
pub(crate) mod entry;
pub(crate) mod exchange;
mod incoming_body;
pub(crate) mod key_value;
mod outgoing_body;
pub(crate) mod redis;
mod tasks;
pub(crate) mod variables;

pub use tasks::{block_on, spawn};

/// Whether an instance goes on after a request, and may serve others.
pub const OUTLIVES_A_REQUEST: bool = false;

/// Does nothing: an instance of WASI 0.2 cannot yield to its host.
pub fn note_blocking() {}

/// For bindings of further contracts. Its `generate!` wants `runtime_path: "platform::wit_bindgen::rt"`.
pub use wit_bindgen;
